/** Reads the gateway's notifications. A notification may complete a success that was ordered; anything else is queried first. */
import { outcomeOfSend, type Expectation, type Outcome } from './outcome.js';
import { isOpenAttempt, type AttemptState } from './attempt-states.js';
import type { GatewayTransaction, RecordedTransaction } from '../transaction.js';

/** The gateway's own types; `TEST` is the ping of its administration, `OTHER` any type that is not listed. */
export const NOTIFICATION_KINDS = ['PAYMENT', 'REGISTRATION', 'SCHEDULE', 'RISK', 'TEST', 'OTHER'] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** An authentic notification, reduced to what may be stored: no card, no holder, no customer. */
export interface Notification {
  readonly kind: NotificationKind;
  /** The entity that it is about; null for a ping. */
  readonly entityId: string | null;
  /** Null if the payload does not have the form of a transaction. */
  readonly transaction: RecordedTransaction | null;
  /** The same for every delivery of one notification. */
  readonly naturalKey: string;
}

/** The attempt that a notification is about, as the ledger has it. */
export interface NotifiedAttempt extends Expectation {
  readonly state: AttemptState;
  readonly gatewayId: string | null;
}

export type NotificationMeaning =
  /** A success that agrees with the order in everything: it may be recorded as it is. */
  | { readonly kind: 'complete'; readonly outcome: Outcome }
  /** The attempt is open: its own query is made now instead of later, and decides. */
  | { readonly kind: 'wake' }
  /** It would change a recorded result: only a query of the payment may do that. */
  | { readonly kind: 'query' }
  /** The ledger has it already. */
  | { readonly kind: 'known' };

/** Returns what to do with a notification. Never a decline and never the start of a credit: those need a query. */
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
      // The amount that a reversal released follows from the captures, which are queried.
      return attempt.operation !== 'reversal' &&
        mayBeCompleted(state) &&
        (isSame || attempt.gatewayId === null) &&
        showsAll(transaction)
        ? { kind: 'complete', outcome }
        : otherwise;
    case 'pending':
      // The answer also shows that it was accepted. An older notification that arrives late does not reopen a success.
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

/** A success after a decline or a return is a contradiction, and is queried. */
const mayBeCompleted = (state: AttemptState): boolean => isOpenAttempt(state) || state === 'absent';

/** An answer may leave fields out because it belongs to its request. A notification needs all of them. */
const showsAll = (reported: GatewayTransaction): boolean =>
  reported.amount !== undefined && reported.currency !== undefined && reported.reference !== undefined;

/**
 * True if a query already shows what the notification reported, or something newer. Queries lag behind: one that does not show it yet
 * proves nothing. Times are the gateway's own text, which sorts in both of its forms.
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
