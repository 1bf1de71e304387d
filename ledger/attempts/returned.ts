/** A success that came back, and may be shown paid again: as often as the gateway says, each turn counted once. */
import { noteEvidence, step } from './attempt-ends.js';
import { openCase } from '../core/cases.js';
import { append, reservedFor } from '../core/events.js';
import type { AttemptRow, LockedAttempt } from '../core/locks.js';
import type { Tx } from '../db/database.js';
import type { Evidence } from '../ledger.js';
import { givenBy, remainingOf } from '../core/amounts.js';

/** How often each attempt of a refund has come back so far; absent: never. */
export async function turnsOf(tx: Tx, refundId: string): Promise<ReadonlyMap<string, number>> {
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

/** Of one attempt. Part of the natural key of what follows: the next turn is another fact. */
export async function turnOf(tx: Tx, attempt: Pick<AttemptRow, 'id' | 'refund_id'>): Promise<number> {
  return (await turnsOf(tx, attempt.refund_id)).get(attempt.id) ?? 0;
}

/** Records that the money came back. Only a query that began after the success was recorded may say so. */
export async function comeBack(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  gatewayId: string | undefined,
): Promise<void> {
  const { attempt, refund, payment } = locked;
  // A notification and an answer are no proof, and an older query says nothing of what came after it.
  if (evidence.source === 'notice' || isOlder(attempt, evidence)) return;
  if (evidence.source !== 'look_up' || gatewayId !== attempt.gateway_id)
    return openCase(tx, refund, 'answers_contradict', { code: evidence.code });
  // Owed again is only what no other attempt has paid meanwhile.
  const given = givenBy(attempt);
  const owed = remainingOf(locked) + given;
  const held = await reservedFor(tx, refund.id);
  const turn = await turnOf(tx, attempt);
  await append(tx, {
    key: turn === 0 ? `attempt:${attempt.id}:returned` : `attempt:${attempt.id}:returned:${turn}`,
    type: 'attempt.returned',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    returned: given,
    ...(attempt.way === 'reversal' ? { released: -given } : {}),
    reserved: owed > held ? owed - held : 0n,
    fromOutside: true,
    actor: evidence.source,
    data: { gatewayId, code: evidence.code },
  });
  await noteEvidence(tx, attempt, evidence, { state: 'returned' });
  if (owed > 0n) await step(tx, refund, 'come_back', evidence);
}

function isOlder({ answered_at }: AttemptRow, evidence: Evidence): boolean {
  return evidence.source === 'look_up' && answered_at !== null && evidence.asked.at < answered_at;
}
