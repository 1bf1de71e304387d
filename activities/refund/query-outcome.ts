/** Finding out what became of an attempt whose outcome is open. Reads the gateway, never sends. */
import type { GatewayEvidence } from '../../domain/refund/correction.js';
import type { CaseReason } from '../../domain/payment/reconciliation.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import { idsInFound, outcomeOfFound, type Outcome } from '../../domain/refund/outcome.js';
import type { Timings } from '../../domain/refund/config.js';
import { isFinal, isOpenAttempt } from '../../domain/refund/states.js';
import { answerOf, isLasting, type GatewayTransaction, type QueryResult } from '../../domain/transaction.js';
import { PAYMENT_TYPES } from '../../domain/refund/operation.js';
import type { QueryTarget } from '../../ledger/ledger.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { linkedTo, queryAlone, queryKnown } from './originals.js';
import { expectationOf } from './send.js';

/** What the gateway shows of an open attempt now. */
export type Seen =
  | {
      readonly kind: 'found';
      readonly outcome: Outcome;
      readonly entry: GatewayTransaction | undefined;
      /** The authorization with its captures, where a reversal of it was executed. */
      readonly original?: OriginalFacts;
      /** Of everything that was found under our reference. */
      readonly ids: readonly string[];
    }
  | {
      readonly kind: 'notFound';
      readonly answer: string;
      /** True where nothing of it is there though the original is: late enough, that counts towards absence. */
      readonly countsTowardsAbsence: boolean;
      readonly note: GatewayEvidence;
    };

const notFound = (answer: string, note: GatewayEvidence, countsTowardsAbsence = false): Seen => ({
  kind: 'notFound',
  answer,
  countsTowardsAbsence,
  note,
});

const unavailable = (answer: Extract<QueryResult<never>, { kind: 'unavailable' }>): Seen =>
  notFound(answerOf(answer), isLasting(answer.why) ? 'unreadable' : 'unavailable');

const LINKS_NOT_SHOWN = 'links not shown';

/** Looks, and records what was seen. Answers where the refund stands afterwards. */
export async function query(
  deps: Dependencies,
  refundId: string,
  timings: Timings,
  isOrdered = false,
): Promise<RefundSnapshot> {
  const queryTarget = await deps.ledger.queryTarget(refundId);
  if (queryTarget === null) return deps.ledger.snapshot(refundId);
  const need = isOrdered ? 'operator' : queryTarget.state === 'pending' ? 'pending' : 'doubt';
  const seen = await examine(queryingFor(need, deps), queryTarget);
  const snapshot = await recordSeen(deps, queryTarget, seen, timings);
  // By now links would have proven the absence. Waiting longer proves nothing.
  const isProvable = (snapshot.attempt?.ageMs ?? 0) > provenAbsentAfter(timings);
  if (seen.kind === 'notFound' && seen.answer === LINKS_NOT_SHOWN && isProvable && isUndecided(snapshot))
    return deps.ledger.ask(refundId, 'links_not_shown');
  const overdue = overdueAfterEnd(snapshot, timings);
  return overdue === undefined ? snapshot : deps.ledger.ask(refundId, overdue);
}

/** An attempt that is open under a refund which has ended: no run waits for it, so its budget is watched here. */
function overdueAfterEnd(
  { state, attempt }: RefundSnapshot,
  { caseAfterPending, caseAfterUnknown }: Timings,
): CaseReason | undefined {
  if (!isFinal(state) || attempt === null || !isOpenAttempt(attempt.state)) return undefined;
  if (attempt.state === 'pending') return attempt.ageMs > caseAfterPending ? 'pending_too_long' : undefined;
  return attempt.ageMs > caseAfterUnknown ? 'outcome_unknown' : undefined;
}

const provenAbsentAfter = ({ sendWindow, visibilityLag, notFoundNeeded, notFoundSpacing }: Timings): number =>
  sendWindow + visibilityLag + notFoundNeeded * notFoundSpacing;

const isUndecided = ({ state }: RefundSnapshot): boolean => state === 'submitting' || state === 'unknown';

/** A reversal is executed only together with what was captured: without that nobody knows how much it gave back. */
export async function examine(deps: Dependencies, queryTarget: QueryTarget): Promise<Seen> {
  const seen = await find(deps, queryTarget);
  const { operation, entityId, paymentId, currency } = queryTarget;
  if (
    seen.kind !== 'found' ||
    seen.outcome.kind !== 'succeeded' ||
    operation !== 'reversal' ||
    paymentId === null
  )
    return seen;
  const { at } = await deps.ledger.paymentBeforeQuery(paymentId);
  const original = await queryKnown(deps, {
    ...{ entityId, paymentId, currency, observedAt: at },
    eachCapture: false,
  });
  if (original.kind === 'read') return { ...seen, original: original.facts };
  return notFound('what was captured of the authorization cannot be read', 'unexplained');
}

