/** Decides the next step of a refund: two tables of declines, and one function that reads them. The workflow carries the step out. */
import type { CaseReason, GiveUpReason } from './reasons.js';
import type { RefundConfig } from './config.js';
import type { DeclineClass } from '../decline-class.js';
import type { SettledAmount } from './settlement.js';
import type { Operation } from './operation.js';
import { isFinal, type RefundState } from './states.js';
import { isOpenAttempt, type AttemptState } from './attempt-states.js';

/** The newest attempt of a refund, as the ledger holds it. Ages are measured by the database's clock alone. */
export interface AttemptSnapshot {
  readonly attemptId: string;
  readonly operation: Operation;
  readonly state: AttemptState;
  readonly class: DeclineClass | null;
  /** How often it was submitted since the last replay (more than once only under one reference, after proven absence). */
  readonly submissions: number;
  readonly queries: number;
  /** Milliseconds since it was last submitted. */
  readonly ageMs: number;
  /** Milliseconds since it was last queried; null where it never was. */
  readonly sinceQueryMs: number | null;
}

/** A refund as the ledger holds it. Every activity returns one, so a new run knows everything that the last one knew. */
export interface RefundSnapshot {
  readonly refundId: string;
  /** A standalone credit was requested: nothing is submitted on an original. */
  readonly askedFor?: 'credit';
  /** Grows with each change; of two snapshots the larger version is the later one. */
  readonly version: number;
  readonly state: RefundState;
  /** Milliseconds since the state was entered. */
  readonly sinceMs: number;
  readonly attempt: AttemptSnapshot | null;
  /** Attempts since the last replay. */
  readonly attempts: number;
  /** How many of them were declined with each class. */
  readonly declines: Readonly<Partial<Record<DeclineClass, number>>>;
  /** Why it ended or waits, for operators. */
  readonly why: string | null;
  /** Received by the customer so far. */
  readonly settled: SettledAmount;
  /** The payment could not be read when it was last needed; absent where it could. */
  readonly unread?: UnreadPayment;
}

/** A payment that the gateway does not show, or not in a form that can be read. Measured by the database's clock alone. */
export interface UnreadPayment {
  /**
   * Purpose of the query: to compare a declined refund with the payment, or to prove that a credit is allowed. `card`: the payment was
   * read, and the sealed card of the credit cannot be opened now. `registration`: it is not known whether the card is registered.
   */
  readonly for: 'compare' | 'credit' | 'card' | 'registration';
  /** Milliseconds since the first query that could not be read. */
  readonly sinceMs: number;
  /** Milliseconds since the last one. */
  readonly lastMs: number;
  readonly times: number;
}

/** The next step. `after`: milliseconds left of its wait by the ledger's ages, so a new run continues the wait of the last one. */
export type Step =
  /** Nothing is left to do. */
  | { readonly kind: 'finish' }
  /** Open or re-open an attempt on the original and send it, `after` ms from now. */
  | { readonly kind: 'submit'; readonly after: number }
  /** Prove that a credit is allowed and submit it, or record why not. */
  | { readonly kind: 'credit'; readonly after: number }
  /** The outcome is open: query it `after` ms from now, or when a notification arrives. */
  | { readonly kind: 'query_outcome'; readonly after: number }
  /** Compare with what the gateway has on the original, `after` ms from now. */
  | { readonly kind: 'reconcile'; readonly after: number }
  /** In review because the payment cannot be read: read it `after` ms from now. Where that works the refund leaves review by itself. */
  | { readonly kind: 'query_payment'; readonly after: number }
  /** Open a case. */
  | { readonly kind: 'open_case'; readonly why: CaseReason }
  /** End the refund as failed and release its reservation. */
  | { readonly kind: 'fail'; readonly why: GiveUpReason }
  /** Only an operator's command continues it. */
  | { readonly kind: 'wait_for_operator' };

type Then =
  | { readonly then: 'credit' | 'reconcile' }
  | { readonly then: 'open_case'; readonly why: CaseReason }
  | { readonly then: 'fail'; readonly why: GiveUpReason };

interface Rule {
  /** Send the same again first: how often, and how long to wait. */
  readonly retry?: 'soft' | 'issuer';
  readonly next: Then;
}

const openCase = (why: CaseReason): Rule => ({ next: { then: 'open_case', why } });
const giveUp = (why: GiveUpReason): Rule => ({ next: { then: 'fail', why } });
const reconcile: Rule = { next: { then: 'reconcile' } };

