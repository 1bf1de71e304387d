/** What happened, in words and amounts: one entry of a timeline as people read it. */
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
  'refund.requested': 'Asked for',
  'refund.reserved': 'Held against the payment',
  'refund.submitting': 'Handed to the gateway',
  'refund.unknown': 'Nobody knows yet what became of it',
  'refund.pending': 'Accepted by the gateway, not final',
  'refund.rejected': 'Refused',
  'refund.fallback_checking': 'A credit is being weighed',
  'refund.awaiting_approval': 'Waits for a second person',
  'refund.manual_review': 'A person has to decide',
  'refund.succeeded': 'Paid back',
  'refund.settled': 'Seen in the settlement',
  'refund.returned': 'Came back',
  'refund.closed_by_dispute': 'Repaid by a chargeback',
  'refund.refunded_elsewhere': 'Refunded outside of this system',
  'refund.settlement_changed': 'What the customer has from elsewhere changed',
  'refund.failed': 'Ended without paying',
  'refund.canceled': 'Withdrawn',
  'refund.approved': 'Approved',
  'refund.refused': 'Not approved',
  'attempt.submitted': 'Attempt written and sent',
  'attempt.succeeded': 'The gateway says done',
  'attempt.executed_again': 'Executed more than once',
  'attempt.linked': 'A gateway transaction was linked',
  'attempt.confirmed': 'The gateway shows what persons had corrected',
  'refund.destination_changed': 'The destination was changed',
  'refund.correction_proposed': 'A correction was proposed',
  'refund.correction_refused': 'The correction was refused',
  'refund.corrected': 'Corrected, signed',
  'refund.synced': 'Checked with the gateway',
  'refund.replayed': 'A person ran it again',
  'attempt.returned': 'The success was undone',
  'dispute.opened': 'Chargeback',
  'dispute.changed': 'Chargeback shown otherwise',
  'dispute.reversed': 'Chargeback reversed',
  'dispute.reversal_seen': 'A chargeback reversal is listed',
  'payment.changed': 'The gateway shows another amount or state of the payment',
  'payment.unclear': 'The gateway shows something that cannot be counted',
  'payment.returned_elsewhere': 'Given back outside of this system',
  query: 'Looked up at the gateway',
  webhook: 'Told by webhook',
};

/** What became of a notice, by its state or the reason kept with it (`NotificationEnd`). */
const NOTIFICATION_ENDS: Readonly<Record<string, string>> = {
  received: 'not worked on yet, or a look-up has yet to show it',
  completed: 'completes the attempt',
  woken: 'the refund looks it up',
  known: 'was known already',
  confirmed: 'a look-up shows it',
  not_shown: 'no look-up ever showed it',
};

const BALANCES = [
  ['reservedMinor', 'reserved'],
  ['succeededMinor', 'paid back'],
  ['returnedMinor', 'returned'],
  ['disputedMinor', 'disputed'],
] as const;

/** A type that this version does not know is shown as it is. Look-ups that told the same one after the other are one entry. */
export function timelineOf(timeline: readonly TimelineRow[], currency: string): TimelineEntry[] {
  return runsOf(timeline).map(({ entry, times, lastAt }) => {
    const changes = BALANCES.flatMap(([field, name]) =>
      entry[field] === 0n
        ? []
        : [`${name} ${entry[field] > 0n ? '+' : '-'}${amountOf(entry[field], currency)} ${currency}`],
    );
    const answer =
      entry.type === 'webhook'
        ? toldIn(entry)
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

/** What it said, and what that was worth: `RF 60.00 EUR 000.100.110: completes the attempt`. */
function toldIn(entry: TimelineRow): string[] {
  const answer = textsIn(entry, ['paymentType', 'amount', 'currency', 'code']).join(' ');
  const [end = ''] = textsIn(entry, ['why', 'state']);
  return [answer, NOTIFICATION_ENDS[end] ?? end].filter((text) => text !== '');
}

interface Run {
  readonly entry: TimelineRow;
  times: number;
  lastAt: Date;
}

/** A refund may be looked up for weeks: what people read is what the answer was, how often and until when. */
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
