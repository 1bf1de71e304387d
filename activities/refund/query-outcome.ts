/** Queries the gateway for the outcome of an open attempt. Reads only, never submits. */
import type { CaseReason } from '../../domain/refund/reasons.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import type { GatewayEvidence } from '../../domain/refund/correction.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { idsInFound, outcomeOfFound, type Outcome } from '../../domain/refund/outcome.js';
import type { Timings } from '../../domain/refund/config.js';
import { isFinal } from '../../domain/refund/states.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { answerOf, isLasting, type GatewayTransaction, type QueryResult } from '../../domain/transaction.js';
import type { QueryTarget } from '../../ledger/ledger.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { queryLinkedToCapture, queryStoredPayment, queryTransaction } from './originals.js';
import { expectationOf, shownBy } from './submit.js';

/** The gateway's answer about an open attempt. */
export type AttemptReading =
  | {
      readonly kind: 'found';
      readonly outcome: Outcome;
      readonly entry: GatewayTransaction | undefined;
      /** The authorization with its captures, for a reversal of it that was executed. */
      readonly original?: OriginalFacts;
      /** Ids of all transactions that were found under our reference. */
      readonly ids: readonly string[];
    }
  | {
      readonly kind: 'inconclusive';
      readonly answer: string;
      /** True if the original is there and nothing of the attempt is: late enough, this counts towards absence. */
      readonly countsTowardsAbsence: boolean;
      readonly gateway: GatewayEvidence;
    };

const inconclusive = (
  answer: string,
  gateway: GatewayEvidence,
  countsTowardsAbsence = false,
): AttemptReading => ({
  kind: 'inconclusive',
  answer,
  countsTowardsAbsence,
  gateway,
});

const unavailable = (answer: Extract<QueryResult<never>, { kind: 'unavailable' }>): AttemptReading =>
  inconclusive(answerOf(answer), isLasting(answer.why) ? 'unreadable' : 'unavailable');

const LINKS_NOT_SHOWN = 'links not shown';

/** Queries the open attempt, records the answer, and returns the snapshot after that. Without an open attempt nothing is queried. */
export async function queryOutcome(
  deps: Dependencies,
  refundId: string,
  timings: Timings,
  isForOperator = false,
): Promise<RefundSnapshot> {
  const attempt = await deps.ledger.queryTarget(refundId);
  if (attempt === null) return deps.ledger.snapshot(refundId);
  const need = isForOperator ? 'operator' : attempt.state === 'pending' ? 'pending' : 'doubt';
  const reading = await queryOpenAttempt(queryingFor(need, deps), attempt);
  const snapshot = await recordReading(deps, attempt, reading, timings);
  // At this age, linked transactions would have shown whether the attempt exists. Without v3 reporting, waiting longer proves nothing.
  const isProvable = (snapshot.attempt?.ageMs ?? 0) > provenAbsentAfter(timings);
  if (
    reading.kind === 'inconclusive' &&
    reading.answer === LINKS_NOT_SHOWN &&
    isProvable &&
    isUndecided(snapshot)
  )
    return deps.ledger.openCase(refundId, 'links_not_shown');
  const overdue = overdueAfterEnd(snapshot, timings);
  return overdue === undefined ? snapshot : deps.ledger.openCase(refundId, overdue);
}

/** Returns the case for an attempt that is open for too long under an ended refund: no run waits for it, so its time is checked here. */
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

/** Queries an open attempt. An executed reversal counts only together with the captures, which tell how much it returned. */
export async function queryOpenAttempt(deps: Dependencies, attempt: QueryTarget): Promise<AttemptReading> {
  const reading = await find(deps, attempt);
  const { operation, entityId, paymentId, currency } = attempt;
  if (reading.kind !== 'found' || reading.outcome.kind !== 'succeeded') return reading;
  if (operation !== 'reversal' || paymentId === null) return reading;
  const { at } = await deps.ledger.paymentBeforeQuery(paymentId);
  const original = await queryStoredPayment(deps, {
    ...{ entityId, paymentId, currency, observedAt: at },
    eachCapture: false,
  });
  if (original.kind === 'read') return { ...reading, original: original.facts };
  return inconclusive('the captures of the authorization cannot be read', 'unexplained');
}

/**
 * Queries by our reference first, then by each known gateway id, then among the transactions linked to the original. Absence counts only if
 * the original itself is found (a wrong entity answers "not found" as well) and no linked transaction is unexplained.
 */