/** After a declined refund or reversal. `credit` only asks the guard; the guard decides. */
export const AFTER_DECLINE: Readonly<Record<DeclineClass, Rule>> = {
  not_linkable: { next: { then: 'credit' } },
  unknown_to_acquirer: { next: { then: 'credit' } },
  issuer_declined: { retry: 'issuer', next: { then: 'credit' } },
  not_settled_yet: { retry: 'soft', next: { then: 'credit' } },
  partial_not_supported: { next: { then: 'credit' } },
  refund_not_enabled: { next: { then: 'credit' } },
  wait: { retry: 'soft', next: { then: 'open_case', why: 'declined_too_often' } },
  ambiguous: reconcile,
  already_returned: reconcile,
  disputed: reconcile,
  not_captured: reconcile,
  reversal_too_late: reconcile,
  not_owed: reconcile,
  our_data_wrong: reconcile,
  repaid_by_bank: reconcile,
  configuration: openCase('configuration'),
  credit_not_enabled: openCase('other_operation'),
  card_unusable: openCase('card_unusable'),
  risk: openCase('risk'),
  other_operation: openCase('other_operation'),
  unlisted: openCase('unlisted_decline'),
};

/**
 * After a declined credit. A credit is never sent twice by the program, whatever the decline says. Only the customer's bank or card ends
 * the refund: what is about our set-up, passes, or is in doubt is a case, and the credit may be replayed once its cause is fixed.
 */
export const AFTER_CREDIT_DECLINE: Readonly<Record<DeclineClass, Rule>> = {
  issuer_declined: giveUp('credit_declined'),
  card_unusable: giveUp('credit_declined'),
  configuration: openCase('configuration'),
  our_data_wrong: openCase('configuration'),
  credit_not_enabled: openCase('credit_not_enabled'),
  refund_not_enabled: openCase('credit_not_enabled'),
  wait: openCase('declined_too_often'),
  risk: openCase('risk'),
  // Declines that do not fit a credit.
  not_linkable: openCase('other_operation'),
  unknown_to_acquirer: openCase('other_operation'),
  not_settled_yet: openCase('other_operation'),
  partial_not_supported: openCase('other_operation'),
  already_returned: openCase('other_operation'),
  disputed: openCase('other_operation'),
  repaid_by_bank: openCase('other_operation'),
  not_captured: openCase('other_operation'),
  not_owed: openCase('other_operation'),
  reversal_too_late: openCase('other_operation'),
  other_operation: openCase('other_operation'),
  ambiguous: openCase('unlisted_decline'),
  unlisted: openCase('unlisted_decline'),
};

/** The next step of a refund that stands at `snapshot`. Pure: equal input, equal answer. */
export function nextStep(snapshot: RefundSnapshot, config: RefundConfig): Step {
  const step = stepOf(snapshot, config);
  return step.kind === 'reconcile' || step.kind === 'credit'
    ? whileUnread(step, snapshot.unread, config.timings)
    : step;
}

/** Case of each purpose, once the budget of its queries is spent. */
const UNREAD_CASES: Readonly<Record<UnreadPayment['for'], CaseReason>> = {
  compare: 'original_unreadable',
  credit: 'original_unreadable',
  card: 'card_unreadable',
  registration: 'card_not_registered',
};

/** A step that needs the payment waits longer each time that it cannot be read; when the budget is spent a case is opened. */
function whileUnread(
  step: Extract<Step, { kind: 'reconcile' | 'credit' }>,
  unread: UnreadPayment | undefined,
  timings: RefundConfig['timings'],
): Step {
  if (unread === undefined) return step;
  return unread.sinceMs > timings.caseAfterUnknown
    ? { kind: 'open_case', why: UNREAD_CASES[unread.for] }
    : { ...step, after: Math.max(step.after, untilNextRead(unread, timings)) };
}

/** Returns the milliseconds left of the wait that began with the last query. */
function untilNextRead({ times, lastMs }: UnreadPayment, timings: RefundConfig['timings']): number {
  const wait = grown(timings.queryFirst, timings.queryGrowth, Math.max(times - 1, 0), timings.queryMax);
  return Math.max(wait - lastMs, 0);
}

function stepOf(snapshot: RefundSnapshot, config: RefundConfig): Step {
  const { state, attempt } = snapshot;
  if (isFinal(state)) return { kind: 'finish' };
  if (attempt !== null && isOpenAttempt(attempt.state)) return whileOpen(snapshot, attempt, config);
  switch (state) {
    case 'requested':
    case 'reserved':
      return whenReserved(snapshot, attempt, config);
    case 'rejected':
      return attempt === null
        ? { kind: 'open_case', why: 'answers_contradict' }
        : afterDecline(snapshot, attempt, config);
    case 'fallback_checking':
      // Without a reason the guard has not decided yet: the worker stopped before it could.
      if (snapshot.why === null) return { kind: 'credit', after: 0 };
      return snapshot.sinceMs > config.timings.caseAfterUnknown
        ? { kind: 'open_case', why: 'credit_blocked' }
        : { kind: 'credit', after: untilNextMark(snapshot.sinceMs, config.timings) };
    case 'returned':
      return { kind: 'open_case', why: 'returned' };
    case 'awaiting_approval':
      return { kind: 'wait_for_operator' };
    case 'manual_review':
      return snapshot.unread !== undefined && snapshot.why === 'original_unreadable'
        ? { kind: 'query_payment', after: untilNextRead(snapshot.unread, config.timings) }
        : { kind: 'wait_for_operator' };
    case 'submitting':
    case 'unknown':
    case 'pending':
      // An open state without an open attempt: the ledger is inconsistent.
      return { kind: 'open_case', why: 'answers_contradict' };
    case 'succeeded':
    case 'settled':
    case 'closed_by_dispute':
    case 'refunded_elsewhere':
    case 'failed':
    case 'canceled':
      return { kind: 'finish' };
    default:
      return state satisfies never;
  }
}

