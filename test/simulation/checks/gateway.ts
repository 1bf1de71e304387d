/** Compares the gateway's books with the ledger: which money left, for which refund, how often, and whether it was allowed to. */
import { isFinal } from '../../../domain/refund/states.js';
import type { Transaction } from '../../../sandbox/gateway/types.js';
import type { Row } from '../database/tables.js';
import type { OutsideFacts } from '../harness/outside-facts.js';
import type { Harness } from '../harness/harness.js';
import { isAboveSum } from './credit-sums.js';
import { paidBackBy, isCorrected, stateOf } from './books.js';
import { stoodThen } from './disputed.js';
import { amount, atOf, text } from './rows.js';

/** Milliseconds. A credit's proof must have seen every gateway fact that is older than this: two send windows and the transit time. */
const PROOF_AGE = 62_000;
/** Decline classes that a credit may follow. */
const OPENS_CREDIT: ReadonlySet<unknown> = new Set([
  'not_linkable',
  'unknown_to_acquirer',
  'issuer_declined',
  'not_settled_yet',
  'partial_not_supported',
  'refund_not_enabled',
]);

export function gatewayViolations(harness: Harness, facts: OutsideFacts): string[] {
  const { gateway, database, payment } = harness;
  const all = gateway.transactions();
  const refunded = all.filter(
    (found) => (found.type === 'RF' || found.type === 'RV' || found.type === 'CD') && found.source === 'OPP',
  );
  const { attempts, refunds } = database.tables.rows;
  // An unlinked credit does not count for this payment.
  const free = new Set(
    attempts.filter((attempt) => attempt['payment_id'] !== payment.id).map((attempt) => attempt['reference']),
  );
  const isOfPayment = (found: Transaction): boolean => !free.has(found.merchantTransactionId);
  const wrong: string[] = [];

  for (const reference of new Set(refunded.map((found) => found.merchantTransactionId ?? ''))) {
    const times = gateway.executedByReference(reference);
    if (times > 1) wrong.push(`${reference} was executed ${times} times`);
    if (!attempts.some((attempt) => attempt['reference'] === reference))
      wrong.push(`the gateway received ${reference}, which is not in the ledger`);
  }
  for (const attempt of attempts) wrong.push(...wrongAttempt(harness, attempt, all));
  for (const refund of refunds) wrong.push(...wrongRefund(harness, refund, all));
  for (const credit of refunded)
    if (credit.type === 'CD' && credit.executed)
      wrong.push(...wrongCredit(harness, credit, all.filter(isOfPayment)));

  const out = refunded
    .filter((found) => standing(found) && isOfPayment(found))
    .reduce((sum, found) => sum + payment.toMinor(found.amount), 0n);
  const limit = payment.minor;
  if (out > limit) wrong.push(`${out} of ${limit} were paid out by the program`);
  const everything = all
    .filter((found) => standing(found) && isOfPayment(found) && ['RF', 'RV', 'CD', 'CB'].includes(found.type))
    .filter(
      (found) =>
        found.type !== 'CB' || !all.some((other) => other.type === 'CR' && other.referencedId === found.id),
    )
    .reduce((sum, found) => sum + payment.toMinor(found.amount), 0n);
  const aftermath = all.some((found) => found.type === 'CB');
  if (everything > limit && !facts.hasOutsideMoney && !aftermath)
    wrong.push(`${everything} of ${limit} are out, and nothing outside forced it`);
  return wrong;
}

export const standing = (found: Transaction): boolean => found.state === 'succeeded';

/** True if a transaction has the attempt's reference, or has none and an operator linked it to the attempt. */
export function isOf(found: Transaction, attempt: Row): boolean {
  if (found.type !== 'RF' && found.type !== 'RV' && found.type !== 'CD') return false;
  return found.merchantTransactionId === null
    ? found.id === attempt['gateway_id']
    : found.merchantTransactionId === attempt['reference'];
}

