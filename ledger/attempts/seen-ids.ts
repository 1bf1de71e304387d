/** The ids that the gateway gave an attempt: one with which it told a certain outcome, and every other one that it ever showed. */
import { isGatewayId, isIdOfSomeForm, type GatewayId } from '../../domain/ids.js';
import type { Outcome } from '../../domain/refund/outcome.js';

import { append } from '../core/events.js';
import { lockAttempt, type AttemptRow, type LockedAttempt } from '../core/locks.js';
import type { Tx } from '../db/database.js';
import type { Evidence } from '../ledger.js';

type Ids = Pick<AttemptRow, 'gateway_id' | 'seen_ids'>;

/** All of them, the certain one first. */
export const idsOf = ({ gateway_id, seen_ids }: Ids): readonly string[] => [
  ...(gateway_id === null ? [] : [gateway_id]),
  ...(seen_ids ?? []),
];

/** Those that the gateway can be asked for. */
export const gatewayIdsOf = (attempt: Ids): readonly GatewayId[] => idsOf(attempt).filter(isGatewayId);

/** True if the gateway ever gave it an id: then it was there, and is never taken for absent or submitted again. */
export const hasId = (attempt: Ids): boolean => idsOf(attempt).length > 0;

/** `id` becomes the certain one. What was certain before is kept among the others. */
export function certainId(attempt: Ids, id: string): { gateway_id: string; seen_ids: string[] | null } {
  const others = idsOf(attempt).filter((other) => other !== id);
  return { gateway_id: id, seen_ids: others.length > 0 ? others : null };
}

/**
 * Keeps every id that came with `evidence` and that recording its outcome does not keep anyway. The original's own id and the payment's
 * are not the attempt's: an answer that shows one tells of the debit.
 */
export async function keepIds(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  recorded: GatewayId | undefined,
): Promise<LockedAttempt> {
  const { attempt } = locked;
  const known = new Set([...idsOf(attempt), attempt.original_id, attempt.payment_id, recorded]);
  const fresh = [...new Set(shownIn(evidence))].filter((id) => isIdOfSomeForm(id) && !known.has(id));
  if (fresh.length === 0) return locked;
  await tx
    .updateTable('attempts')
    .set({ seen_ids: [...(attempt.seen_ids ?? []), ...fresh] })
    .where('id', '=', attempt.id)
    .execute();
  for (const gatewayId of fresh)
    await append(tx, {
      key: `attempt:${attempt.id}:id_seen:${gatewayId}`,
      type: 'attempt.id_seen',
      paymentId: attempt.payment_id,
      refundId: attempt.refund_id,
      attemptId: attempt.id,
      actor: evidence.source,
      data: { gatewayId, ...(evidence.code === undefined ? {} : { code: evidence.code }) },
    });
  return lockAttempt(tx, attempt.id);
}

function shownIn({ ids = [], outcome }: Evidence): readonly string[] {
  return [...ids, ...gatewayIdIn(outcome), ...executedIn(outcome)];
}

const gatewayIdIn = (outcome: Outcome): readonly string[] =>
  'gatewayId' in outcome ? [outcome.gatewayId] : [];

const executedIn = (outcome: Outcome): readonly string[] =>
  'executed' in outcome ? (outcome.executed ?? []) : [];
