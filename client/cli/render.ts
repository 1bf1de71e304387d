/** Refunds as text for people: a table of many, a page for one, a line for each change. */
import Table from 'cli-table3';
import pc from 'picocolors';
import { GIVE_UP_REASONS } from '../../domain/finding.js';
import type { RefundStatus } from '../../domain/states.js';
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
  const table = sheet(['refund', 'payment', 'amount', 'state', 'way', 'why', 'created']);
  for (const refund of refunds)
    table.push([
      refund.id,
      refund.paymentId,
      `${refund.amount} ${refund.currency}`,
      stateText(refund),
      refund.way ?? '–',
      refund.why ?? '',
      refund.createdAt,
    ]);
  return table.toString();
}

export function refundText(refund: Refund): string {
  const lines: readonly (readonly [string, string | null])[] = [
    ['refund', refund.id],
    ['payment', refund.paymentId],
    ['amount', `${refund.amount} ${refund.currency}`],
    ['reason', refund.reason],
    ['order', refund.orderId],
    ['state', stateText(refund)],
    ['way', refund.way],
    ['why', whyText(refund)],
    ['blocks', refund.blocks.length === 0 ? null : refund.blocks.join(', ')],
    ['next step', refund.review === null ? null : colors.yellow(refund.review.nextStep)],
    ['to approve', refund.approval === null ? null : colors.yellow(approvalText(refund))],
    ['created', refund.createdAt],
    ['updated', refund.updatedAt],
  ];
  const page = lines.flatMap(([name, text]) => (text === null ? [] : [`${name.padEnd(11)}${text}`]));
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
    attempt === undefined ? '' : `${attempt.type} ${attempt.state} ${resultText(attempt)}`.trimEnd(),
    whyText(refund) ?? '',
  ];
  return parts.filter((part) => part !== '').join('  ');
}

/** What a second person is asked for, in one sentence without its full stop. */
export function approvalText({ approval }: Refund): string {
  if (approval === null) return 'nothing';
  const { amount, currency, registrationId, why, instruction } = approval;
  return `a credit of ${amount} ${currency} to registration ${registrationId} (${why.join(', ')}), instruction ${instruction}`;
}

const stateText = ({ state, status }: Refund): string => PAINT[status](state);

const resultText = ({ resultCode, resultDescription, class: refusal }: Attempt): string =>
  [resultCode, refusal === null ? null : `(${refusal})`, resultDescription]
    .filter((part) => part !== null)
    .join(' ');

function whyText({ review, why }: Refund): string | null {
  if (review !== null) return `${why ?? ''}: ${review.why}`;
  const ended = Object.entries(GIVE_UP_REASONS).find(([reason]) => reason === why)?.[1];
  return ended === undefined ? why : `${why ?? ''}: ${ended}`;
}
