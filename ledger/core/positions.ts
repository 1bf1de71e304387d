/** Builds the snapshot of a refund from which the next step is decided. */
import type { Kysely } from 'kysely';
import type { Position } from '../../domain/refund/next-step.js';
import { REFUSAL_CLASSES, type RefusalClass } from '../../domain/refusals.js';
import { settledAmountOf } from '../../domain/refund/settlement.js';
import { settlementFacts } from './amounts.js';
import { attemptsOf, type AttemptRow, type RefundRow } from './locks.js';
import type { Tables, Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';

/** Returns the snapshot of a refund. Ages in milliseconds, by the database's clock. */
export async function positionOf(
  db: Kysely<Tables>,
  refund: RefundRow,
  attempts: readonly AttemptRow[],
): Promise<Position> {
  const { now } = await db.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow();
  return positionAt(now, refund, attempts);
}

function positionAt(now: Date, refund: RefundRow, attempts: readonly AttemptRow[]): Position {
  // An older attempt that is open again (late evidence) has to be settled first; otherwise the newest attempt counts.
  const counted = attempts.filter(({ number }) => number > refund.attempts_before);
  const current =
    attempts.find((attempt) => ['submitting', 'unknown', 'pending'].includes(attempt.state)) ??
    counted.at(-1);
  const since = now.getTime() - refund.state_since.getTime();
  const age = now.getTime() - (current?.sent_at ?? refund.state_since).getTime();
  const lookedUp = current?.looked_up_at ?? null;
  const refusals: Partial<Record<RefusalClass, number>> = {};
  for (const attempt of counted) {
    const refusal = attempt.state === 'rejected' ? refusalOf(attempt) : null;
    if (refusal !== null) refusals[refusal] = (refusals[refusal] ?? 0) + 1;
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
            way: current.way,
            state: current.state,
            class: refusalOf(current),
            sends: current.sends - current.sends_before,
            lookUps: current.look_ups,
            ageMs: Math.max(0, age),
            lookedUpMs: lookedUp === null ? null : Math.max(0, now.getTime() - lookedUp.getTime()),
          },
    attempts: counted.length,
    refusals,
    why: refund.why,
    settled: settledAmountOf(settlementFacts({ refund, attempts }), refund.currency),
    ...unreadAt(now, refund),
  };
}

function unreadAt(now: Date, refund: RefundRow): Pick<Position, 'unread'> {
  const { unread_for, unread_since, unread_at, unread_times } = refund;
  if (unread_for === null || unread_since === null || unread_at === null) return {};
  const ageOf = (at: Date): number => Math.max(0, now.getTime() - at.getTime());
  return {
    unread: {
      for: unread_for,
      sinceMs: ageOf(unread_since),
      lastMs: ageOf(unread_at),
      times: unread_times,
    },
  };
}

/**
 * Returns the attempt's decline class, or null. A class that a newer version wrote is read as `unlisted`, which only an operator may
 * decide.
 */
export function refusalOf(attempt: AttemptRow): RefusalClass | null {
  if (attempt.refusal_class === null) return null;
  return REFUSAL_CLASSES.find((known) => known === attempt.refusal_class) ?? 'unlisted';
}

/** Returns the current snapshot. The transaction must hold the payment's lock. */
export async function currentPosition(tx: Tx, refundId: string): Promise<Position> {
  const refund = await tx
    .selectFrom('refunds')
    .selectAll()
    .select(NOW.as('now'))
    .where('id', '=', refundId)
    .executeTakeFirstOrThrow();
  return positionAt(refund.now, refund, await attemptsOf(tx, refundId));
}
