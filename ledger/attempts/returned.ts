/** Records attempts that succeeded and were returned. An attempt may be returned and paid again several times; each time counts once. */
import { storeEvidence, step } from './attempt-changes.js';
import { openCase } from '../core/cases.js';
import { append, reservedFor } from '../core/events.js';
import type { AttemptRow, LockedAttempt } from '../core/locks.js';
import type { Tx } from '../db/database.js';
import type { Evidence } from '../ledger.js';
import { paidBackBy, remainingOf } from '../core/balances.js';

/** Returns how often each attempt of a refund was returned; attempts that never were are absent. */
export async function returnCounts(tx: Tx, refundId: string): Promise<ReadonlyMap<string, number>> {
  const returns = await tx
    .selectFrom('events')
    .select('attempt_id')
    .where('refund_id', '=', refundId)
    .where('type', '=', 'attempt.returned')
    .execute();
  const turns = new Map<string, number>();
  for (const { attempt_id } of returns)
    if (attempt_id !== null) turns.set(attempt_id, (turns.get(attempt_id) ?? 0) + 1);
  return turns;
}

/**
 * Returns how often an attempt was returned. The number is part of the natural keys of later events, so the next return is another fact.
 */
export async function returnCountOf(tx: Tx, attempt: Pick<AttemptRow, 'id' | 'refund_id'>): Promise<number> {
  return (await returnCounts(tx, attempt.refund_id)).get(attempt.id) ?? 0;
}

/** Records that an attempt was returned. Only a query that began after the success was recorded proves it. */
export async function recordReturn(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  gatewayId: string | undefined,
): Promise<void> {
  const { attempt, refund, payment } = locked;
  // A notification is no proof, and an older query says nothing about what came later.
  if (evidence.source === 'notification' || isOlder(attempt, evidence)) return;
  if (evidence.source !== 'query' || gatewayId !== attempt.gateway_id)
    return openCase(tx, refund, 'answers_contradict', { code: evidence.code });
  // Only what no other attempt has paid in the meantime is owed again.
  const given = paidBackBy(attempt);
  const owed = remainingOf(locked) + given;
  const held = await reservedFor(tx, refund.id);
  const turn = await returnCountOf(tx, attempt);
  await append(tx, {
    key: turn === 0 ? `attempt:${attempt.id}:returned` : `attempt:${attempt.id}:returned:${turn}`,
    type: 'attempt.returned',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    returned: given,
    ...(attempt.operation === 'reversal' ? { released: -given } : {}),
    reserved: owed > held ? owed - held : 0n,
    fromOutside: true,
    actor: evidence.source,
    data: { gatewayId, code: evidence.code },
  });
  await storeEvidence(tx, attempt, evidence, { state: 'returned' });
  if (owed > 0n) await step(tx, refund, 'answer_returned', evidence);
}

function isOlder({ answered_at }: AttemptRow, evidence: Evidence): boolean {
  return evidence.source === 'query' && answered_at !== null && evidence.asked.at < answered_at;
}