/**
 * Asks by our reference first, then by each id that is known of it, then among what is linked to the original. Absence counts only where
 * the original itself is found (a wrong entity answers "not found" as well) and nothing unexplained hangs on it.
 */
async function find(deps: Dependencies, queryTarget: QueryTarget): Promise<Seen> {
  const byReference = await deps.gateway.findByReference(queryTarget.entityId, queryTarget.reference);
  if (byReference.kind === 'unavailable') return unavailable(byReference);
  if (byReference.kind === 'found') {
    const known = judge(deps, queryTarget, byReference.value);
    if (known !== undefined) return known;
  }
  let isOther = false;
  for (const gatewayId of queryTarget.gatewayIds) {
    const byId = await queryAlone(deps, queryTarget.entityId, gatewayId);
    if (byId.kind === 'unavailable') return unavailable(byId);
    if (byId.kind === 'not_found') continue;
    // The gateway gave this id to our request; under it the transaction need not show our reference.
    const known = judge(deps, queryTarget, [{ merchantTransactionId: queryTarget.reference, ...byId.value }]);
    if (known !== undefined) return known;
    isOther = true;
  }
  if (isOther) return notFound('another transaction under an id of the attempt', 'unexplained');
  if (byReference.kind === 'found') return notFound('other transactions under this reference', 'unexplained');

  // Linked to nothing, so there is nowhere else to look. Of a credit enough misses only mean that a person is asked.
  if (queryTarget.paymentId === null) return notFound('not found', 'silent', true);
  const tree = await deps.gateway.findWithLinked(queryTarget.entityId, queryTarget.paymentId);
  if (tree.kind === 'not_found')
    return notFound('the original is not found under this entity', 'unavailable');
  if (tree.kind === 'unavailable')
    return tree.why === 'not_offered' ? notFound(LINKS_NOT_SHOWN, 'unavailable') : unavailable(tree);
  const onCapture = await hangsOnCapture(deps, queryTarget);
  if (onCapture.kind !== 'found') return unavailable(onCapture);
  const linked = [...tree.value.linked, ...onCapture.value];
  const known = judge(deps, queryTarget, linked);
  if (known !== undefined) return known;
  const unexplained = linked.some((entry) => mightBeOurs(entry, queryTarget));
  return unexplained
    ? notFound('an unexplained transaction on the original', 'unexplained')
    : notFound('not found', 'silent', true);
}

/** A refund of a capture may be listed under that alone. */
async function hangsOnCapture(
  deps: Dependencies,
  { entityId, paymentId, originalId }: QueryTarget,
): ReturnType<typeof linkedTo> {
  return originalId === null || originalId === paymentId
    ? { kind: 'found', value: [] }
    : linkedTo(deps, entityId, originalId);
}

export function recordSeen(
  deps: Dependencies,
  queryTarget: QueryTarget,
  seen: Seen,
  timings: Timings,
): Promise<RefundSnapshot> {
  const { attemptId, asked } = queryTarget;
  if (seen.kind === 'notFound')
    return deps.ledger.recordInconclusive(
      attemptId,
      { answer: seen.answer, countsTowardsAbsence: seen.countsTowardsAbsence, asked },
      timings,
    );
  const { outcome, entry, original, ids } = seen;
  // Nothing new, but a look-up made: the waits between them grow with their number.
  if (outcome.kind === 'pending' && queryTarget.state === 'pending')
    return deps.ledger.recordInconclusive(
      attemptId,
      { answer: entry?.result.code ?? 'pending', countsTowardsAbsence: false, asked },
      timings,
    );
  return deps.ledger.record({
    attemptId,
    source: 'query',
    asked,
    outcome,
    ...(original === undefined ? {} : { original }),
    ids,
    ...(entry === undefined ? {} : { code: entry.result.code, description: entry.result.description }),
  });
}

function judge(
  deps: Dependencies,
  queryTarget: QueryTarget,
  found: readonly GatewayTransaction[],
): Extract<Seen, { kind: 'found' }> | undefined {
  const expected = expectationOf(deps, queryTarget);
  const outcome = outcomeOfFound(found, expected);
  if (outcome.kind === 'no_match') return undefined;
  const gatewayId = 'gatewayId' in outcome ? outcome.gatewayId : undefined;
  const entry = found.find((candidate) => candidate.id === gatewayId) ?? found[0];
  return { kind: 'found', outcome, entry, ids: idsInFound(found, expected) };
}

/** A refund may be shown without its own reference: as long as one is unexplained, ours is not proven absent. */
function mightBeOurs(entry: GatewayTransaction, queryTarget: QueryTarget): boolean {
  if (entry.paymentType !== PAYMENT_TYPES[queryTarget.operation]) return false;
  const isExplained =
    (entry.merchantTransactionId !== undefined && queryTarget.explained.has(entry.merchantTransactionId)) ||
    (entry.id !== undefined && queryTarget.explained.has(entry.id));
  return !isExplained;
}
