/** Builds the snapshot of a refund from which the next step is decided. */
import type { Kysely } from 'kysely';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { DECLINE_CLASSES, type DeclineClass } from '../../domain/decline-class.js';
import { settledAmountOf } from '../../domain/refund/settlement.js';
import { settlementFacts } from './balances.js';
import { attemptsOf, type AttemptRow, type RefundRow } from './locks.js';
import type { Tables, Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';

/** Returns the snapshot of a refund. Ages in milliseconds, by the database's clock. */
export async function snapshotOf(
  db: Kysely<Tables>,
  refund: RefundRow,
  attempts: readonly AttemptRow[],
): Promise<RefundSnapshot> {
  const { now } = await db.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow();
  return snapshotAt(now, refund, attempts);
}

function snapshotAt(now: Date, refund: RefundRow, attempts: readonly AttemptRow[]): RefundSnapshot {
  // An older attempt that is open again (late evidence) has to be settled first; otherwise the newest attempt counts.
  const counted = attempts.filter(({ number }) => number > refund.attempts_before_replay);
  const current =
    attempts.find((attempt) => ['submitting', 'unknown', 'pending'].includes(attempt.state)) ??
    counted.at(-1);
  const since = now.getTime() - refund.state_since.getTime();
  const age = now.getTime() - (current?.sent_at ?? refund.state_since).getTime();
  const queried = current?.queried_at ?? null;
  const declines: Partial<Record<DeclineClass, number>> = {};
  for (const attempt of counted) {
    const refusal = attempt.state === 'rejected' ? declineClassOf(attempt) : null;
    if (refusal !== null) declines[refusal] = (declines[refusal] ?? 0) + 1;
  }
  return {
    refundId: refund.id,
    ...(refund.asked_for === 'credit' ? { askedFor: 'credit' } : {}),
    version: refund.version,
    state: refund.state,
    sinceMs: Math.max(0, since),
    attempt:
      current === undefined
        ? null
        : {
            attemptId: current.id,
            operation: current.operation,
            state: current.state,
            class: declineClassOf(current),
            submissions: current.submissions - current.submissions_before,
            queries: current.queries,
            ageMs: Math.max(0, age),
            sinceQueryMs: queried === null ? null : Math.max(0, now.getTime() - queried.getTime()),
          },
    attempts: counted.length,
    declines,
    why: refund.why,
    settled: settledAmountOf(settlementFacts({ refund, attempts }), refund.currency),
    ...unreadAt(now, refund),
  };
}

function unreadAt(now: Date, refund: RefundRow): Pick<RefundSnapshot, 'unread'> {
  const { unread_for, unread_since, unread_at, unread_count } = refund;
  if (unread_for === null || unread_since === null || unread_at === null) return {};
  const ageOf = (at: Date): number => Math.max(0, now.getTime() - at.getTime());
  return {
    unread: {
      for: unread_for,
      sinceMs: ageOf(unread_since),
      lastMs: ageOf(unread_at),
      times: unread_count,
    },
  };
}

/**
 * Returns the attempt's decline class, or null. A class that a newer version wrote is read as `unlisted`, which only an operator may
 * decide.
 */
export function declineClassOf(attempt: AttemptRow): DeclineClass | null {
  if (attempt.decline_class === null) return null;
  return DECLINE_CLASSES.find((known) => known === attempt.decline_class) ?? 'unlisted';
}

/** Returns the current snapshot. The transaction must hold the payment's lock. */
export async function currentSnapshot(tx: Tx, refundId: string): Promise<RefundSnapshot> {
  const refund = await tx
    .selectFrom('refunds')
    .selectAll()
    .select(NOW.as('now'))
    .where('id', '=', refundId)
    .executeTakeFirstOrThrow();
  return snapshotAt(refund.now, refund, await attemptsOf(tx, refundId));
}
