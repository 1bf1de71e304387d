/** Formats refunds as text for operators: a table of many, a page for one, a line for each change. */
import { END_REASONS } from '../../domain/refund/reasons.js';
import { destinationText, maskedDestination } from '../money-effects.js';
import type { NextStep } from '../replay.js';
import { STATE_TONES, type Tone } from '../state-tones.js';
import type { TimelineEntry } from '../timeline-view.js';
import type { Attempt, Refund } from '../view.js';
import { page } from './page.js';
import type { Screen } from './screen.js';
import { table, type Column } from './table.js';
import { shortIds, toTheMinute } from './text.js';

const REFUND: readonly Column<Refund>[] = [
  { title: 'refund', text: ({ id }) => id },
  { title: 'amount', align: 'right', text: amountText },
  { title: 'state', text: ({ state }) => state, tone: toneOf },
];

const LIST: readonly Column<Refund>[] = [
  ...REFUND,
  { title: 'operation', text: ({ operation }) => operation ?? '', leaves: 2 },
  { title: 'settled', text: (refund) => settledText(refund) ?? '', leaves: 0 },
  { title: 'why', text: ({ why }) => why ?? '', wraps: true, beneath: 1 },
  {
    title: 'payment',
    text: ({ paymentId }) => paymentId ?? 'none: a credit',
    shorter: shortIds,
    leaves: 1,
  },
  { title: 'created', text: ({ createdAt }) => createdAt, shorter: toTheMinute, leaves: 3 },
];

export const listText = (refunds: readonly Refund[], screen: Screen): string =>
  refunds.length === 0 ? 'no refunds' : table(LIST, refunds, screen);

export type Waiting = Refund & { readonly ageSeconds: number };

const QUEUE: readonly Column<Waiting>[] = [
  ...REFUND,
  { title: 'age', align: 'right', text: ({ ageSeconds }) => ageText(ageSeconds) },
  { title: 'why', text: (item) => reasonsOf(item).join('\n'), beneath: 1 },
  { title: 'next step', text: nextStepOf, wraps: true, beneath: 1 },
];

/** The refunds that wait for an operator, the longest waiting first, each with its reasons and the safe next step. */
export const queueText = (items: readonly Waiting[], screen: Screen): string =>
  items.length === 0 ? 'nothing waits for an operator' : table(QUEUE, items, screen);

const reasonsOf = ({ cases, why, proposal, approval }: Refund): readonly string[] => {
  const reasons = [
    ...cases.map((one) => one.why),
    ...(proposal === null ? [] : ['correction proposed']),
    ...(approval === null ? [] : approval.why),
  ];
  return reasons.length > 0 ? reasons : [why ?? ''];
};

function nextStepOf({ proposal, approval, review, cases }: Refund): string {
  if (proposal !== null || approval !== null) return 'A second operator approves or rejects it.';
  return review?.nextStep ?? cases[0]?.nextStep ?? '';
}

function ageText(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
  ] as const;
  const unit = units.find(([, length]) => seconds >= length);
  return unit === undefined ? `${seconds} s` : `${Math.floor(seconds / unit[1])} ${unit[0]}`;
}

/** Formats the next automatic step of the run and the time until then. */
function nextText({ kind, afterMs, effect }: NextStep): string {
  const when = afterMs === 0 ? 'now' : `within ${Math.ceil(afterMs / 1_000)} s`;
  return `${kind === 'query_outcome' ? 'query' : kind}, ${when}: ${effect}`;
}

const TIMELINE: readonly Column<TimelineEntry>[] = [
  { title: 'at', text: ({ at }) => at, shorter: toTheMinute },
  { title: 'actor', text: ({ actor }) => actor },
  { title: 'event', text: ({ text }) => text, wraps: true },
];

/** The events of a refund, oldest first, each with its actor and its effect on the money. */
export const timelineText = (timeline: readonly TimelineEntry[], screen: Screen): string =>
  table(TIMELINE, timeline, screen, { header: false, hint: false });

const ATTEMPTS: readonly Column<Attempt>[] = [
  { title: '', text: ({ type }) => type },
  { title: 'amount', align: 'right', text: ({ amount }) => amount },
  { title: 'state', text: ({ state }) => state, tone: ({ state }) => STATE_TONES[state] },
  { title: 'merchantTransactionId', text: (attempt) => attempt.merchantTransactionId, beneath: 2 },
  { title: 'gateway id', text: ({ gatewayId }) => gatewayId ?? '', beneath: 2 },
  { title: 'result', text: resultText, wraps: true, beneath: 1 },
  { title: 'submitted', text: ({ sentAt }) => sentAt, shorter: toTheMinute, beneath: 1 },
];

