/** The gateway's own books against the ledger: what really left, for whom, how often, and whether it was allowed to. */
import { isFinal } from '../../../domain/refund/states.js';
import type { Transaction } from '../../../sandbox/gateway/types.js';
import type { Row } from '../database/tables.js';
import type { OutsideFacts } from '../harness/outside-facts.js';
import type { Harness } from '../harness/harness.js';
import { fixtureBy, isCorrected, stateOf } from './books.js';
import { stoodThen } from './disputed.js';
import { amount, text } from './rows.js';

/** Longer before a credit than this, a fact at the gateway has to have been seen by its proof: two send windows and the way there. */
const PROOF_AGE = 62_000;
/** Classes of refusal that may be followed by a credit at all. */
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
  const fixture = all.filter(
    (found) => (found.type === 'RF' || found.type === 'RV' || found.type === 'CD') && found.source === 'OPP',
  );
  const { attempts, refunds } = database.tables.rows;
  // What is linked to nothing is no money of this payment.
  const free = new Set(
    attempts.filter((attempt) => attempt['payment_id'] !== payment.id).map((attempt) => attempt['reference']),
  );
  const isOfPayment = (found: Transaction): boolean => !free.has(found.merchantTransactionId);
  const wrong: string[] = [];

  for (const reference of new Set(fixture.map((found) => found.merchantTransactionId ?? ''))) {
    const times = gateway.executedByReference(reference);
    if (times > 1) wrong.push(`${reference} was executed ${times} times`);
    if (!attempts.some((attempt) => attempt['reference'] === reference))
      wrong.push(`the gateway was sent ${reference}, which nobody wrote down`);
  }
  for (const attempt of attempts) wrong.push(...wrongAttempt(harness, attempt, all));
  for (const refund of refunds) wrong.push(...wrongRefund(harness, refund, all));
  for (const credit of fixture)
    if (credit.type === 'CD' && credit.executed)
      wrong.push(...wrongCredit(harness, credit, all.filter(isOfPayment)));

  const out = fixture
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
  if (everything > limit && !facts.hasForcedMoney && !aftermath)
    wrong.push(`${everything} of ${limit} are out, and nothing outside forced it`);
  return wrong;
}

export const standing = (found: Transaction): boolean => found.state === 'succeeded';

/** Under its reference; or without one, where a person said that it is this attempt. */
export function isOf(found: Transaction, attempt: Row): boolean {
  if (found.type !== 'RF' && found.type !== 'RV' && found.type !== 'CD') return false;
  return found.merchantTransactionId === null
    ? found.id === attempt['gateway_id']
    : found.merchantTransactionId === attempt['reference'];
}

/** What the ledger says of an attempt is what the gateway did. */
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
      if (paid !== fixtureBy(attempt) && !cases.some((entry) => entry['why'] === 'answers_contradict'))
        wrong.push(
          `${reference} is paid in the ledger with ${fixtureBy(attempt)}, at the gateway with ${paid}`,
        );
      break;
    case 'rejected':
    case 'absent':
    case 'returned':
      if (paid !== 0n && !isWatched)
        wrong.push(`${reference} is ${text(attempt, 'state')} in the ledger, ${paid} went out, nobody looks`);
      break;
    default:
      if (!isWatched) wrong.push(`${reference} is ${text(attempt, 'state')} and nobody looks`);
  }
  const own = database.tables.rows.events.filter((event) => event['attempt_id'] === attempt['id']);
  if (attempt['state'] === 'rejected' && attempt['result_code'] === null && !isCorrected(own))
    wrong.push(`I4: ${reference} was refused, and not by the gateway`);
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

/** The customer has what was promised: all of it, or nothing, or somebody looks. */
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