async function find(deps: Dependencies, attempt: QueryTarget): Promise<AttemptReading> {
  const { gateway } = deps;
  const { entityId, paymentId, reference } = attempt;
  const byReference = await gateway.findByReference(entityId, reference);
  if (byReference.kind === 'unavailable') return unavailable(byReference);
  if (byReference.kind === 'found') {
    const own = ownAmong(attempt, byReference.value);
    if (own !== undefined) return own;
  }
  let isOther = false;
  for (const gatewayId of attempt.gatewayIds) {
    const byId = await queryTransaction(deps, entityId, gatewayId);
    if (byId.kind === 'unavailable') return unavailable(byId);
    if (byId.kind === 'not_found') continue;
    // The gateway gave this id to our request; under it the transaction need not show our reference.
    const own = ownAmong(attempt, [{ reference, ...byId.value }]);
    if (own !== undefined) return own;
    isOther = true;
  }
  if (isOther) return inconclusive('another transaction under an id of the attempt', 'unexplained');
  if (byReference.kind === 'found')
    return inconclusive('other transactions under this reference', 'unexplained');

  // An unlinked credit can be found nowhere else. For a credit, enough of these answers only open a case.
  if (paymentId === null) return inconclusive('not found', 'silent', true);
  const tree = await gateway.findWithLinked(entityId, paymentId);
  if (tree.kind === 'not_found')
    return inconclusive('the original is not found under this entity', 'unavailable');
  if (tree.kind === 'unavailable')
    return tree.why === 'not_offered' ? inconclusive(LINKS_NOT_SHOWN, 'unavailable') : unavailable(tree);
  const onCapture = await linkedToCapture(deps, attempt);
  if (onCapture.kind !== 'found') return unavailable(onCapture);
  const linked = [...tree.value.linked, ...onCapture.value];
  const own = ownAmong(attempt, linked);
  if (own !== undefined) return own;
  return linked.some((entry) => mightBeOurs(entry, attempt))
    ? inconclusive('an unexplained transaction on the original', 'unexplained')
    : inconclusive('not found', 'silent', true);
}

/** The gateway may list a refund of a capture under that capture only. */
async function linkedToCapture(
  deps: Dependencies,
  { entityId, paymentId, originalId }: QueryTarget,
): ReturnType<typeof queryLinkedToCapture> {
  return originalId === null || originalId === paymentId
    ? { kind: 'found', value: [] }
    : queryLinkedToCapture(deps, entityId, originalId);
}

/** Records the answer of a query and returns the snapshot after that. */
export function recordReading(
  deps: Dependencies,
  attempt: QueryTarget,
  reading: AttemptReading,
  timings: Timings,
): Promise<RefundSnapshot> {
  const { attemptId, asked } = attempt;
  if (reading.kind === 'inconclusive')
    return deps.ledger.recordInconclusive(
      attemptId,
      { answer: reading.answer, countsTowardsAbsence: reading.countsTowardsAbsence, asked },
      timings,
    );
  const { outcome, entry, original, ids } = reading;
  // Still pending: only the query is counted, because the waits between queries grow with their number.
  if (outcome.kind === 'pending' && attempt.state === 'pending')
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
    ...(entry === undefined ? {} : { code: entry.result.code, ...shownBy(entry) }),
  });
}

/** Returns the attempt's own transaction among `found`; undefined if there is none. */
function ownAmong(
  attempt: QueryTarget,
  found: readonly GatewayTransaction[],
): Extract<AttemptReading, { kind: 'found' }> | undefined {
  const expected = expectationOf(attempt);
  const outcome = outcomeOfFound(found, expected);
  if (outcome.kind === 'no_match') return undefined;
  const gatewayId = 'gatewayId' in outcome ? outcome.gatewayId : undefined;
  const entry = found.find((candidate) => candidate.id === gatewayId) ?? found[0];
  return { kind: 'found', outcome, entry, ids: idsInFound(found, expected) };
}

/** True if the transaction may be the attempt. The gateway may show a refund without its reference: while one is unexplained, absence is not proven. */
function mightBeOurs(entry: GatewayTransaction, attempt: QueryTarget): boolean {
  if (entry.type !== attempt.operation) return false;
  const isExplained =
    (entry.reference !== undefined && attempt.explained.has(entry.reference)) ||
    (entry.id !== undefined && attempt.explained.has(entry.id));
  return !isExplained;
}
