/** Gateway ids of an attempt: the one of a certain outcome, and all others that the gateway ever showed. */
import { isGatewayId, isIdOfSomeForm, type GatewayId } from '../../domain/ids.js';
import type { Outcome } from '../../domain/refund/outcome.js';

import { append } from '../core/events.js';
import { lockAttempt, type AttemptRow, type LockedAttempt } from '../core/locks.js';
import type { Tx } from '../db/database.js';
import type { Evidence } from '../ledger.js';

type Ids = Pick<AttemptRow, 'gateway_id' | 'seen_ids'>;

/** Returns all gateway ids of the attempt, the one of a certain outcome first. */
export const idsOf = ({ gateway_id, seen_ids }: Ids): readonly string[] => [
  ...(gateway_id === null ? [] : [gateway_id]),
  ...(seen_ids ?? []),
];

/** Returns the ids by which the gateway can be queried. */
export const gatewayIdsOf = (attempt: Ids): readonly GatewayId[] => idsOf(attempt).filter(isGatewayId);

/** True if the gateway ever gave the attempt an id. Such an attempt did arrive: it is never marked absent or submitted again. */
export const hasId = (attempt: Ids): boolean => idsOf(attempt).length > 0;

/** Returns the columns after `id` became the id of a certain outcome. The id that was certain before is stored among the others. */
export function withCertainId(attempt: Ids, id: string): { gateway_id: string; seen_ids: string[] | null } {
  const others = idsOf(attempt).filter((other) => other !== id);
  return { gateway_id: id, seen_ids: others.length > 0 ? others : null };
}

/**
 * Stores every id that came with `evidence` and is not stored with its outcome. Ids of the original and of the payment are not the
 * attempt's: an answer that shows one of them describes the debit.
 */
export async function storeIds(
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
      type: 'attempt.id_received',
      paymentId: attempt.payment_id,
      refundId: attempt.refund_id,
      attemptId: attempt.id,
      actor: evidence.source === 'operator' ? evidence.by : evidence.source,
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
