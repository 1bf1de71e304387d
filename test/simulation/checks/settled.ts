/** Checks how each refund is reported as settled (by which means, and how much) against the gateway's own books. */
import { settledAmountOf, type SettlementFacts } from '../../../domain/refund/settlement.js';
import { isFinal } from '../../../domain/refund/states.js';
import type { Operation } from '../../../domain/refund/operation.js';
import type { Transaction } from '../../../sandbox/gateway/types.js';
import type { Row } from '../database/tables.js';
import type { Harness } from '../harness/harness.js';
import { stateOf } from './books.js';
import { isOf, standing } from './gateway.js';
import { amount, text } from './rows.js';

const OPERATIONS: readonly Operation[] = ['refund', 'reversal', 'credit'];

export async function settlementViolations(harness: Harness): Promise<string[]> {
  const { refunds } = harness.database.tables.rows;
  const wrong: string[] = [];
  for (const refund of refunds) wrong.push(...(await wrongSettlement(harness, refund)));
  return [...wrong, ...wrongClaims(harness)];
}

/** Checks a final refund only: until then, or while a case is open, its report may still change. */
async function wrongSettlement(harness: Harness, refund: Row): Promise<string[]> {
  const { database, gateway, payment, ledger } = harness;
  const { attempts, cases } = database.tables.rows;
  const state = stateOf(refund);
  const isAsked = cases.some((one) => one['refund_id'] === refund['id'] && one['closed_at'] === null);
  if (!isFinal(state) || isAsked) return [];
  const all = gateway.transactions();
  const own = attempts.filter((attempt) => attempt['refund_id'] === refund['id']);
  const facts: SettlementFacts = {
    amountMinor: amount(refund, 'amount_minor'),
    attempts: own.flatMap((attempt) => {
      const operation = OPERATIONS.find((known) => known === attempt['operation']);
      const paid = all.filter((found) => standing(found) && isOf(found, attempt));
      return operation === undefined
        ? []
        : paid.map((found) => ({
            operation,
            state: 'succeeded' as const,
            amountMinor: payment.toMinor(found.amount),
          }));
    }),
    elsewhereMinor: amount(refund, 'elsewhere_minor'),
    chargedBackMinor: amount(refund, 'charged_back_minor'),
  };
  const real = settledAmountOf(facts, text(refund, 'currency'));
  const { settled: reported } = await ledger.snapshot(text(refund, 'id'));
  const name = `refund ${text(refund, 'id').slice(-6)}`;
  const isWhole = reported.settledAmount === reported.amount;
  const endedOutside = state === 'closed_by_dispute' || state === 'refunded_elsewhere';
  const left = endedOutside || isWhole ? 0n : unclaimed(harness, refund);
  return [
    ...(reported.settledBy === real.settledBy && reported.settledAmount === real.settledAmount
      ? []
      : [
          `${name} is reported as settled by ${String(reported.settledBy)} with ${reported.settledAmount}, the gateway has ${String(real.settledBy)} with ${real.settledAmount}`,
        ]),
    ...(endedOutside && !isWhole
      ? [`${name} is ${state}, and the customer has ${reported.settledAmount} of ${reported.amount}`]
      : []),
    ...(left > 0n
      ? [`${name} is ${state}, and ${left} was refunded elsewhere before its end and counts for no refund`]
      : []),
  ];
}

/** Returns the amount that was refunded elsewhere during this refund, is on record before its end, and counts for no refund. */
function unclaimed({ database, gateway, payment }: Harness, refund: Row): bigint {
  const { events, refunds } = database.tables.rows;
  const own = events.filter((event) => event['refund_id'] === refund['id']);
  const asked = own.find((event) => event['type'] === 'refund.requested');
  const end = own.findLast((event) => event['type'] === `refund.${text(refund, 'state')}`);
  const known = new Set(
    events
      .filter(
        (event) =>
          event['type'] === 'payment.returned_elsewhere' &&
          event['payment_id'] === refund['payment_id'] &&
          Number(event['id']) > Number(asked?.['id'] ?? Infinity) &&
          Number(event['id']) < Number(end?.['id'] ?? 0),
      )
      .map((event) => idIn(event['data'])),
  );
  const elsewhere = madeElsewhere(database.tables.rows.attempts, gateway.transactions());
  const sum = (found: readonly Transaction[]): bigint =>
    found.reduce((total, one) => total + payment.toMinor(one.amount), 0n);
  const claimed = refunds.reduce((total, one) => total + amount(one, 'elsewhere_minor'), 0n);
  const free = sum(elsewhere) - claimed;
  // Amounts carry no name: what this refund has of outside money counts as the part that was on record before its end.
  const since = sum(elsewhere.filter(({ id }) => known.has(id))) - amount(refund, 'elsewhere_minor');
  return free < since ? free : since;
}

/** Checks that the ledger counts no more money from outside than the gateway has. */
function wrongClaims({ database, gateway, payment }: Harness): string[] {
  const { refunds, payments, events, attempts } = database.tables.rows;
  const row = payments.find(({ id }) => id === payment.id);
  const observedAt = row?.['observed_at'];
  const all = gateway.transactions();
  const elsewhere = madeElsewhere(attempts, all);
  const disputes = all.filter(({ type }) => type === 'CB' || type === 'CR');
  const isUpdate = ({ changedAt, visibleAt }: Transaction): boolean =>
    !(observedAt instanceof Date) || Math.max(changedAt, visibleAt) >= observedAt.getTime();
  const isUnclear = events.some((event) => event['type'] === 'payment.unclear');
  // Changes after the last query are unknown to the ledger; an operator decides a doubt.
  if (
    isUnclear ||
    disputes.some(isUpdate) ||
    all.some((found) => found.source === 'SYSTEM' && isUpdate(found))
  )
    return [];
  const sum = (found: readonly Transaction[]): bigint =>
    found.filter(standing).reduce((total, one) => total + payment.toMinor(one.amount), 0n);
  const chargedBack = disputes
    .filter((found) => found.type === 'CB' && standing(found))
    .reduce((total, { id, amount: hundredths }) => {
      const left =
        payment.toMinor(hundredths) -
        sum(disputes.filter(({ type, referencedId }) => type === 'CR' && referencedId === id));
      return left > 0n ? total + left : total;
    }, 0n);
  const claimed = (column: string): bigint =>
    refunds
      .filter((refund) => refund['payment_id'] === payment.id)
      .reduce((total, refund) => total + amount(refund, column), 0n);
  return [
    ...(claimed('elsewhere_minor') <= sum(elsewhere)
      ? []
      : [`${claimed('elsewhere_minor')} count as refunded elsewhere, the gateway has ${sum(elsewhere)}`]),
    ...(claimed('charged_back_minor') <= chargedBack
      ? []
      : [`${claimed('charged_back_minor')} count as charged back, the gateway has ${chargedBack}`]),
  ];
}

function madeElsewhere(attempts: readonly Row[], all: readonly Transaction[]): readonly Transaction[] {
  return all.filter(
    (found) =>
      standing(found) &&
      found.source === 'SYSTEM' &&
      (found.type === 'RF' || found.type === 'RV') &&
      !attempts.some((attempt) => isOf(found, attempt)),
  );
}

function idIn(data: unknown): unknown {
  return typeof data === 'object' && data !== null
    ? Object.getOwnPropertyDescriptor(data, 'gatewayId')?.value
    : undefined;
}
