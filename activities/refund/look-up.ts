/** Finding out what became of an attempt whose outcome is open. Reads the gateway, never sends. */
import type { GatewayWord } from '../../domain/refund/correction.js';
import type { CaseReason } from '../../domain/payment/finding.js';
import type { Position } from '../../domain/refund/next-step.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import { idsInFound, outcomeOfFound, type Outcome } from '../../domain/refund/outcome.js';
import type { Timings } from '../../domain/refund/plan.js';
import { isFinal, isOpenAttempt } from '../../domain/refund/states.js';
import { answerOf, isLasting, type GatewayTransaction, type LookUp } from '../../domain/transaction.js';
import { PAYMENT_TYPES } from '../../domain/refund/way.js';
import type { Inquiry } from '../../ledger/ledger.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { linkedTo, lookUpAlone, lookUpKnown } from './originals.js';
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
      readonly kind: 'miss';
      readonly answer: string;
      /** True where nothing of it is there though the original is: late enough, that counts towards absence. */
      readonly countsIfLate: boolean;
      readonly word: GatewayWord;
    };

const miss = (answer: string, word: GatewayWord, countsIfLate = false): Seen => ({
  kind: 'miss',
  answer,
  countsIfLate,
  word,
});

const unavailable = (answer: Extract<LookUp<never>, { kind: 'unavailable' }>): Seen =>
  miss(answerOf(answer), isLasting(answer.why) ? 'unreadable' : 'unavailable');

const LINKS_NOT_SHOWN = 'links not shown';

/** Looks, and records what was seen. Answers where the refund stands afterwards. */
export async function lookUp(
  deps: Dependencies,
  refundId: string,
  timings: Timings,
  isOrdered = false,
): Promise<Position> {
  const inquiry = await deps.ledger.inquiry(refundId);
  if (inquiry === null) return deps.ledger.position(refundId);
  const need = isOrdered ? 'operator' : inquiry.state === 'pending' ? 'pending' : 'doubt';
  const seen = await examine(queryingFor(need, deps), inquiry);
  const position = await recordSeen(deps, inquiry, seen, timings);
  // By now links would have proven the absence. Waiting longer proves nothing.
  const isProvable = (position.attempt?.ageMs ?? 0) > provenAbsentAfter(timings);
  if (seen.kind === 'miss' && seen.answer === LINKS_NOT_SHOWN && isProvable && isUndecided(position))
    return deps.ledger.ask(refundId, 'links_not_shown');
  const overdue = overdueAfterEnd(position, timings);
  return overdue === undefined ? position : deps.ledger.ask(refundId, overdue);
}

/** An attempt that is open under a refund which has ended: no run waits for it, so its budget is watched here. */
function overdueAfterEnd(
  { state, attempt }: Position,
  { caseAfterPending, caseAfterUnknown }: Timings,
): CaseReason | undefined {
  if (!isFinal(state) || attempt === null || !isOpenAttempt(attempt.state)) return undefined;
  if (attempt.state === 'pending') return attempt.ageMs > caseAfterPending ? 'pending_too_long' : undefined;
  return attempt.ageMs > caseAfterUnknown ? 'outcome_unknown' : undefined;
}

const provenAbsentAfter = ({ sendWindow, visibilityLag, missesNeeded, missSpacing }: Timings): number =>
  sendWindow + visibilityLag + missesNeeded * missSpacing;

const isUndecided = ({ state }: Position): boolean => state === 'submitting' || state === 'unknown';

/** A reversal is executed only together with what was captured: without that nobody knows how much it gave back. */
export async function examine(deps: Dependencies, inquiry: Inquiry): Promise<Seen> {
  const seen = await find(deps, inquiry);
  const { way, entityId, paymentId, currency } = inquiry;
  if (seen.kind !== 'found' || seen.outcome.kind !== 'succeeded' || way !== 'reversal' || paymentId === null)
    return seen;
  const { at } = await deps.ledger.beforeQuery(paymentId);
  const original = await lookUpKnown(deps, {
    ...{ entityId, paymentId, currency, observedAt: at },
    eachCapture: false,
  });
  if (original.kind === 'read') return { ...seen, original: original.facts };
  return miss('what was captured of the authorization cannot be read', 'unexplained');
}

/**
 * Asks by our reference first, then by each id that is known of it, then among what is linked to the original. Absence counts only where
 * the original itself is found (a wrong entity answers "not found" as well) and nothing unexplained hangs on it.
 */
