/** Refunds as text for people: a table of many, a page for one, a line for each change. */
import Table from 'cli-table3';
import pc from 'picocolors';
import { END_REASONS } from '../../domain/payment/reconciliation.js';
import type { RefundStatus } from '../../domain/refund/states.js';
import { maskedRegistration } from '../effects.js';
import type { NextStep } from '../replay.js';
import type { TimelineEntry } from '../story-view.js';
import type { Attempt, Refund } from '../view.js';

/** Not whenever the library thinks so: it also colours for a build server, whose logs are read as text. */
const colors = pc.createColors(process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '');

const PAINT: Readonly<Record<RefundStatus, (text: string) => string>> = {
  pending: colors.cyan,
  succeeded: colors.green,
  failed: colors.red,
  canceled: colors.dim,
  review: colors.yellow,
};

const sheet = (head: readonly string[]) =>
  new Table({ head: head.map((text) => colors.bold(text)), style: { head: [], border: [] } });

export function listText(refunds: readonly Refund[]): string {
  if (refunds.length === 0) return 'no refunds';
  const table = sheet(['refund', 'payment', 'amount', 'state', 'operation', 'settled', 'why', 'created']);
  for (const refund of refunds)
    table.push([
      refund.id,
      refund.paymentId ?? 'none: a credit',
      `${refund.amount} ${refund.currency}`,
      stateText(refund),
      refund.operation ?? '–',
      settledText(refund) ?? '–',
      refund.why ?? '',
      refund.createdAt,
    ]);
  return table.toString();
}

/** What waits for a person, the longest waiting first, each with why and the safe next step. */
export function queueText(items: readonly (Refund & { readonly ageSeconds: number })[]): string {
  if (items.length === 0) return 'nothing waits for a person';
  const table = sheet(['refund', 'age', 'amount', 'state', 'why', 'next step']);
  for (const item of items)
    table.push([
      item.id,
      ageText(item.ageSeconds),
      `${item.amount} ${item.currency}`,
      stateText(item),
      reasonsOf(item).join('\n'),
      nextStepOf(item),
    ]);
  return table.toString();
}

const reasonsOf = ({ cases, why, proposal, approval }: Refund): readonly string[] => {
  const reasons = [
    ...cases.map((one) => one.why),
    ...(proposal === null ? [] : ['correction proposed']),
    ...(approval === null ? [] : approval.why),
  ];
  return reasons.length > 0 ? reasons : [why ?? ''];
};

function nextStepOf({ id, proposal, approval, review, cases }: Refund): string {
  if (proposal !== null) return `a second person: approve or reject ${id}`;
  if (approval !== null) return `a second person: approve or reject ${id}`;
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

/** What happens by itself, and when at the latest. */
export function nextText({ kind, afterMs, effect }: NextStep): string {
  const when = afterMs === 0 ? 'now' : `within ${Math.ceil(afterMs / 1_000)} s`;
  return `${'next'.padEnd(12)}${kind === 'listen' ? 'look-up' : kind}, ${when}: ${effect}`;
}

/** What happened, oldest first: who did it, and what it did to the money. */
export function timelineText(timeline: readonly TimelineEntry[]): string {
  return timeline.map(({ at, actor, text }) => `${at}  ${actor.padEnd(10)}  ${text}`).join('\n');
}

export function refundText(refund: Refund): string {
  const lines: readonly (readonly [string, string | null])[] = [
    ['refund', refund.id],
    ['asked for', refund.askedFor === 'credit' ? 'a standalone credit' : null],
    ['payment', refund.paymentId ?? 'none: the credit is linked to nothing'],
    ['amount', `${refund.amount} ${refund.currency}`],
    ['reason', refund.reason],
    ['order', refund.orderId],
    ['state', stateText(refund)],
    ['operation', refund.operation],
    ['settled', settledText(refund)],
    ['why', whyText(refund)],
    ['blocks', refund.blocks.length === 0 ? null : refund.blocks.join(', ')],
    ['next step', refund.review === null ? null : colors.yellow(refund.review.nextStep)],
    ['destination', destinationText(refund)],
    ['asked by', refund.requestedBy],
    ...refund.cases.map(
      ({ why, openedAt, nextStep }) => ['case', `${why} since ${openedAt}: ${nextStep}`] as const,
    ),
    [
      'proposed',
      refund.proposal === null
        ? null
        : colors.yellow(
            `${refund.proposal.effect}, by ${refund.proposal.by} (${refund.proposal.reason}), instruction ${refund.proposal.instruction}`,
          ),
    ],
    ['to approve', refund.approval === null ? null : colors.yellow(approvalText(refund))],
    ['created', refund.createdAt],
    ['updated', refund.updatedAt],
  ];
  const page = lines.flatMap(([name, text]) => (text === null ? [] : [`${name.padEnd(12)}${text}`]));
  if (refund.attempts.length === 0) return [...page, 'nothing was sent'].join('\n');
  const table = sheet(['', 'amount', 'merchantTransactionId', 'gateway id', 'state', 'result', 'sent']);
  for (const attempt of refund.attempts)
    table.push([
      attempt.type,
      attempt.amount,
      attempt.merchantTransactionId,
      attempt.gatewayId ?? '–',
      attempt.state,
      resultText(attempt),
      attempt.sentAt,
    ]);
  return [...page, table.toString()].join('\n');
}

/** One line for what is new. */
export function changeText(refund: Refund): string {
  const attempt = refund.attempts.at(-1);
  const parts = [
    refund.updatedAt,
    stateText(refund),
    settledText(refund) ?? '',
    attempt === undefined ? '' : `${attempt.type} ${attempt.state} ${resultText(attempt)}`.trimEnd(),
    whyText(refund) ?? '',
  ];
  return parts.filter((part) => part !== '').join('  ');
}

/** What a second person is asked for, in one sentence without its full stop. */
export function approvalText({ approval }: Refund): string {
  if (approval === null) return 'nothing';
  const { amount, currency, destination, why, instruction } = approval;
  return `a credit of ${amount} ${currency} to registration ${destination.registrationId} (${why.join(', ')}), instruction ${instruction}`;
}

/** Only its end: enough to tell two registrations apart. */
const destinationText = ({ destination }: Refund): string | null =>
  destination === null ? null : `registration ${maskedRegistration(destination.registrationId)}`;

/** What the customer has, and by which means. */
const settledText = ({ settlements, currency }: Refund): string | null =>
  settlements.length === 0
    ? null
    : settlements.map(({ by, amount }) => `${amount} ${currency} by ${by.replaceAll('_', ' ')}`).join(', ');

const stateText = ({ state, status }: Refund): string => PAINT[status](state);

const resultText = ({ resultCode, resultDescription, class: refusal }: Attempt): string =>
  [resultCode, refusal === null ? null : `(${refusal})`, resultDescription]
    .filter((part) => part !== null)
    .join(' ');

function whyText({ review, why }: Refund): string | null {
  if (review !== null) return `${why ?? ''}: ${review.why}`;
  const ended = Object.entries(END_REASONS).find(([reason]) => reason === why)?.[1];
  return ended === undefined ? why : `${why ?? ''}: ${ended}`;
}
