/** A request for a refund at the edge: every error is named, and nothing that is wrong gets further. */
import { z } from 'zod';
import { parseAmount, type Money } from './money.js';
import { isPaymentId } from './ids.js';

/** Reasons that the field knows. Others are allowed: reports group by what callers send. */
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

/** What a caller asks for, checked. */
export interface RefundRequest {
  /** The debit, the authorisation or one capture: 32 lowercase hex. */
  readonly paymentId: string;
  readonly money: Money;
  readonly reason: string;
  readonly orderId?: string;
  /** Where a credit may go; absent: the registration of the payment. */
  readonly destination?: { readonly registrationId: string };
  readonly entityId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The same as callers write it: the amount is a decimal string with the currency's own decimals. */
export interface RefundRequestInput {
  readonly paymentId: string;
  readonly amount: string;
  readonly currency: string;
  readonly reason: string;
  readonly orderId?: string;
  readonly destination?: { readonly registrationId: string };
  readonly entityId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** One thing that is wrong: where, what, and what is allowed. Never the value of anything that could be a card. */
export interface InputProblem {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

const hex32 = z
  .string({ error: 'must be text' })
  .refine(isPaymentId, 'must be 32 lowercase hexadecimal characters, as the gateway gave it');
const text = (max: number) =>
  z
    .string({ error: 'must be text' })
    .max(max, `must be at most ${max} characters`)
    .refine((value) => value.trim() !== '', 'must not be empty')
    // eslint-disable-next-line no-control-regex -- control characters are what is refused
    .refine((value) => !/[\u0000-\u001f\u007f]/.test(value), 'must not contain control characters');

const shape = z.strictObject({
  paymentId: hex32,
  amount: z.string({ error: 'must be a decimal string, for example "12.34"' }),
  currency: z.string({ error: 'must be an ISO 4217 code, for example "EUR"' }),
  reason: text(200),
  orderId: text(255).optional(),
  destination: z.strictObject({ registrationId: hex32 }).optional(),
  entityId: hex32.optional(),
  metadata: z
    .record(text(40), z.string({ error: 'must be text' }).max(500, 'must be at most 500 characters'))
    .refine((entries) => Object.keys(entries).length <= 50, 'must have at most 50 entries')
    .optional(),
});

export type RequestReading =
  | { readonly ok: true; readonly request: RefundRequest }
  | { readonly ok: false; readonly problems: readonly InputProblem[] };

/** Reads anything. Collects every problem instead of stopping at the first. */
export function readRefundRequest(input: unknown): RequestReading {
  const parsed = shape.safeParse(input);
  const problems: InputProblem[] = parsed.success
    ? []
    : parsed.error.issues.map((issue) => ({
        field: issue.path.join('.') || '(request)',
        code: issue.code === 'unrecognized_keys' ? 'unknown_field' : 'invalid',
        message: issue.code === 'unrecognized_keys' ? `unknown: ${issue.keys.join(', ')}` : issue.message,
      }));
  const raw = shapeOfAmount(input);
  const amount = raw === undefined ? undefined : parseAmount(raw.amount, raw.currency);
  if (amount?.ok === false)
    problems.push({
      field: amount.error.code === 'unknown_currency' ? 'currency' : 'amount',
      code: amount.error.code,
      message: amount.error.message,
    });
  if (!parsed.success || !amount?.ok || problems.length > 0) return { ok: false, problems };
  const { paymentId, reason, orderId, destination, entityId, metadata } = parsed.data;
  return {
    ok: true,
    request: {
      paymentId,
      money: amount.money,
      reason,
      ...(orderId === undefined ? {} : { orderId }),
      ...(destination === undefined ? {} : { destination }),
      ...(entityId === undefined ? {} : { entityId }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

/** The amount is read even where other fields are wrong, so that one answer names everything. */
function shapeOfAmount(input: unknown): { amount: string; currency: string } | undefined {
  const read = z.object({ amount: z.string(), currency: z.string() }).safeParse(input);
  return read.success ? read.data : undefined;
}

/** Same text for the same request: what "the same body" means for an idempotency key. */
export function canonicalRequest(request: RefundRequest): string {
  const { money } = request;
  return JSON.stringify([
    request.paymentId,
    money.minor.toString(),
    money.currency,
    request.reason,
    request.orderId ?? null,
    request.destination?.registrationId ?? null,
    request.entityId ?? null,
    Object.entries(request.metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}
