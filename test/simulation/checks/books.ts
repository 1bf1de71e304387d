/** Checks rules I1 to I8 on the ledger's rows, and that every open refund has an open case or an approval to wait for. */
import {
  CLOSED_STATES,
  isFinal,
  REFUND_STATES,
  REFUND_TRANSITIONS,
  type RefundState,
} from '../../../domain/refund/states.js';
import { isOpenAttempt, OPEN_ATTEMPT_STATES } from '../../../domain/refund/attempt-states.js';
import type { Row } from '../database/tables.js';
import type { MemoryTables } from '../database/tables.js';
import { amount, sumOf, text } from './rows.js';

export function stateOf(row: Row): RefundState {
  const state = REFUND_STATES.find((known) => known === row['state']);
  if (state === undefined) throw new Error(`no state ${String(row['state'])}`);
  return state;
}

const isOpen = (row: Row): boolean =>
  OPEN_ATTEMPT_STATES.some((state) => state === row['state'] && isOpenAttempt(state));
/** Returns the amount that an executed attempt paid back, in minor units: a reversal may have released less than was ordered. */
export const paidBackBy = (attempt: Row): bigint =>
  amount(attempt, attempt['paid_back_minor'] === null ? 'amount_minor' : 'paid_back_minor');
const short = (row: Row): string => text(row, 'id').slice(-6);

/** Returns one sentence for each violation in the books. `at rest` also checks that an operator is asked about each refund that is not final. */
export function ledgerViolations({ rows }: MemoryTables, when: 'at rest' | 'at any moment'): string[] {
  return [
    ...rows.payments.flatMap((payment) => wrongBalance(payment, rows.events)),
    ...rows.refunds.flatMap((refund) => wrongRefund(refund, rows, when)),
    ...rows.attempts.flatMap((attempt) => wrongAttempt(attempt, rows)),
  ];
}

/** Checks I1, and I8 (each fact is stored once): a balance is the sum of its events. */
function wrongBalance(payment: Row, events: readonly Row[]): string[] {
  const own = events.filter((event) => event['payment_id'] === payment['id']);
  const wrong = ['reserved', 'succeeded', 'returned', 'disputed', 'released'].flatMap((kind) => {
    const [stored, summed] = [amount(payment, `${kind}_minor`), sumOf(own, `${kind}_delta`)];
    return stored === summed ? [] : [`I8: ${kind} is ${stored}, its events sum to ${summed}`];
  });
  const used =
    amount(payment, 'reserved_minor') +
    amount(payment, 'succeeded_minor') -
    amount(payment, 'returned_minor') +
    amount(payment, 'disputed_minor');
  const captured = amount(payment, 'captured_minor');
  const limit =
    captured > 0n ? captured + amount(payment, 'released_minor') : amount(payment, 'authorized_minor');
  const excess = amount(payment, 'excess_minor');
  if (excess !== (used > limit ? used - limit : 0n))
    wrong.push(`I1: ${used} of ${limit} are paid or reserved, with an excess of ${excess}`);
  if (excess > 0n && !own.some((event) => event['from_outside'] === true))
    wrong.push(`I1: ${used} of ${limit} are paid or reserved, and no outside payment explains it`);
  return wrong;
}