/** I3: default deny. Weighed against what was really at the gateway, not against what the program believed. */
function wrongCredit(harness: Harness, credit: Transaction, all: readonly Transaction[]): string[] {
  const { database, payment, config } = harness;
  const { attempts, refunds, events } = database.tables.rows;
  const attempt = attempts.find((row) => row['reference'] === credit.merchantTransactionId);
  if (attempt === undefined) return [];
  const refund = refunds.find((row) => row['id'] === attempt['refund_id']);
  const wrong: string[] = [];
  const print = (why: string): void =>
    void wrong.push(`I3: credit ${credit.merchantTransactionId ?? ''}: ${why}`);

  const before = attempts.filter(
    (row) => row['refund_id'] === attempt['refund_id'] && Number(row['number']) < Number(attempt['number']),
  );
  const last = before.filter((row) => row['operation'] !== 'credit').at(-1);
  // One that was refused may have paid in the end: then its class is gone, and a case is open.
  const redirections = events.filter(
    (event) => event['refund_id'] === attempt['refund_id'] && event['type'] === 'refund.destination_changed',
  );
  const destinationChangedBefore = redirections.filter((event) => atOf(event) <= arrivalOf(harness, credit));
  const isDestinationChanged = destinationChangedBefore.length > 0;
  const isDirect = refund?.['asked_for'] === 'credit';
  const isUnlinkedCredit = attempt['payment_id'] !== payment.id;
  if (isUnlinkedCredit && !isDirect) print('it is linked to no payment, and nobody asked for that');
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
    print(`no refusal before it opens the way (${String(last?.['decline_class'])})`);
  if (!config.policy.creditEnabled) print('credits are not enabled');

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
  const fixture = known
    .filter((found) => ['RF', 'RV', 'CD'].includes(found.type) && found.id !== credit.id)
    .reduce((sum, found) => sum + found.amount, 0n);
  if (!isUnlinkedCredit && payment.toMinor(fixture + credit.amount) > payment.minor)
    print('more than was captured had been given back');
  if (chargedBack > 0n && payment.toMinor(fixture + credit.amount + chargedBack) > payment.minor)
    print('a chargeback had taken what it gives back');
  // What it was told by then: the last redirection before it, or what the first one after it replaced.
  const reported = destinationChangedBefore.at(-1);
  const wanted =
    (reported === undefined
      ? redirections[0] === undefined
        ? destinationOf(refund)
        : registrationIn(redirections[0], 'from')
      : registrationIn(reported, 'to')) ?? payment.created.registrationId;
  if (credit.registrationId !== wanted) print('it went to somebody else');

  const limit = config.policy.creditApprovalAbove[credit.currency];
  const needs =
    isUnlinkedCredit ||
    chargedBack > 0n ||
    limit === undefined ||
    payment.toMinor(credit.amount) + paidUnseenBefore(harness, attempt) > BigInt(limit) ||
    wanted !== payment.created.registrationId ||
    isDestinationChanged;
  const redirectors = destinationChangedBefore.map((event) => event['actor']);
  const approved = events.some(
    (event) =>
      event['refund_id'] === attempt['refund_id'] &&
      event['type'] === 'refund.approved' &&
      !redirectors.includes(event['actor']) &&
      text(event, 'actor').replace(', disguised', '') !== refund?.['requested_by'] &&
      atOf(event) <= at,
  );
  if (needs && !approved) print('nobody approved it');
  return wrong;
}

const DAY = 24 * 3_600_000;

/** What had been credited within a day before this credit was sent, and nobody had approved: it adds up with this one. One requester asks for all. */
function paidUnseenBefore({ database }: Harness, credit: Row): bigint {
  const { attempts, events } = database.tables.rows;
  const sent = lastOf(events, credit, 'attempt.submitted');
  if (sent === undefined) return 0n;
  const isBefore = (event: Row | undefined): event is Row =>
    event !== undefined && Number(event['id']) < Number(sent['id']);
  return attempts
    .filter((other) => {
      if (other['operation'] !== 'credit' || other['id'] === credit['id']) return false;
      const submitted = lastOf(events, other, 'attempt.submitted');
      const wasApproved = events.some(
        (event) => event['refund_id'] === other['refund_id'] && event['type'] === 'refund.approved',
      );
      return (
        !wasApproved &&
        isBefore(submitted) &&
        atOf(submitted) > atOf(sent) - DAY &&
        isBefore(lastOf(events, other, 'attempt.succeeded')) &&
        !isBefore(lastOf(events, other, 'attempt.returned'))
      );
    })
    .reduce((sum, other) => sum + amount(other, 'amount_minor'), 0n);
}

const lastOf = (events: readonly Row[], attempt: Row, type: string): Row | undefined =>
  events.findLast((event) => event['attempt_id'] === attempt['id'] && event['type'] === type);

/** The gateway may carry out an order minutes after it came; what was known then is what it has to be weighed against. */
function arrivalOf({ arrivals }: Harness, { merchantTransactionId, timestamp }: Transaction): number {
  const before = (arrivals.get(merchantTransactionId ?? '') ?? []).filter((at) => at <= timestamp);
  return before.at(-1) ?? timestamp;
}

/** What came back later stood then. */
function wasStanding(found: Transaction, at: number): boolean {
  return found.state !== 'rejected' || (found.executed && found.changedAt > at);
}

const atOf = (event: Row): number => (event['at'] instanceof Date ? event['at'].getTime() : Infinity);

function registrationIn(event: Row, field: 'from' | 'to'): string | undefined {
  const { data } = event;
  const value: unknown =
    typeof data === 'object' && data !== null
      ? Object.getOwnPropertyDescriptor(data, field)?.value
      : undefined;
  return typeof value === 'string' ? value : undefined;
}

function destinationOf(refund: Row | undefined): string | undefined {
  const destination = refund?.['destination'];
  if (typeof destination !== 'object' || destination === null || !('registrationId' in destination))
    return undefined;
  return typeof destination.registrationId === 'string' ? destination.registrationId : undefined;
}
