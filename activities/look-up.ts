/** Finding out what became of an attempt whose outcome is open. Reads the gateway, never sends. */
import type { Position } from '../domain/next-step.js';
import { outcomeOfFound } from '../domain/outcome.js';
import type { Timings } from '../domain/plan.js';
import type { GatewayTransaction } from '../domain/transaction.js';
import { PAYMENT_TYPES } from '../domain/way.js';
import type { Inquiry } from '../ledger/ledger.js';
import type { Dependencies } from './dependencies.js';
import { expectationOf } from './send.js';

/**
 * Asks by our reference first, then among what is linked to the original. Absence counts only where the original itself is
 * found (a wrong entity answers "not found" as well) and nothing unexplained hangs on it.
 */
export async function lookUp(deps: Dependencies, refundId: string, timings: Timings): Promise<Position> {
  const inquiry = await deps.ledger.inquiry(refundId);
  if (inquiry === null) return deps.ledger.position(refundId);
  const miss = (answer: string, countsIfLate = false) =>
    deps.ledger.recordMiss(inquiry.attemptId, { answer, countsIfLate }, timings);

  const byReference = await deps.gateway.findByReference(inquiry.entityId, inquiry.reference);
  if (byReference.kind === 'unavailable') return miss(byReference.code ?? byReference.why);
  if (byReference.kind === 'found') {
    const known = await recordFound(deps, inquiry, byReference.value, miss);
    return known ?? miss('other transactions under this reference');
  }

  const tree = await deps.gateway.findWithLinked(inquiry.entityId, inquiry.paymentId);
  if (tree.kind === 'not_found') return miss('the original is not found under this entity');
  if (tree.kind === 'unavailable') return miss(tree.code ?? tree.why);
  const known = await recordFound(deps, inquiry, tree.value.linked, miss);
  if (known !== undefined) return known;
  const unexplained = tree.value.linked.some((entry) => mightBeOurs(entry, inquiry));
  return unexplained ? miss('an unexplained transaction on the original') : miss('not found', true);
}

async function recordFound(
  deps: Dependencies,
  inquiry: Inquiry,
  found: readonly GatewayTransaction[],
  stillPending: (answer: string) => Promise<Position>,
): Promise<Position | undefined> {
  const outcome = outcomeOfFound(found, expectationOf(deps, inquiry));
  if (outcome.kind === 'no_match') return undefined;
  const gatewayId = 'gatewayId' in outcome ? outcome.gatewayId : undefined;
  const entry = found.find((candidate) => candidate.id === gatewayId) ?? found[0];
  // Nothing new, but a look-up made: the waits between them grow with their number.
  if (outcome.kind === 'pending' && inquiry.state === 'pending')
    return stillPending(entry?.result.code ?? 'pending');
  return deps.ledger.record({
    attemptId: inquiry.attemptId,
    send: null,
    source: 'look_up',
    outcome,
    ...(entry === undefined ? {} : { code: entry.result.code, description: entry.result.description }),
  });
}

/** A refund may be shown without its own reference: as long as one is unexplained, ours is not proven absent. */
function mightBeOurs(entry: GatewayTransaction, inquiry: Inquiry): boolean {
  if (entry.paymentType !== PAYMENT_TYPES[inquiry.way]) return false;
  const isExplained =
    (entry.merchantTransactionId !== undefined && inquiry.explained.has(entry.merchantTransactionId)) ||
    (entry.id !== undefined && inquiry.explained.has(entry.id));
  return !isExplained;
}