/** One refund on a page. `next`: what its run does next, where that was read. */
export function refundText(refund: Refund, screen: Screen, next?: NextStep): string {
  const facts = page(
    [
      { name: 'refund', text: refund.id },
      { name: 'type', text: refund.askedFor === 'credit' ? 'a standalone credit' : null },
      { name: 'payment', text: refund.paymentId ?? 'none: the credit is unlinked' },
      { name: 'amount', text: amountText(refund) },
      { name: 'reason', text: refund.reason },
      { name: 'order', text: refund.orderId },
      { name: 'state', text: refund.state, tone: toneOf(refund) },
      { name: 'operation', text: refund.operation },
      { name: 'settled', text: settledText(refund) },
      { name: 'why', text: whyText(refund) },
      { name: 'blocks', text: refund.blocks.length === 0 ? null : refund.blocks.join(', ') },
      { name: 'next step', text: refund.review?.nextStep ?? null, tone: 'warn' },
      { name: 'destination', text: destinationOf(refund) },
      { name: 'requested by', text: refund.requestedBy },
      ...refund.cases.map(({ why, openedAt, nextStep }) => ({
        name: 'case',
        text: `${why} since ${openedAt}: ${nextStep}`,
      })),
      { name: 'proposed', text: proposalText(refund), tone: 'warn' },
      { name: 'to approve', text: approvalText(refund), tone: 'warn' },
      ...refund.attempts.map(({ merchantTransactionId, settlement }) => ({
        name: 'settlement',
        text: settlement === null ? null : `${merchantTransactionId}: ${settlementText(settlement)}`,
      })),
      { name: 'created', text: refund.createdAt },
      { name: 'updated', text: refund.updatedAt },
      { name: 'next', text: next === undefined ? null : nextText(next) },
    ],
    screen,
  );
  const attempts =
    refund.attempts.length === 0
      ? 'nothing was submitted'
      : table(ATTEMPTS, refund.attempts, screen, { header: true, hint: false });
  return `${facts}\n\n${attempts}`;
}

/** One line with what has changed. */
export function changeText(refund: Refund, { tone }: Screen): string {
  const attempt = refund.attempts.at(-1);
  const parts = [
    refund.updatedAt,
    tone(toneOf(refund), refund.state),
    settledText(refund) ?? '',
    attempt === undefined ? '' : `${attempt.type} ${attempt.state} ${resultText(attempt)}`.trimEnd(),
    whyText(refund) ?? '',
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function proposalText({ proposal }: Refund): string | null {
  if (proposal === null) return null;
  const { effect, by, reason, instruction } = proposal;
  return `${effect}, by ${by} (${reason}), instruction ${instruction}`;
}

function approvalText({ approval }: Refund): string | null {
  if (approval === null) return null;
  const { amount, currency, destination, why, instruction } = approval;
  return `a credit of ${amount} ${currency} to ${destinationText(destination)} (${why.join(', ')}), instruction ${instruction}`;
}

const destinationOf = ({ destination }: Refund): string | null =>
  destination === null ? null : maskedDestination(destination);

/** The amounts that the customer has, by means. */
const settledText = ({ settlements, currency }: Refund): string | null =>
  settlements.length === 0
    ? null
    : settlements.map(({ by, amount }) => `${amount} ${currency} by ${by.replaceAll('_', ' ')}`).join(', ');

function toneOf({ state }: Refund): Tone {
  return STATE_TONES[state];
}

function amountText({ amount, currency }: Refund): string {
  return `${amount} ${currency}`;
}

function resultText({ resultCode, resultDescription, class: declineClass, otherLast4 }: Attempt): string {
  const other = otherLast4 === null ? null : `[the gateway shows a card …${otherLast4}]`;
  return [resultCode, declineClass === null ? null : `(${declineClass})`, resultDescription, other]
    .filter((part) => part !== null)
    .join(' ');
}

function settlementText({ connectorTxIds = {}, ...details }: NonNullable<Attempt['settlement']>): string {
  return Object.entries({ ...details, ...connectorTxIds })
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function whyText({ review, why }: Refund): string | null {
  if (review !== null) return `${why ?? ''}: ${review.why}`;
  const ended = Object.entries(END_REASONS).find(([reason]) => reason === why)?.[1];
  return ended === undefined ? why : `${why ?? ''}: ${ended}`;
}
