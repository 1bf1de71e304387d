/** Refunds and reversals of a payment that were made elsewhere, booked by the difference between what is recorded and what is shown. */
import { takenByReturns, type OriginalFacts } from '../../domain/payment/original.js';
import { appendOutside } from '../core/events.js';
import type { Tx } from '../db/database.js';
import { GATEWAY_ID, IS_FINAL } from '../db/expressions.js';
import { placeOnCaptures, type Drawn } from './captures.js';

/**
 * Books refunds and reversals made elsewhere, each with the amount that the gateway shows now. An open one counts like a final one. An open
 * one that is not listed was declined; a final one ends only if it is listed as declined. True if an event was appended.
 */
export async function recordForeignReturns(
  tx: Tx,
  facts: OriginalFacts,
  drawn: ReadonlyMap<string, Drawn>,
): Promise<boolean> {
  const attempts = await tx.selectFrom('attempts').selectAll().where('payment_id', '=', facts.id).execute();
  const ours = new Set(attempts.flatMap(({ reference, gateway_id }) => [reference, gateway_id ?? reference]));
  const standing = await foreignReturns(tx, facts.id);
  const foreign = takenByReturns(facts).filter(
    ({ entry }) => !ours.has(entry.id) && (entry.reference === null || !ours.has(entry.reference)),
  );
  await placeOnCaptures(tx, facts, { foreign, attempts, drawn });
  let isChanged = false;
  for (const { entry, takenMinor } of foreign) {
    const before = standing.get(entry.id);
    const isFinal = entry.state === 'succeeded';
    if (await setForeignReturn(tx, facts.id, entry.id, before, takenMinor, isFinal)) isChanged = true;
  }
  const listed = new Set(facts.returns.map((entry) => entry.id));
  for (const [id, before] of standing) {
    if (listed.has(id)) continue;
    const isOver = facts.declined.includes(id) || (!before.isFinal && facts.coversCaptures);
    if (isOver && (await setForeignReturn(tx, facts.id, id, before, 0n, false))) isChanged = true;
  }
  return isChanged;
}

interface ForeignReturn {
  /** The amount that counts in the payment's balance now. */
  readonly minor: bigint;
  readonly isFinal: boolean;
  /** Number of its events so far, which is the number of the next one. */
  readonly events: number;
}

async function foreignReturns(tx: Tx, paymentId: string): Promise<Map<string, ForeignReturn>> {
  const events = await tx
    .selectFrom('events')
    .select([GATEWAY_ID.as('id'), IS_FINAL.as('final')])
    .select('succeeded_delta')
    .where('payment_id', '=', paymentId)
    .where('type', '=', 'payment.returned_elsewhere')
    .orderBy('events.id')
    .execute();
  const found = new Map<string, ForeignReturn>();
  for (const event of events) {
    const before = found.get(event.id);
    found.set(event.id, {
      minor: (before?.minor ?? 0n) + event.succeeded_delta,
      isFinal: event.final,
      events: (before?.events ?? 0) + 1,
    });
  }
  return found;
}

async function setForeignReturn(
  tx: Tx,
  paymentId: string,
  gatewayId: string,
  before: ForeignReturn | undefined,
  minor: bigint,
  isFinal: boolean,
): Promise<boolean> {
  const delta = minor - (before?.minor ?? 0n);
  if (before !== undefined && delta === 0n && before.isFinal === isFinal) return false;
  return appendOutside(tx, {
    key: `gateway:${gatewayId}:returned_elsewhere:${before?.events ?? 0}`,
    type: 'payment.returned_elsewhere',
    paymentId,
    succeeded: delta,
    data: { gatewayId, final: isFinal },
  });
}

/** Removes a return made elsewhere that turned out to be ours: its attempt counts. True if it had been counted. */
export async function removeForeignReturn(tx: Tx, paymentId: string, gatewayId: string): Promise<boolean> {
  const before = (await foreignReturns(tx, paymentId)).get(gatewayId);
  if (before === undefined || before.minor === 0n) return false;
  await setForeignReturn(tx, paymentId, gatewayId, before, 0n, false);
  return true;
}
