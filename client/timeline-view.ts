/** One entry of a timeline as operators read it: the event as a sentence, with its amounts. */
import { formatAmount, storedMoney } from '../domain/money/money.js';
import type { TimelineRow } from '../ledger/views/timeline.js';

export interface TimelineEntry {
  readonly id: string;
  readonly at: string;
  /** Stable: `refund.requested`, `attempt.succeeded`, `query`, `webhook`. */
  readonly type: string;
  readonly actor: string;
  readonly refundId: string | null;
  readonly attemptId: string | null;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const TEXTS: Readonly<Record<string, string>> = {
  'refund.requested': 'Requested',
  'refund.reserved': 'Reserved on the payment',
  'refund.submitting': 'Submitted to the gateway',
  'refund.unknown': 'The outcome is not known yet',
  'refund.pending': 'Accepted by the gateway, not final',
  'refund.rejected': 'Declined',
  'refund.fallback_checking': 'A credit is being checked',
  'refund.awaiting_approval': 'Needs an approver',
  'refund.manual_review': 'Needs an operator',
  'refund.succeeded': 'Paid back',
  'refund.settled': 'Settled',
  'refund.returned': 'Returned',
  'refund.closed_by_dispute': 'Repaid by a chargeback',
  'refund.refunded_elsewhere': 'Refunded outside of this system',
  'refund.settlement_changed': 'The amount that the customer has from elsewhere changed',
  'refund.failed': 'Ended without paying',
  'refund.canceled': 'Withdrawn',
  'refund.approved': 'Approved',
  'refund.approval_rejected': 'Not approved',
  'attempt.submitted': 'Attempt stored and submitted',
  'attempt.succeeded': 'The gateway reports success',
  'attempt.executed_again': 'Executed more than once',
  'attempt.linked': 'A gateway transaction was linked',
  'attempt.confirmed': 'The gateway confirms the correction',
  'refund.card_registered': 'The card was registered at the gateway',
  'refund.destination_changed': 'The destination was changed',
  'refund.correction_proposed': 'A correction was proposed',
  'refund.correction_rejected': 'The correction was refused',
  'refund.corrected': 'Corrected',
  'refund.synced': 'Checked with the gateway',
  'refund.replayed': 'Replayed',
  'attempt.returned': 'The success was returned',
  'dispute.opened': 'Chargeback',
  'dispute.changed': 'Chargeback changed',
  'dispute.reversed': 'Chargeback reversed',
  'dispute.reversal_seen': 'A chargeback reversal is listed',
  'payment.changed': 'The gateway shows another amount or state of the payment',
  'payment.unclear': 'The gateway shows something that cannot be counted',
  'payment.returned_elsewhere': 'Paid back outside of this system',
  query: 'Queried the gateway',
  webhook: 'Notified by the gateway',
};

/** The result of a notification, by its state or by the reason stored with it (`NotificationEnd`). */
const NOTIFICATION_ENDS: Readonly<Record<string, string>> = {
  received: 'not processed yet, or not yet confirmed by a query',
  completed: 'completes the attempt',
  signaled: 'the refund queries the gateway',
  known: 'was known already',
  confirmed: 'a query confirms it',
  never_confirmed: 'no query confirmed it',
};

const BALANCES = [
  ['reservedMinor', 'reserved'],
  ['succeededMinor', 'paid back'],
  ['returnedMinor', 'returned'],
  ['disputedMinor', 'disputed'],
] as const;

/** Returns the entries, oldest first. A type that this version does not know is shown as it is. Consecutive queries with the same answer are one entry. */
export function timelineOf(timeline: readonly TimelineRow[], currency: string): TimelineEntry[] {
  return runsOf(timeline).map(({ entry, times, lastAt }) => {
    const changes = BALANCES.flatMap(([field, name]) =>
      entry[field] === 0n
        ? []
        : [`${name} ${entry[field] > 0n ? '+' : '-'}${amountOf(entry[field], currency)} ${currency}`],
    );
    const answer =
      entry.type === 'webhook'
        ? notificationTexts(entry)
        : textsIn(entry, ['why', 'outcome', 'evidence', 'reason', 'ticket', 'answer']);
    const text = TEXTS[entry.type] ?? entry.type;
    const repeated = times === 1 ? '' : ` (${times} times, the last one at ${lastAt.toISOString()})`;
    return {
      id: entry.id,
      at: entry.at.toISOString(),
      type: entry.type,
      actor: entry.actor,
      refundId: entry.refundId,
      attemptId: entry.attemptId,
      text:
        [text, ...answer].join(': ') + repeated + (changes.length === 0 ? '' : ` (${changes.join(', ')})`),
      data: entry.data,
    };
  });
}

const textsIn = ({ data }: TimelineRow, names: readonly string[]): string[] =>
  names.flatMap((name) => {
    const text = data[name];
    return typeof text === 'string' && text !== '' ? [text] : [];
  });

/** Returns the content of a notification and its result: `RF 60.00 EUR 000.100.110: completes the attempt`. */
function notificationTexts(entry: TimelineRow): string[] {
  const answer = textsIn(entry, ['paymentType', 'amount', 'currency', 'code']).join(' ').replaceAll('_', ' ');
  const [end = ''] = textsIn(entry, ['why', 'state']);
  return [answer, NOTIFICATION_ENDS[end] ?? end].filter((text) => text !== '');
}

interface Run {
  readonly entry: TimelineRow;
  times: number;
  lastAt: Date;
}

/** Joins consecutive queries with the same answer: a refund may be queried for weeks. */
function runsOf(timeline: readonly TimelineRow[]): Run[] {
  const runs: Run[] = [];
  for (const entry of timeline) {
    const last = runs.at(-1);
    if (
      last !== undefined &&
      entry.type === 'query' &&
      last.entry.type === 'query' &&
      entry.attemptId === last.entry.attemptId &&
      entry.data['answer'] === last.entry.data['answer']
    ) {
      last.times += 1;
      last.lastAt = entry.at;
    } else runs.push({ entry, times: 1, lastAt: entry.at });
  }
  return runs;
}

const amountOf = (minor: bigint, currency: string): string =>
  formatAmount(storedMoney(minor < 0n ? -minor : minor, currency));