async function find(deps: Dependencies, inquiry: Inquiry): Promise<Seen> {
  const byReference = await deps.gateway.findByReference(inquiry.entityId, inquiry.reference);
  if (byReference.kind === 'unavailable') return unavailable(byReference);
  if (byReference.kind === 'found') {
    const known = judge(deps, inquiry, byReference.value);
    if (known !== undefined) return known;
  }
  let isOther = false;
  for (const gatewayId of inquiry.gatewayIds) {
    const byId = await lookUpAlone(deps, inquiry.entityId, gatewayId);
    if (byId.kind === 'unavailable') return unavailable(byId);
    if (byId.kind === 'not_found') continue;
    // The gateway gave this id to our request; under it the transaction need not show our reference.
    const known = judge(deps, inquiry, [{ merchantTransactionId: inquiry.reference, ...byId.value }]);
    if (known !== undefined) return known;
    isOther = true;
  }
  if (isOther) return miss('another transaction under an id of the attempt', 'unexplained');
  if (byReference.kind === 'found') return miss('other transactions under this reference', 'unexplained');

  // Linked to nothing, so there is nowhere else to look. Of a credit enough misses only mean that a person is asked.
  if (inquiry.paymentId === null) return miss('not found', 'silent', true);
  const tree = await deps.gateway.findWithLinked(inquiry.entityId, inquiry.paymentId);
  if (tree.kind === 'not_found') return miss('the original is not found under this entity', 'unavailable');
  if (tree.kind === 'unavailable')
    return tree.why === 'not_offered' ? miss(LINKS_NOT_SHOWN, 'unavailable') : unavailable(tree);
  const onCapture = await hangsOnCapture(deps, inquiry);
  if (onCapture.kind !== 'found') return unavailable(onCapture);
  const linked = [...tree.value.linked, ...onCapture.value];
  const known = judge(deps, inquiry, linked);
  if (known !== undefined) return known;
  const unexplained = linked.some((entry) => mightBeOurs(entry, inquiry));
  return unexplained
    ? miss('an unexplained transaction on the original', 'unexplained')
    : miss('not found', 'silent', true);
}

/** A refund of a capture may be listed under that alone. */
async function hangsOnCapture(
  deps: Dependencies,
  { entityId, paymentId, originalId }: Inquiry,
): ReturnType<typeof linkedTo> {
  return originalId === null || originalId === paymentId
    ? { kind: 'found', value: [] }
    : linkedTo(deps, entityId, originalId);
}

export function recordSeen(
  deps: Dependencies,
  inquiry: Inquiry,
  seen: Seen,
  timings: Timings,
): Promise<Position> {
  const { attemptId, asked } = inquiry;
  if (seen.kind === 'miss')
    return deps.ledger.recordMiss(
      attemptId,
      { answer: seen.answer, countsIfLate: seen.countsIfLate, asked },
      timings,
    );
  const { outcome, entry, original, ids } = seen;
  // Nothing new, but a look-up made: the waits between them grow with their number.
  if (outcome.kind === 'pending' && inquiry.state === 'pending')
    return deps.ledger.recordMiss(
      attemptId,
      { answer: entry?.result.code ?? 'pending', countsIfLate: false, asked },
      timings,
    );
  return deps.ledger.record({
    attemptId,
    source: 'look_up',
    asked,
    outcome,
    ...(original === undefined ? {} : { original }),
    ids,
    ...(entry === undefined ? {} : { code: entry.result.code, description: entry.result.description }),
  });
}

function judge(
  deps: Dependencies,
  inquiry: Inquiry,
  found: readonly GatewayTransaction[],
): Extract<Seen, { kind: 'found' }> | undefined {
  const expected = expectationOf(deps, inquiry);
  const outcome = outcomeOfFound(found, expected);
  if (outcome.kind === 'no_match') return undefined;
  const gatewayId = 'gatewayId' in outcome ? outcome.gatewayId : undefined;
  const entry = found.find((candidate) => candidate.id === gatewayId) ?? found[0];
  return { kind: 'found', outcome, entry, ids: idsInFound(found, expected) };
}

/** A refund may be shown without its own reference: as long as one is unexplained, ours is not proven absent. */
function mightBeOurs(entry: GatewayTransaction, inquiry: Inquiry): boolean {
  if (entry.paymentType !== PAYMENT_TYPES[inquiry.way]) return false;
  const isExplained =
    (entry.merchantTransactionId !== undefined && inquiry.explained.has(entry.merchantTransactionId)) ||
    (entry.id !== undefined && inquiry.explained.has(entry.id));
  return !isExplained;
}
