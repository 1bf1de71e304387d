/** Captures of a payment: their amounts, and what was taken from each by refunds made elsewhere. */
import { placeDrawn } from '../../domain/payment/captures.js';
import { effectiveMinor } from '../../domain/payment/disputes.js';
import type { OriginalDoubt, OriginalFacts, takenByReturns } from '../../domain/payment/original.js';
import { takenByOurs } from '../core/balances.js';
import type { AttemptRow } from '../core/locks.js';
import type { Tx } from '../db/database.js';
import { noteDoubts } from './doubts.js';

export interface BookedCaptures {
  readonly doubts: readonly OriginalDoubt[];
  /** Sum of known captures that cannot be read now. */
  readonly keptMinor: bigint;
  /** Recorded amounts taken from each capture by refunds made elsewhere. New captures are absent. */
  readonly drawn: ReadonlyMap<string, Drawn>;
}

/** Amounts taken from a capture by refunds made elsewhere: certainly, and possibly (a refund that names no capture). Minor units. */
export interface Drawn {
  readonly certainMinor: bigint;
  readonly doubtfulMinor: bigint;
}

/** Stores each capture with the amount shown now. A capture that is not listed has nothing left. */
export async function bookCaptures(tx: Tx, facts: OriginalFacts): Promise<BookedCaptures> {
  const rows = await tx.selectFrom('captures').selectAll().where('payment_id', '=', facts.id).execute();
  const known = new Map(rows.map((row) => [row.id, row.amount_minor]));
  const doubts: OriginalDoubt[] = [];
  for (const { id, amountMinor } of facts.captures) {
    const before = known.get(id);
    known.delete(id);
    if (before === undefined) {
      if (!(await insertCapture(tx, facts.id, id, amountMinor)))
        doubts.push({ gatewayId: id, why: 'capture_elsewhere' });
    } else if (before !== amountMinor) await setCapture(tx, id, amountMinor);
  }
  const unreadable = new Set(
    facts.doubts.filter(({ why }) => why === 'capture_unreadable').map(({ gatewayId }) => gatewayId),
  );
  let keptMinor = 0n;
  for (const [id, before] of known)
    if (unreadable.has(id)) keptMinor += before;
    else if (before > 0n && facts.hidesLinks !== true) await setCapture(tx, id, 0n);
  const drawn = new Map(
    rows.map((row) => [row.id, { certainMinor: row.elsewhere_minor, doubtfulMinor: row.doubtful_minor }]),
  );
  return { doubts, keptMinor, drawn };
}

/** Returns false if the capture is stored for another payment. */
async function insertCapture(tx: Tx, paymentId: string, id: string, amountMinor: bigint): Promise<boolean> {
  const inserted = await tx
    .insertInto('captures')
    .values({ id, payment_id: paymentId, amount_minor: amountMinor })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted !== undefined) return true;
  const { payment_id: other } = await tx
    .selectFrom('captures')
    .select('payment_id')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  await noteDoubts(tx, other, [{ gatewayId: id, why: 'capture_elsewhere' }]);
  return false;
}

async function setCapture(tx: Tx, id: string, amountMinor: bigint): Promise<void> {
  await tx.updateTable('captures').set({ amount_minor: amountMinor }).where('id', '=', id).execute();
}

/**
 * Stores what refunds made elsewhere and disputes took from each capture. A refund that names no capture goes to one with money left. A query
 * that may not cover captures removes nothing.
 */
export async function placeOnCaptures(
  tx: Tx,
  { captures, disputes, coversCaptures }: OriginalFacts,
  known: {
    readonly foreign: ReturnType<typeof takenByReturns>;
    readonly attempts: readonly AttemptRow[];
    readonly drawn: ReadonlyMap<string, Drawn>;
  },
): Promise<void> {
  const taken = [
    ...known.foreign.map(({ entry, takenMinor }) => ({
      referencedId: entry.referencedId,
      amountMinor: takenMinor,
    })),
    ...disputes.map((dispute) => ({
      referencedId: dispute.referencedId ?? null,
      amountMinor: effectiveMinor(dispute),
      isDispute: true as const,
    })),
  ].filter(({ amountMinor }) => amountMinor > 0n);
  for (const placed of placeDrawn(captures, taken, (capture) => takenByOurs(known.attempts, capture))) {
    const { id } = placed;
    const before = known.drawn.get(id) ?? { certainMinor: 0n, doubtfulMinor: 0n };
    const now = coversCaptures ? placed : mostOf(before, placed);
    if (before.certainMinor === now.certainMinor && before.doubtfulMinor === now.doubtfulMinor) continue;
    await tx
      .updateTable('captures')
      .set({ elsewhere_minor: now.certainMinor, doubtful_minor: now.doubtfulMinor })
      .where('id', '=', id)
      .execute();
  }
}

const mostOf = (a: Drawn, b: Drawn): Drawn => ({
  certainMinor: a.certainMinor > b.certainMinor ? a.certainMinor : b.certainMinor,
  doubtfulMinor: a.doubtfulMinor > b.doubtfulMinor ? a.doubtfulMinor : b.doubtfulMinor,
});
