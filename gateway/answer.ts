/** Reads a body into a transaction: the allow-list of fields, and what makes an answer unreadable. */
import { z } from 'zod';
import { boundedText } from '../domain/bounded-text.js';
import type { GatewayTransaction } from '../domain/transaction.js';
import { parseObject } from './json.js';

/** What a body says, or why it says nothing. */
type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: 'not_json' | 'no_result_code' };

const RESULT_CODE = /^\d{3}\.\d{3}\.\d{3}$/;

/** What PostgreSQL cannot keep: U+0000, and half of a surrogate pair. An answer that cannot be written down is never acted on. */
// eslint-disable-next-line no-control-regex -- the control character is what is looked for
const UNKEEPABLE = /\u0000|\p{Surrogate}/gu;

/** Says whose money it is: a wrong type makes the whole answer unreadable. `null` is the same as left out. */
const decisive = boundedText(255)
  .refine((text) => text.search(UNKEEPABLE) === -1)
  .nullish();

/** For people: a wrong type is dropped, because throwing a clear outcome away for a bad remark would cost more than it saves. */
const remark = z
  .string()
  .transform((text) => keepable(text.slice(0, 1000)))
  .nullish()
  .catch(undefined);

const transactionShape = z.object({
  id: decisive,
  paymentType: decisive,
  amount: decisive,
  currency: decisive,
  merchantTransactionId: decisive,
  referencedId: decisive,
  registrationId: remark,
  paymentBrand: remark,
  timestamp: remark,
  result: z.object({
    code: z.string().regex(RESULT_CODE),
    description: remark,
    parameterErrors: z
      .array(z.object({ name: remark, message: remark }))
      .nullish()
      .catch(undefined),
  }),
  resultDetails: z.object({ ExtendedDescription: remark }).nullish().catch(undefined),
});

/** The outcome that a body tells. `no_result_code` without a well-formed `result.code`, `not_json` for any other wrong shape. */
export function readTransactionBody(body: string): Read<GatewayTransaction> {
  const parsed = parseObject(body);
  return parsed === undefined ? { ok: false, why: 'not_json' } : readTransaction(parsed);
}

/** The same for a value that is parsed already, such as an entry of a look-up. */
export function readTransaction(value: unknown): Read<GatewayTransaction> {
  if (resultCodeOf(value) === undefined) return { ok: false, why: 'no_result_code' };
  const told = transactionShape.safeParse(value);
  if (!told.success) return { ok: false, why: 'not_json' };
  return { ok: true, value: allowListed(told.data) };
}

const anyResult = z.object({ result: z.object({ code: z.string().regex(RESULT_CODE) }) });

/** `result.code` where there is a well-formed one. */
export function resultCodeOf(value: unknown): string | undefined {
  const found = anyResult.safeParse(value);
  return found.success ? found.data.result.code : undefined;
}

function allowListed(told: z.infer<typeof transactionShape>): GatewayTransaction {
  const extended = told.resultDetails?.ExtendedDescription;
  const errors = told.result.parameterErrors;
  return {
    ...(told.id != null && { id: told.id }),
    ...(told.paymentType != null && { paymentType: told.paymentType }),
    ...(told.amount != null && { amount: told.amount }),
    ...(told.currency != null && { currency: told.currency }),
    ...(told.merchantTransactionId != null && { merchantTransactionId: told.merchantTransactionId }),
    ...(told.referencedId != null && { referencedId: told.referencedId }),
    ...(told.registrationId != null && { registrationId: told.registrationId }),
    ...(told.paymentBrand != null && { paymentBrand: told.paymentBrand }),
    result: { code: told.result.code, description: withoutCardNumbers(told.result.description ?? '') },
    ...(extended != null && { extendedDescription: withoutCardNumbers(extended) }),
    ...(errors != null && {
      parameterErrors: errors.map(({ name, message }) =>
        withoutCardNumbers(`${name ?? '?'}: ${message ?? '?'}`),
      ),
    }),
    ...(told.timestamp != null && { timestamp: told.timestamp }),
  };
}

/** Free text goes into logs and stores, and an acquirer may quote what it was sent. 12 to 19 digits, grouped or not, are a card's. */
function withoutCardNumbers(text: string): string {
  return text.replace(/(?<![0-9A-Za-z])\d(?:[ -]?\d){11,18}(?![0-9A-Za-z])/g, '[digits]');
}

/** Cutting at a length may leave half of a pair as well, so this comes after it. */
function keepable(text: string): string {
  return text.replace(UNKEEPABLE, '\ufffd');
}
