/** What a notice of the gateway is worth: a hint. It may complete a success that was ordered; whatever else it says is looked up first. */
import { outcomeOfSend, type Expectation, type Outcome } from './outcome.js';
import { isOpenAttempt, type AttemptState } from './attempt-states.js';
import type { GatewayTransaction, RecordedTransaction } from '../transaction.js';

/** The gateway's own types; `TEST` is the ping of its administration, `OTHER` whatever it may invent. */
export const NOTIFICATION_KINDS = ['PAYMENT', 'REGISTRATION', 'SCHEDULE', 'RISK', 'TEST', 'OTHER'] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** A notice that somebody with the key wrote, reduced to what may be kept: no card, no holder, no customer. */
export interface Notification {
  readonly kind: NotificationKind;
  /** For whom it speaks; null on a ping, which speaks for nobody. */
  readonly entityId: string | null;
  /** Null where the payload has not the form of a transaction. */
  readonly transaction: RecordedTransaction | null;
  /** The same for every delivery of one notice. */
  readonly naturalKey: string;
}

/** The attempt that a notice is about, as the ledger has it. */
export interface NotifiedAttempt extends Expectation {
  readonly state: AttemptState;
  readonly gatewayId: string | null;
}

export type NotificationMeaning =
  /** A success that agrees with the order in everything: it may be recorded as it is. */
  | { readonly kind: 'complete'; readonly outcome: Outcome }
  /** The attempt is open: its own look-up comes now instead of later, and decides. */
  | { readonly kind: 'wake' }
  /** It would change what is on record: only a look-up of the payment may do that. */
  | { readonly kind: 'query' }
  /** Nothing that the ledger does not have. */
  | { readonly kind: 'known' };

/** Never a failure, and never the way to a credit: those come from look-ups alone. */
export function readNotification(
  transaction: GatewayTransaction,
  attempt: NotifiedAttempt,
): NotificationMeaning {
  const outcome = outcomeOfSend({ kind: 'answered', httpStatus: 200, transaction }, attempt);
  const { state } = attempt;
  const isSame = attempt.gatewayId !== null && attempt.gatewayId === transaction.id;
  const otherwise: NotificationMeaning = { kind: isOpenAttempt(state) ? 'wake' : 'query' };
  switch (outcome.kind) {
    case 'succeeded':
      if (state === 'succeeded' && isSame) return { kind: 'known' };
      // How much a reversal released shows only in what was captured, and that is looked up.
      return attempt.operation !== 'reversal' &&
        mayBeCompleted(state) &&
        (isSame || attempt.gatewayId === null) &&
        showsAll(transaction)
        ? { kind: 'complete', outcome }
        : otherwise;
    case 'pending':
      // That it was accepted its answer says as well; and an older notice that comes late does not make a success open again.
      return state === 'submitting' || (isSame && (state === 'pending' || state === 'succeeded'))
        ? { kind: 'known' }
        : otherwise;
    case 'rejected':
      return isSame && (state === 'rejected' || state === 'returned') ? { kind: 'known' } : otherwise;
    case 'unknown':
    case 'not_sent':
      return otherwise;
    default:
      return outcome satisfies never;
  }
}

/** Refused or returned before: that a success follows is a contradiction, and a contradiction is looked up. */
const mayBeCompleted = (state: AttemptState): boolean => isOpenAttempt(state) || state === 'absent';

/** An answer may leave fields out, for it belongs to its request; a notice has nothing but its fields. */
const showsAll = (reported: GatewayTransaction): boolean =>
  reported.amount !== undefined && reported.currency !== undefined && reported.reference !== undefined;

/**
 * Whether a look-up already shows what the notice told, or something newer. Look-ups lag behind: one that does not show it yet
 * says nothing. Times are the gateway's own text, which sorts in both of its forms.
 */
export function isShown(reported: RecordedTransaction, shown: readonly GatewayTransaction[]): boolean {
  if (reported.id === undefined) return true;
  const entry = shown.find(({ id }) => id === reported.id);
  if (entry === undefined) return false;
  if (entry.result.code === reported.result.code) return true;
  return (
    entry.timestamp === undefined || reported.timestamp === undefined || entry.timestamp >= reported.timestamp
  );
}
