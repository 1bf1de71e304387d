/** Reads and checks requests for refunds and credits. Reports every problem. */
import { z } from 'zod';
import {
  DECLARED_TYPES,
  type DeclaredPayment,
  type DeclaredPaymentInput,
} from '../payment/declared-payment.js';
import {
  gatewayAmount,
  parseAmount,
  type AmountReading,
  type AmountError,
  type Money,
} from '../money/money.js';
import { shownName } from '../card/shown-text.js';
import { isCardDestination, type Destination } from './destination.js';
import { CARD_IN_TEXT, creditRequestShape, namedDestination, refundRequestShape } from './request-shape.js';

/** Usual reasons of refunds. Others are allowed: reports group by the reason that clients send. */
export const USUAL_REASONS = [
  'duplicate',
  'fraudulent',
  'requested_by_customer',
  'order_cancelled',
  'goods_returned',
  'not_delivered',
  'price_adjustment',
  'goodwill',
  'dispute_resolution',
  'operator_correction',
] as const;

/** A checked request for a refund. */
export interface RefundRequest {
  /** The debit, the authorization or one capture: 32 lowercase hex. */
  readonly paymentId: string;
  readonly money: Money;
  readonly reason: string;
  readonly orderId?: string;
  /** Destination of a credit that may follow. Default: the registration of the payment. */
  readonly destination?: Destination;
  /** The payment as the client captured it. With it, the gateway is not queried before the refund is accepted. */
  readonly payment?: DeclaredPayment;
  readonly entityId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A checked request for a standalone credit. With a payment it is counted against that payment's balance; without one it is
 * unlinked, and never submitted before an approver approved it.
 */
export interface CreditRequest extends Omit<RefundRequest, 'paymentId' | 'destination' | 'payment'> {
  readonly askedFor: 'credit';
  readonly paymentId?: string;
  readonly destination: Destination;
}

/** The wire format of a refund request: the amount is a decimal string with the currency's own decimals. */
export interface RefundRequestInput {
  readonly paymentId: string;
  readonly amount: string;
  readonly currency: string;
  readonly reason: string;
  readonly orderId?: string;
  readonly destination?: Destination;
  readonly payment?: DeclaredPaymentInput;
  readonly entityId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The wire format of a credit request. */
export interface CreditRequestInput extends Omit<
  RefundRequestInput,
  'paymentId' | 'destination' | 'payment'
> {
  readonly paymentId?: string;
  readonly destination: Destination;
}

export const isCreditRequest = (request: RefundRequest | CreditRequest): request is CreditRequest =>
  'askedFor' in request;

/** One problem of a request: its field, a code, and the allowed values. Never contains a value that could be a card. */
export interface InputProblem {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

/** The request, or all of its problems. */
export type Reading<Request> =
  | { readonly ok: true; readonly request: Request }
  | { readonly ok: false; readonly problems: readonly InputProblem[] };

/** Reads a refund request of any shape. Collects all problems. */
export function readRefundRequest(input: unknown): Reading<RefundRequest> {
  return read(refundRequestShape, input, ({ paymentId, destination }, common) => ({
    paymentId,
    ...common,
    ...(destination === undefined ? {} : { destination: namedDestination(destination) }),
  }));
}

/** Reads a credit request of any shape. Collects all problems. */
export function readCreditRequest(input: unknown): Reading<CreditRequest> {
  return read(creditRequestShape, input, ({ paymentId, destination }, common) => ({
    askedFor: 'credit',
    ...common,
    destination: namedDestination(destination),
    ...(paymentId === undefined ? {} : { paymentId }),
  }));
}

type Common = Omit<RefundRequest, 'paymentId' | 'destination'>;
type CommonFields = Omit<z.infer<typeof refundRequestShape>, 'paymentId' | 'destination'>;
type DeclaredFields = NonNullable<CommonFields['payment']>;

/** Reads the declared payment, which must be in the currency of the request. */
function readDeclared(
  { type, amount, currency, registrationId }: DeclaredFields,
  asked: string,
): { readonly payment?: DeclaredPayment; readonly problems: readonly InputProblem[] } {
  const paid = readAmount(amount, currency);
  if (!paid.ok)
    return {
      problems: [
        {
          field: paid.error.code === 'unknown_currency' ? 'payment.currency' : 'payment.amount',
          code: paid.error.code,
          message: paid.error.message,
        },
      ],
    };
  if (currency !== asked)
    return {
      problems: [
        {
          field: 'payment.currency',
          code: 'currency_mismatch',
          message: 'must be the currency of the refund',
        },
      ],
    };
  return {
    payment: {
      type: DECLARED_TYPES[type],
      money: paid.money,
      ...(registrationId === undefined ? {} : { registrationId }),
    },
    problems: [],
  };
}

function read<Fields extends CommonFields, Request>(
  shape: z.ZodType<Fields>,
  input: unknown,
  build: (fields: Fields, common: Common) => Request,
): Reading<Request> {
  const parsed = shape.safeParse(input);
  const problems: InputProblem[] = parsed.success ? [] : parsed.error.issues.flatMap(problemsOf);
  if (hidesEntry(input))
    problems.push({ field: 'metadata', code: 'invalid', message: 'must not have an entry named __proto__' });
  const raw = shapeOfAmount(input);
  const amount = raw === undefined ? undefined : readAmount(raw.amount, raw.currency);
  if (amount?.ok === false)
    problems.push({
      field: amount.error.code === 'unknown_currency' ? 'currency' : 'amount',
      code: amount.error.code,
      message: amount.error.message,
    });
  if (raw !== undefined && amount?.ok === false && amount.error.code === 'unknown_currency') {
    const form = wrongInAnyCurrency(raw.amount);
    if (form !== undefined) problems.push({ field: 'amount', code: form.code, message: form.message });
  }
  const declared =
    parsed.success && parsed.data.payment !== undefined
      ? readDeclared(parsed.data.payment, parsed.data.currency)
      : undefined;
  problems.push(...(declared?.problems ?? []));
  if (!parsed.success || !amount?.ok || problems.length > 0) return { ok: false, problems };
  const { reason, orderId, entityId, metadata } = parsed.data;
  const common: Common = {
    money: amount.money,
    reason,
    ...(orderId === undefined ? {} : { orderId }),
    ...(declared?.payment === undefined ? {} : { payment: declared.payment }),
    ...(entityId === undefined ? {} : { entityId }),
    ...(metadata === undefined ? {} : { metadata }),
  };
  return { ok: true, request: build(parsed.data, common) };
}

function problemsOf(issue: z.core.$ZodIssue): InputProblem[] {
  const field = issue.path.map((part) => shownName(String(part))).join('.') || '(request)';
  if (issue.code === 'unrecognized_keys')
    return [{ field, code: 'unknown_field', message: `unknown: ${issue.keys.map(shownName).join(', ')}` }];
  // zod nests the problems of an entry's name.
  const inner = issue.code === 'invalid_key' ? issue.issues : [issue];
  return inner.map((one) => ({ field, code: codeOf(one), message: one.message }));
}

function codeOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'custom' && issue.params?.['code'] === CARD_IN_TEXT.code
    ? CARD_IN_TEXT.code
    : 'invalid';
}

const metadataShape = z.object({
  metadata: z.custom<object>((value) => typeof value === 'object' && value !== null),
});

/** True if metadata has an entry `__proto__`. zod drops it silently, so the stored request would differ from the sent one. */
function hidesEntry(input: unknown): boolean {
  const metadata = metadataShape.safeParse(input).data?.metadata;
  return metadata !== undefined && Object.hasOwn(metadata, '__proto__');
}

type PaidAmount =
  | Extract<AmountReading, { ok: true }>
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

/** Refuses an amount that the gateway's format cannot express: a refund that can never be submitted must not be promised. */
function readAmount(text: string, currency: string): PaidAmount {
  const amount = parseAmount(text, currency);
  if (!amount.ok) return amount;
  const sent = gatewayAmount(amount.money);
  if (sent.ok) return amount;
  switch (sent.error) {
    case 'not_expressible':
      return refuseAmount(
        'not_expressible',
        'The gateway takes two decimals; the third must be 0, as in "1.230".',
      );
    case 'out_of_range':
      return refuseAmount('too_large', 'The gateway takes at most ten digits before the point.');
    default:
      return sent.error satisfies never;
  }
}

const refuseAmount = (code: string, message: string): PaidAmount => ({ ok: false, error: { code, message } });

/** Returns the problem of an amount that does not depend on its currency: anything but the number of decimals. */
function wrongInAnyCurrency(text: string): AmountError | undefined {
  const read = parseAmount(text, 'EUR');
  if (read.ok || read.error.code === 'too_many_decimals' || read.error.code === 'ambiguous_decimals')
    return undefined;
  return read.error;
}

const amountShape = z.object({ amount: z.string(), currency: z.string() });

/** Reads the amount even if other fields are wrong, so that one answer reports all problems. */
function shapeOfAmount(input: unknown): { amount: string; currency: string } | undefined {
  const read = amountShape.safeParse(input);
  return read.success ? read.data : undefined;
}

/**
 * Returns equal text for equal requests; idempotency keys compare it. Contains only the fields of the request, by name, so a new optional
 * field does not change the text of requests without it.
 */
export function canonicalRequest(request: RefundRequest | CreditRequest): string {
  const { money } = request;
  const metadata = Object.entries(request.metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const payment = isCreditRequest(request) ? undefined : request.payment;
  const { destination } = request;
  // JSON leaves out what is undefined.
  return JSON.stringify({
    askedFor: isCreditRequest(request) ? 'credit' : undefined,
    paymentId: request.paymentId,
    minor: money.minor.toString(),
    currency: money.currency,
    reason: request.reason,
    orderId: request.orderId,
    ...(isCardDestination(destination)
      ? { cardRef: destination.cardRef }
      : { registrationId: destination?.registrationId }),
    entityId: request.entityId,
    metadata: metadata.length === 0 ? undefined : metadata,
    payment:
      payment === undefined
        ? undefined
        : [payment.type, payment.money.minor.toString(), payment.registrationId ?? null],
  });
}