/** Checks that a refund reserves what is still owed while it is in progress and nothing after its end, and that the state machine allows its moves. */
function wrongRefund(
  refund: Row,
  { events, attempts, cases }: MemoryTables['rows'],
  when: 'at rest' | 'at any moment',
): string[] {
  const id = short(refund);
  const state = stateOf(refund);
  const own = events.filter((event) => event['refund_id'] === refund['id']);
  const tried = attempts.filter((attempt) => attempt['refund_id'] === refund['id']);
  const held = sumOf(own, 'reserved_delta');
  const paid = tried
    .filter((attempt) => attempt['state'] === 'succeeded')
    .reduce((sum, attempt) => sum + paidBackBy(attempt), 0n);
  const outside = amount(refund, 'elsewhere_minor') + amount(refund, 'charged_back_minor');
  const owed = amount(refund, 'amount_minor') - paid - outside;
  const hadEnded = own.some((event) =>
    CLOSED_STATES.some((closed) => `refund.${closed}` === text(event, 'type')),
  );
  const wrong: string[] = [];
  // If a refund was partly paid after it had ended, its rest is not reserved: an operator decides about it. A returned payment is reserved again.
  const mayHold = isFinal(state) ? [0n] : [owed > 0n && !hadEnded ? owed : 0n, ...(hadEnded ? [owed] : [])];
  if (!mayHold.includes(held)) wrong.push(`refund ${id} is ${state}, reserves ${held} and owes ${owed}`);
  if (isFinal(state) && tried.some(isOpen)) wrong.push(`I4: refund ${id} is ${state} with an open attempt`);
  if (tried.filter((attempt) => isOpen(attempt) || attempt['state'] === 'absent').length > 1)
    wrong.push(`I2: refund ${id} has two attempts that are not final`);
  const isAsked = cases.some((entry) => entry['refund_id'] === refund['id'] && entry['closed_at'] === null);
  if (
    when === 'at rest' &&
    !isFinal(state) &&
    state !== 'awaiting_approval' &&
    !(state === 'manual_review' && isAsked)
  )
    wrong.push(`refund ${id} is ${state}, and no operator is asked`);
  if (state === 'succeeded' && owed > 0n && !isAsked) wrong.push(`refund ${id} succeeded with ${paid} paid`);
  for (const event of own)
    if (event['type'] === 'refund.corrected' && event['actor'] === refund['requested_by'])
      wrong.push(`refund ${id} was corrected by its requester`);
  return [...wrong, ...wrongMoves(refund, own)];
}

/** Checks I4 and I5: the state machine allows every change of state, and only the gateway's evidence or a correction changes a final state. */
function wrongMoves(refund: Row, events: readonly Row[]): string[] {
  let from: RefundState | undefined;
  const wrong: string[] = [];
  for (const event of events) {
    const to = REFUND_STATES.find((state) => `refund.${state}` === event['type']);
    if (to === undefined) continue;
    const before = from;
    from = to;
    if (before === undefined) continue;
    const moves = REFUND_TRANSITIONS.filter((move) => move.to === to && move.from.includes(before));
    if (moves.length === 0 && before !== to)
      wrong.push(`refund ${short(refund)} went from ${before} to ${to}`);
    const isSigned = events.some(
      (other) => other['type'] === 'refund.corrected' && other['actor'] === event['actor'],
    );
    const isGateway = ['answer', 'query', 'notification'].includes(text(event, 'actor'));
    if (isFinal(before) && before !== to && !isGateway && !isSigned)
      wrong.push(`I5: refund ${short(refund)} left ${before} by ${text(event, 'actor')}`);
  }
  return from === stateOf(refund)
    ? wrong
    : [...wrong, `refund ${short(refund)}: its events end in ${String(from)}`];
}

/** True if two operators recorded the outcome: then no id and no code of the gateway has to be on record. */
export const isCorrected = (events: readonly Row[]): boolean =>
  events.some((event) => event['type'] === 'refund.corrected');

function wrongAttempt(attempt: Row, { events }: MemoryTables['rows']): string[] {
  const own = events.filter((event) => event['attempt_id'] === attempt['id']);
  const state = text(attempt, 'state');
  const paid = sumOf(
    own.filter((event) => ['attempt.succeeded', 'attempt.release_reduced'].includes(text(event, 'type'))),
    'succeeded_delta',
  );
  const wanted = state === 'succeeded' || state === 'returned' ? paidBackBy(attempt) : 0n;
  const submissions = own.filter((event) => event['type'] === 'attempt.submitted').length;
  return [
    ...(paid === wanted ? [] : [`attempt ${short(attempt)} is ${state}, its events have ${paid} paid`]),
    ...(submissions === attempt['submissions']
      ? []
      : [`attempt ${short(attempt)}: ${String(attempt['submissions'])} submissions, ${submissions} events`]),
    ...(state === 'succeeded' && attempt['gateway_id'] === null && !isCorrected(own)
      ? [`attempt ${short(attempt)} is paid without an id`]
      : []),
  ];
}
