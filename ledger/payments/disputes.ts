/** Books chargebacks and their reversals: the difference between what is recorded and what the gateway shows now. */
import { effectiveMinor, type LinkedDispute } from '../../domain/payment/disputes.js';
import type { OriginalDoubt, OriginalFacts } from '../../domain/payment/original.js';
import { appendOutside } from '../core/events.js';
import type { Database, Tx } from '../db/database.js';

export interface DisputeRecord {
  /** The gateway's id of the chargeback. */
  readonly id: string;
  readonly amountMinor: bigint;
  /** The part that was reversed in favor of the merchant. */
  readonly reversedMinor: bigint;
  readonly at: Date;
}

interface Known extends DisputeRecord {
  readonly state: LinkedDispute['state'];
  /** The amount that counts in the payment's balance. */
  readonly effectiveMinor: bigint;
  /** Number of its events so far, which is the number of the next one. */
  readonly events: number;
}

/** Types of events about a chargeback. */
export const DISPUTE_EVENTS = ['dispute.opened', 'dispute.changed', 'dispute.reversed'] as const;

export interface BookedDisputes {
  /** True if an event was appended, also if only the outcome changed and the balance did not. */
  readonly isChanged: boolean;
  readonly doubts: readonly OriginalDoubt[];
}

/** Books new and changed chargebacks. A final chargeback that is not listed stays booked and becomes a doubt. */
export async function bookDisputes(tx: Tx, facts: OriginalFacts): Promise<BookedDisputes> {
  const doubts: OriginalDoubt[] = [];
  const known = await knownDisputes(tx, facts.id);
  let isChanged = false;
  for (const dispute of facts.disputes)
    if (await book(tx, facts.id, known.get(dispute.id), dispute)) isChanged = true;
  const listed = new Set(facts.disputes.map(({ id }) => id));
  for (const [id, before] of known) {
    if (listed.has(id) || before.effectiveMinor === 0n) continue;
    const isOver = facts.declined.includes(id) || (before.state === 'open' && facts.coversCaptures);
    if (!isOver) {
      if (facts.coversCaptures) doubts.push({ gatewayId: id, why: 'chargeback_vanished' });
      continue;
    }
    const nothing = { id, amountMinor: 0n, reversedMinor: 0n, state: 'succeeded' } as const;
    if (await book(tx, facts.id, before, nothing)) isChanged = true;
  }
  // These events let a notification that refers to a reversal find its payment.
  for (const id of facts.reversalIds)
    await appendOutside(tx, {
      key: `gateway:${id}:reversal`,
      type: 'dispute.reversal_seen',
      paymentId: facts.id,
      data: { gatewayId: id },
    });
  return { isChanged, doubts };
}

async function book(
  tx: Tx,
  paymentId: string,
  before: Known | undefined,
  dispute: LinkedDispute,
): Promise<boolean> {
  const { id, amountMinor, reversedMinor, state } = dispute;
  const event = (number: number, type: (typeof DISPUTE_EVENTS)[number], reversed: bigint, disputed: bigint) =>
    appendOutside(tx, {
      key: number === 0 ? `gateway:${id}:disputed` : `gateway:${id}:disputed:${number}`,
      type,
      paymentId,
      disputed,
      data: {
        gatewayId: id,
        amountMinor: amountMinor.toString(),
        reversedMinor: reversed.toString(),
        final: state === 'succeeded',
      },
    });
  if (before === undefined) {
    if (amountMinor > 0n) await event(0, 'dispute.opened', 0n, amountMinor);
    if (reversedMinor > 0n) await event(1, 'dispute.reversed', reversedMinor, -reversedMinor);
    return amountMinor > 0n;
  }
  const delta = effectiveMinor(dispute) - before.effectiveMinor;
  const isSame =
    amountMinor === before.amountMinor && reversedMinor === before.reversedMinor && state === before.state;
  if (delta === 0n && isSame) return false;
  const type = reversedMinor > before.reversedMinor ? 'dispute.reversed' : 'dispute.changed';
  return event(before.events, type, reversedMinor, delta);
}

async function knownDisputes(tx: Tx | Database['db'], paymentId: string): Promise<Map<string, Known>> {
  const events = await tx
    .selectFrom('events')
    .select(['disputed_delta', 'at', 'data'])
    .where('payment_id', '=', paymentId)
    .where('type', 'in', DISPUTE_EVENTS)
    .orderBy('events.id')
    .execute();
  const known = new Map<string, Known>();
  for (const { data, disputed_delta, at } of events) {
    const id = textIn(data, 'gatewayId');
    const before = known.get(id);
    known.set(id, {
      id,
      at: before?.at ?? at,
      amountMinor: BigInt(textIn(data, 'amountMinor')),
      reversedMinor: BigInt(textIn(data, 'reversedMinor')),
      state: data['final'] === true ? 'succeeded' : 'open',
      effectiveMinor: (before?.effectiveMinor ?? 0n) + disputed_delta,
      events: (before?.events ?? 0) + 1,
    });
  }
  return known;
}

const textIn = (data: Readonly<Record<string, unknown>>, name: string): string => {
  const value = data[name];
  return typeof value === 'string' ? value : '0';
};

/** Returns the chargebacks of a payment, oldest first. */
export async function disputesOf({ db }: Database, paymentId: string): Promise<readonly DisputeRecord[]> {
  return [...(await knownDisputes(db, paymentId)).values()];
}