/** Checks that the ledger's state of an attempt is what the gateway did. */
function wrongAttempt({ database, payment }: Harness, attempt: Row, all: readonly Transaction[]): string[] {
  const reference = text(attempt, 'reference');
  const under = all.filter((found) => isOf(found, attempt));
  const paid = under.filter(standing).reduce((sum, found) => sum + payment.toMinor(found.amount), 0n);
  const cases = database.tables.rows.cases.filter(
    (entry) => entry['refund_id'] === attempt['refund_id'] && entry['closed_at'] === null,
  );
  const isWatched = cases.length > 0;
  const wrong: string[] = [];
  switch (attempt['state']) {
    case 'succeeded':
      if (paid !== paidBackBy(attempt) && !cases.some((entry) => entry['why'] === 'answers_contradict'))
        wrong.push(
          `${reference} is paid in the ledger with ${paidBackBy(attempt)}, at the gateway with ${paid}`,
        );
      break;
    case 'rejected':
    case 'absent':
    case 'returned':
      if (paid !== 0n && !isWatched)
        wrong.push(
          `${reference} is ${text(attempt, 'state')} in the ledger, ${paid} went out, no case is open`,
        );
      break;
    default:
      if (!isWatched) wrong.push(`${reference} is ${text(attempt, 'state')} and no case is open`);
  }
  const own = database.tables.rows.events.filter((event) => event['attempt_id'] === attempt['id']);
  if (attempt['state'] === 'rejected' && attempt['result_code'] === null && !isCorrected(own))
    wrong.push(`I4: ${reference} was rejected, and not by the gateway`);
  for (const found of under)
    if (
      found.executed &&
      found.type !== 'RV' &&
      payment.toMinor(found.amount) !== amount(attempt, 'amount_minor')
    )
      wrong.push(
        `${reference} was to pay ${amount(attempt, 'amount_minor')} and paid ${payment.toMinor(found.amount)}`,
      );
  return wrong;
}

/** Checks that the customer has all of what was promised, or nothing, or that a case is open. */
function wrongRefund({ database, payment }: Harness, refund: Row, all: readonly Transaction[]): string[] {
  const attempts = database.tables.rows.attempts.filter((attempt) => attempt['refund_id'] === refund['id']);
  const own = all.filter((found) => standing(found) && attempts.some((attempt) => isOf(found, attempt)));
  const paid = own.reduce((sum, found) => sum + payment.toMinor(found.amount), 0n);
  const promised = amount(refund, 'amount_minor');
  const outside = amount(refund, 'elsewhere_minor') + amount(refund, 'charged_back_minor');
  const state = stateOf(refund);
  const name = `refund ${text(refund, 'id').slice(-6)}`;
  if (paid > promised) return [`${name}: ${paid} of ${promised} were paid: too much`];
  const isAsked = database.tables.rows.cases.some(
    (entry) => entry['refund_id'] === refund['id'] && entry['closed_at'] === null,
  );
  if (state === 'succeeded' || state === 'settled')
    return paid + outside >= promised || isAsked
      ? []
      : [`${name} is ${state}, ${paid} of ${promised} were paid`];
  if (!isFinal(state)) return [];
  const mayStillPay = all.some(
    (found) => found.state === 'pending' && attempts.some((attempt) => isOf(found, attempt)),
  );
  return paid === 0n && !mayStillPay ? [] : [`${name} is ${state}, and ${paid} were paid or may still be`];
}