/** Step for an unknown or pending attempt: wait, then query. A long wait opens a case and decides nothing else. */
function whileOpen(snapshot: RefundSnapshot, attempt: AttemptSnapshot, { timings }: RefundConfig): Step {
  const budget = attempt.state === 'pending' ? timings.caseAfterPending : timings.caseAfterUnknown;
  if (snapshot.state !== 'manual_review' && attempt.ageMs > budget)
    return { kind: 'open_case', why: attempt.state === 'pending' ? 'pending_too_long' : 'outcome_unknown' };
  const wait = grown(timings.queryFirst, timings.queryGrowth, attempt.queries, timings.queryMax);
  // The first wait begins when the answer was lost or pending, which is when the refund entered its state.
  const waitedMs =
    attempt.sinceQueryMs ?? (snapshot.state === attempt.state ? snapshot.sinceMs : attempt.ageMs);
  return { kind: 'query_outcome', after: left(wait, waitedMs) };
}

function whenReserved(
  snapshot: RefundSnapshot,
  attempt: AttemptSnapshot | null,
  { timings, policy }: RefundConfig,
): Step {
  if (attempt === null || attempt.state !== 'absent')
    return snapshot.attempts >= policy.maxAttempts
      ? { kind: 'open_case', why: 'declined_too_often' }
      : { kind: snapshot.askedFor === 'credit' ? 'credit' : 'submit', after: 0 };
  if (attempt.submissions >= policy.maxSubmissions) return { kind: 'open_case', why: 'cannot_be_sent' };
  const wait = grown(timings.resendFirst, 2, Math.max(attempt.submissions - 1, 0), timings.retryMax);
  const after = left(wait, snapshot.sinceMs);
  return { kind: attempt.operation === 'credit' ? 'credit' : 'submit', after };
}

function afterDecline(snapshot: RefundSnapshot, attempt: AttemptSnapshot, config: RefundConfig): Step {
  const refusal = attempt.class ?? 'unlisted';
  const rule = attempt.operation === 'credit' ? AFTER_CREDIT_DECLINE[refusal] : AFTER_DECLINE[refusal];
  if (snapshot.attempts >= config.policy.maxAttempts) return { kind: 'open_case', why: 'declined_too_often' };
  const times = snapshot.declines[refusal] ?? 1;
  if (rule.retry === 'soft' && times <= config.policy.softRetries)
    return {
      kind: 'submit',
      after: left(grown(config.timings.retryFirst, 2, times - 1, config.timings.retryMax), snapshot.sinceMs),
    };
  if (rule.retry === 'issuer' && times <= 1)
    return { kind: 'submit', after: left(config.timings.issuerRetryAfter, snapshot.sinceMs) };
  switch (rule.next.then) {
    case 'credit':
      // A reversal that cannot be linked says nothing about captured money: there is none to credit.
      return attempt.operation === 'refund' ? { kind: 'credit', after: 0 } : { kind: 'reconcile', after: 0 };
    case 'reconcile':
      return { kind: 'reconcile', after: 0 };
    case 'open_case':
      return { kind: 'open_case', why: rule.next.why };
    case 'fail':
      return { kind: 'fail', why: rule.next.why };
    default:
      return rule.next satisfies never;
  }
}

const left = (wait: number, waitedMs: number): number => Math.max(0, wait - waitedMs);

/**
 * Returns the milliseconds until the next query of a long wait. Queries become rarer because the gateway limits their number: after one, two,
 * four … first intervals since the wait began, then `queryMax` apart. A mark that is very near counts as reached, because the timer may be fast.
 */
function untilNextMark(waitedMs: number, { queryFirst, queryMax }: RefundConfig['timings']): number {
  const first = Math.max(1, Math.min(queryFirst, queryMax));
  const from = waitedMs + first / 2;
  let mark = first;
  while (mark < from && mark < queryMax) mark = Math.min(mark * 2, queryMax);
  if (mark < from) mark = Math.ceil(from / queryMax) * queryMax;
  return Math.min(mark - waitedMs, queryMax);
}

/** `first × factor^times`, at most `max`. The exponent is bounded: zero times infinity is no waiting time. */
function grown(first: number, factor: number, times: number, max: number): number {
  return Math.min(first * factor ** Math.min(times, 64), max);
}
