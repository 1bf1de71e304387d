/** One request of the load, over HTTP or through the typed client, and the notes about its answer. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { RefundsError, type Refund, type RefundOrder, type RefundsClient } from '../../client/index.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import type { Random } from '../simulation/harness/random.js';
import { CLERK, HttpRefusal, type EntryPoint, type Http } from './http.js';
import { textOf, type Currency } from './money.js';
import type { Notes, Order } from './notes.js';

/** One intent with its payment, its entry point and the notes. */
export interface Harness {
  readonly client: RefundsClient;
  readonly http: Http;
  readonly notes: Notes;
  readonly over: AbortSignal;
  readonly random: Random;
  readonly currency: Currency;
  readonly payment: CreatedPayment;
  /** Amount that can be refunded in all, in hundredths. */
  readonly total: bigint;
  /** Entry point of the request. Both act for the same client. */
  readonly operation: 'http' | 'client';
}

export type Intent = (harness: Harness) => Promise<void>;

export function requestOf(harness: Harness, hundredths: bigint, paymentId = harness.payment.paymentId) {
  const { currency } = harness;
  return { paymentId, amount: textOf(hundredths, currency), currency, reason: 'order_cancelled' };
}

/** Builds a credit to one of the gateway's registrations. Without a payment it is unlinked. */
export function creditOf(
  harness: Harness,
  hundredths: bigint,
  { registrationId, paymentId }: { readonly registrationId: string; readonly paymentId?: string },
): Order {
  const { paymentId: _, ...request } = requestOf(harness, hundredths);
  const order = orderOf(harness, hundredths);
  const about = paymentId === undefined ? {} : { paymentId };
  return { ...order, askedFor: 'credit', request: { ...request, ...about, destination: { registrationId } } };
}

export function orderOf(harness: Harness, hundredths: bigint, paymentId?: string): RefundOrder {
  const request = requestOf(harness, hundredths, paymentId);
  return { clientId: CLERK, idempotencyKey: randomUUID(), requestedBy: CLERK, request };
}

const ANSWER_LOST: ReadonlySet<string> = new Set([
  'temporal_unavailable',
  'no_answer',
  'gateway_unavailable',
]);

/** True if the answer has a code: then nothing was changed. Any other failure leaves open whether something was. */
export const isRefusal = (error: unknown): error is HttpRefusal | RefundsError =>
  error instanceof HttpRefusal || (error instanceof RefundsError && !ANSWER_LOST.has(error.code));

export const otherOperation = (operation: Harness['operation']): Harness['operation'] =>
  operation === 'http' ? 'client' : 'http';
export type Asks = Pick<EntryPoint, 'requestRefund' | 'requestCredit'>;
const entryPointOf = ({ operation, http, client }: Harness): Asks => (operation === 'http' ? http : client);

/** Returns the refund, or undefined if it was refused or the call failed. A failed call is repeated, now or at the end of the run. */
export async function ask(harness: Harness, order: Order): Promise<Refund | undefined> {
  const { random } = harness;
  for (let again = random.between(0, 2); ; again -= 1) {
    const answer = await askOnce(entryPointOf(harness), harness.notes, order);
    if (answer.kind === 'accepted') return answer.refund;
    if (answer.kind === 'refused' || again <= 0 || harness.over.aborted) return undefined;
    await sleep(random.spread(100, 4_000));
  }
}

export type Answer =
  | { readonly kind: 'accepted'; readonly refund: Refund }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'failed'; readonly error: string };

/** Makes one request and notes its answer. */
export async function askOnce(entryPoint: Asks, notes: Notes, order: Order): Promise<Answer> {
  notes.asked += 1;
  try {
    const refund = await (order.askedFor === 'credit'
      ? entryPoint.requestCredit(order)
      : entryPoint.requestRefund(order));
    notes.accept(refund, order.idempotencyKey);
    notes.doubts.delete(order.idempotencyKey);
    return { kind: 'accepted', refund };
  } catch (error) {
    if (isRefusal(error)) {
      // An earlier call with this key may still be in doubt: it stays noted.
      notes.refuse(error.code);
      return { kind: 'refused', code: error.code };
    }
    const text = error instanceof Error ? error.message : 'failed';
    if (error instanceof z.ZodError)
      notes.wrong.push(`an answer over HTTP is not what is documented: ${text}`);
    notes.failedCalls += 1;
    notes.doubts.set(order.idempotencyKey, { order, error: text });
    return { kind: 'failed', error: text };
  }
}

export async function expectRefusal(
  harness: Harness,
  order: RefundOrder,
  codes: readonly string[],
): Promise<void> {
  const doubt = harness.notes.doubts.get(order.idempotencyKey);
  const answer = await askOnce(entryPointOf(harness), harness.notes, order);
  // This body is not the key's original body: an earlier doubt remains.
  if (doubt !== undefined) harness.notes.doubts.set(order.idempotencyKey, doubt);
  else harness.notes.doubts.delete(order.idempotencyKey);
  if (answer.kind === 'accepted')
    harness.notes.wrong.push(`refund ${answer.refund.id} should have been refused (${codes.join(' or ')})`);
  if (answer.kind === 'refused' && !codes.includes(answer.code))
    harness.notes.wrong.push(
      `refused as ${answer.code}, expected ${codes.join(' or ')}: ${JSON.stringify(order.request)}`,
    );
}