/** Checks I3 (default deny) for a credit, against the gateway's real books and not against what the program had seen. */
function wrongCredit(harness: Harness, credit: Transaction, all: readonly Transaction[]): string[] {
  const { database, payment, config } = harness;
  const { attempts, refunds, events } = database.tables.rows;
  const attempt = attempts.find((row) => row['reference'] === credit.merchantTransactionId);
  if (attempt === undefined) return [];
  const refund = refunds.find((row) => row['id'] === attempt['refund_id']);
  const wrong: string[] = [];
  const add = (why: string): void =>
    void wrong.push(`I3: credit ${credit.merchantTransactionId ?? ''}: ${why}`);

  const before = attempts.filter(
    (row) => row['refund_id'] === attempt['refund_id'] && Number(row['number']) < Number(attempt['number']),
  );
  const last = before.filter((row) => row['operation'] !== 'credit').at(-1);
  // A declined attempt may turn out paid: then its decline class is deleted, and a case is open.
  const destinationChanges = events.filter(
    (event) => event['refund_id'] === attempt['refund_id'] && event['type'] === 'refund.destination_changed',
  );
  const destinationChangedBefore = destinationChanges.filter(
    (event) => atOf(event) <= arrivalOf(harness, credit),
  );
  const isDestinationChanged = destinationChangedBefore.length > 0;
  const isDirect = refund?.['asked_for'] === 'credit';
  const isUnlinkedCredit = attempt['payment_id'] !== payment.id;
  if (isUnlinkedCredit && !isDirect) add('it is linked to no payment, and was not requested so');
  if (
    !isDirect &&
    (last === undefined ||
      !(
        (isDestinationChanged && last['decline_class'] === 'card_unusable') ||
        OPENS_CREDIT.has(last['decline_class']) ||
        last['state'] === 'succeeded' ||
        last['state'] === 'returned'
      ))
  )
    add(`no decline before it allows a credit (${String(last?.['decline_class'])})`);
  if (!config.policy.creditEnabled) add('credits are not enabled');

  const at = arrivalOf(harness, credit);
  const seen = at - PROOF_AGE;
  const known = all.filter(
    (found) => Math.max(found.timestamp, found.visibleAt) <= seen && wasStanding(found, at),
  );
  const chargedBack = isUnlinkedCredit
    ? 0n
    : known
        .filter((found) => found.type === 'CB')
        .reduce((sum, found) => sum + stoodThen(found, all, seen, at), 0n);
  const refunded = known
    .filter((found) => ['RF', 'RV', 'CD'].includes(found.type) && found.id !== credit.id)
    .reduce((sum, found) => sum + found.amount, 0n);
  if (!isUnlinkedCredit && payment.toMinor(refunded + credit.amount) > payment.minor)
    add('more than was captured had been paid back');
  if (chargedBack > 0n && payment.toMinor(refunded + credit.amount + chargedBack) > payment.minor)
    add('a chargeback had taken what it pays back');
  // The destination at that time: from the last change before the credit, or the one that the first later change replaced.
  const lastChange = destinationChangedBefore.at(-1);
  const wanted =
    (lastChange === undefined
      ? destinationChanges[0] === undefined
        ? destinationOf(refund)
        : registrationIn(destinationChanges[0], 'from')
      : registrationIn(lastChange, 'to')) ?? payment.created.registrationId;
  if (wentTo(harness, attempt, credit) !== wanted) add('it went to another destination');

  const limit = config.policy.creditApprovalAbove[credit.currency];
  const needs =
    isUnlinkedCredit ||
    chargedBack > 0n ||
    limit === undefined ||
    payment.toMinor(credit.amount) > BigInt(limit) ||
    isAboveSum(harness, attempt, payment.toMinor(credit.amount), BigInt(limit)) ||
    wanted !== payment.created.registrationId ||
    isDestinationChanged;
  const changedBy = destinationChangedBefore.map((event) => event['actor']);
  const approved = events.some(
    (event) =>
      event['refund_id'] === attempt['refund_id'] &&
      event['type'] === 'refund.approved' &&
      !changedBy.includes(event['actor']) &&
      text(event, 'actor').replace(', disguised', '') !== refund?.['requested_by'] &&
      atOf(event) <= at,
  );
  if (needs && !approved) add('it was not approved');
  return wrong;
}

/** Returns when the order arrived: the gateway may execute it minutes later, but the program decided by what was known at arrival. */
function arrivalOf({ arrivals }: Harness, { merchantTransactionId, timestamp }: Transaction): number {
  const before = (arrivals.get(merchantTransactionId ?? '') ?? []).filter((at) => at <= timestamp);
  return before.at(-1) ?? timestamp;
}

/** True if the transaction was in force at `at`: one that was returned later was. */
function wasStanding(found: Transaction, at: number): boolean {
  return found.state !== 'rejected' || (found.executed && found.changedAt > at);
}

function registrationIn(event: Row, field: 'from' | 'to'): string | undefined {
  const { data } = event;
  const value: unknown =
    typeof data === 'object' && data !== null
      ? Object.getOwnPropertyDescriptor(data, field)?.value
      : undefined;
  return typeof value === 'string' ? value : undefined;
}

/**
 * Returns the destination of an executed credit: a registration, or the card of the attempt. If the card was registered first, the credit
 * has to go to that registration.
 */
function wentTo({ database }: Harness, attempt: Row, credit: Transaction): string | null {
  if (attempt['card_id'] === null) return credit.registrationId;
  const registered = database.tables.rows.card_registrations.find(
    (row) => row['card_id'] === attempt['card_id'] && row['state'] === 'registered',
  );
  const isRight = credit.registrationId === (registered?.['registration_id'] ?? null);
  return isRight ? `card ${text(attempt, 'card_id')}` : credit.registrationId;
}

function destinationOf(refund: Row | undefined): string | undefined {
  const destination = refund?.['destination'];
  if (typeof destination !== 'object' || destination === null) return undefined;
  if ('cardRef' in destination) return `card ${String(destination.cardRef)}`;
  if (!('registrationId' in destination)) return undefined;
  return typeof destination.registrationId === 'string' ? destination.registrationId : undefined;
}
