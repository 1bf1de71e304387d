/** Verdicts about money: compares the ledger, the gateway's books and the answers to clients with each other. */
import { sql } from 'kysely';
import { storedMoney, formatAmount } from '../../domain/money/money.js';
import { FINAL_STATES, isFinal, type RefundState } from '../../domain/refund/states.js';
import type { Database } from '../../ledger/db/database.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import { allRefunds, compareBooks } from '../../sandbox/demo/books.js';
import { formatAmount as gatewayText } from '../../sandbox/gateway/amounts.js';
import type { SimulatedGateway } from '../../sandbox/gateway/simulated-gateway.js';
import type { Transaction } from '../../sandbox/gateway/types.js';
import { violationsOf } from '../ledger/invariants.js';
import type { Notes } from './notes.js';

export interface Verdict {
  readonly name: string;
  /** A sentence for each violation; empty if there is none. */
  readonly wrong: readonly string[];
}

export interface Evidence {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly gateway: SimulatedGateway;
  readonly notes: Notes;
  /** Times at which orders reached the gateway, by reference. */
  readonly arrivals: ReadonlyMap<string, readonly number[]>;
  /** Milliseconds within which an order must leave after its attempt was opened. */
  readonly sendWindow: number;
}

/** Longer than the age that a proof may have when a credit is opened (the send window) and sent (once more). */
const PROOF_MS = 5_000;

/** From handing an order to the socket until a busy gateway has read it. */
const TRANSIT_MS = 2_000;

export async function verdictsOf(evidence: Evidence): Promise<readonly Verdict[]> {
  const { database, gateway, notes } = evidence;
  const refunds = await allRefunds(evidence.ledger);
  const transactions = gateway.transactions();
  const wrongs = await violationsOf(database.db);
  return [
    { name: 'double payments', wrong: doublePayments(refunds, transactions, gateway) },
    { name: 'orders sent twice, or too late', wrong: await wrongOrders(evidence) },
    { name: 'lost refunds', wrong: [...lost(refunds, notes), ...(await withoutReason(database, refunds))] },
    {
      name: 'ledger = gateway, to the cent',
      wrong: disagreements(refunds, linkedAs(refunds, transactions)),
    },
    { name: 'reservations of refunds that are over', wrong: await stillReserved(database) },
    { name: 'invariants on the tables', wrong: wrongs },
    { name: 'answers that break a promise', wrong: [...notes.wrong, ...paidAfterWithdrawal(refunds, notes)] },
  ];
}

/** Checks: each reference once, each refund at most as promised, each payment at most as captured apart from refunds made elsewhere. */
function doublePayments(
  refunds: readonly RefundRecord[],
  transactions: readonly Transaction[],
  gateway: SimulatedGateway,
): string[] {
  const wrong: string[] = [];
  const references = new Set(transactions.flatMap(({ merchantTransactionId: found }) => found ?? []));
  for (const reference of references) {
    const times = gateway.executedByReference(reference);
    if (times > 1) wrong.push(`reference ${reference} was executed ${times} times`);
  }
  const paid = (reference: string): bigint =>
    transactions
      .filter((one) => one.merchantTransactionId === reference && isPayment(one) && one.state === 'succeeded')
      .reduce((sum, one) => sum + one.amount, 0n);
  const byPayment = new Map<string, RefundRecord[]>();
  for (const refund of refunds) {
    const out = refund.attempts.reduce((sum, { reference }) => sum + paid(reference), 0n);
    const promised = hundredthsOf(refund);
    if (out > promised)
      wrong.push(`refund ${refund.id}: ${gatewayText(out)} left for ${gatewayText(promised)} promised`);
    if (refund.isUnlinkedCredit) continue;
    const root = rootPaymentOf(refund.paymentId, transactions);
    byPayment.set(root, [...(byPayment.get(root) ?? []), refund]);
  }
  for (const [id, own] of byPayment) wrong.push(...overpaid(id, own, transactions, paid));
  return wrong;
}

/**
 * Orders without a submission of their own. Each recorded submission lets one order leave, within its window. A frozen process that
 * sends when it resumes breaks this, also if the gateway's own limits keep the money.
 */
async function wrongOrders({ database, arrivals, sendWindow }: Evidence): Promise<string[]> {
  const submissions = await database.db
    .selectFrom('events')
    .innerJoin('attempts', 'attempts.id', 'events.attempt_id')
    .select(['attempts.reference', 'events.at'])
    .where('events.type', '=', 'attempt.submitted')
    .execute();
  const opened = new Map<string, number[]>();
  for (const { reference, at } of submissions)
    opened.set(reference, [...(opened.get(reference) ?? []), at.getTime()]);
  return [...arrivals].flatMap(([reference, times]) => {
    const used = new Set<number>();
    return times.flatMap((time) => {
      const last = opened
        .get(reference)
        ?.filter((at) => at <= time)
        .sort((a, b) => b - a)[0];
      if (last === undefined) return [`order ${reference} was sent before it was recorded`];
      const late = time - last - sendWindow;
      if (late > TRANSIT_MS) return [`order ${reference} was sent ${late} ms after its window had closed`];
      if (used.has(last)) return [`order ${reference} was sent twice for one submission`];
      used.add(last);
      return [];
    });
  });
}

function overpaid(
  id: string,
  refunds: readonly RefundRecord[],
  transactions: readonly Transaction[],
  paid: (reference: string) => bigint,
): string[] {
  const original = transactions.find((one) => one.id === id);
  if (original === undefined) return [`payment ${id} is not at the gateway`];
  const children = transactions.filter((one) => one.referencedId === id);
  const captures = children.filter(({ type }) => type === 'CP');
  const captured =
    captures.length > 0 ? captures.reduce((sum, { amount }) => sum + amount, 0n) : original.amount;
  const attempts = refunds.flatMap((refund) => refund.attempts);
  const ours = attempts.reduce((sum, { reference }) => sum + paid(reference), 0n);
  if (ours > captured) return [`payment ${id}: we gave ${gatewayText(ours)} of ${gatewayText(captured)}`];
  // The gateway caps refunds and declines them while a chargeback stands. Only we cap credits.
  const credits = attempts.filter(
    ({ operation, reference }) => operation === 'credit' && paid(reference) > 0n,
  );
  const linked = new Set([id, ...captures.map((capture) => capture.id)]);
  return credits.flatMap(({ reference, sentAt }) => {
    const known = transactions.filter(
      (one) =>
        one.source === 'SYSTEM' &&
        one.visibleAt < sentAt.getTime() - PROOF_MS &&
        one.referencedId !== null &&
        linked.has(one.referencedId),
    );
    const disputes = known.filter(({ type }) => type === 'CB');
    const standing = disputes.find(
      (dispute) => !transactions.some((one) => one.type === 'CR' && one.referencedId === dispute.id),
    );
    if (standing !== undefined)
      return [`payment ${id}: credit ${reference} although chargeback ${standing.id} stood`];
    const elsewhere = known
      .filter(({ type, state }) => type === 'RF' && state === 'succeeded')
      .reduce((sum, { amount }) => sum + amount, 0n);
    return ours + elsewhere > captured
      ? [`payment ${id}: credit ${reference} although ${gatewayText(elsewhere)} had been refunded elsewhere`]
      : [];
  });
}

/** Compares the ledger with the promises to clients: each is stored as promised, and no refund is stored that no client knows of. */
function lost(refunds: readonly RefundRecord[], notes: Notes): string[] {
  const wrong: string[] = [];
  const stored = new Map(refunds.map((refund) => [refund.id, refund]));
  for (const [id, reported] of notes.accepted) {
    const refund = stored.get(id);
    if (refund === undefined) wrong.push(`refund ${id} was accepted and is not in the ledger`);
    else if (
      (refund.isUnlinkedCredit ? null : refund.paymentId) !== reported.paymentId ||
      textOf(refund) !== reported.amount
    )
      wrong.push(`refund ${id} is not what was accepted: ${textOf(refund)} instead of ${reported.amount}`);
  }
  for (const { id } of refunds)
    if (!notes.accepted.has(id)) wrong.push(`refund ${id} is in the ledger; no answer to a client named it`);
  return wrong;
}

/** Refunds that are neither final nor wait, with a visible reason, for an operator. */
async function withoutReason(database: Database, refunds: readonly RefundRecord[]): Promise<string[]> {
  const open = await database.db
    .selectFrom('cases')
    .select('refund_id')
    .where('closed_at', 'is', null)
    .execute();
  const cases = new Set(open.map(({ refund_id }) => refund_id));
  return refunds.flatMap(({ id, state, why, instruction }) => {
    if (isFinal(state)) return [];
    if (state === 'awaiting_approval')
      return instruction === null ? [`refund ${id} waits for an approval of nothing`] : [];
    if (state !== 'manual_review') return [`refund ${id} is left ${state}${why === null ? '' : ` (${why})`}`];
    return why === null || !cases.has(id) ? [`refund ${id} waits for an operator without a reason`] : [];
  });
}

/** Compares the attempts that both sides know, each with its amount. */
function disagreements(refunds: readonly RefundRecord[], transactions: readonly Transaction[]): string[] {
  const shown = transactions.map((one) => ({ ...one, amount: gatewayText(one.amount) }));
  return compareBooks(refunds, shown).map(({ reference, what }) => `${reference}: ${what}`);
}

async function stillReserved(database: Database): Promise<string[]> {
  const { rows } = await sql<{ id: string; state: string; held: string }>`
    select r.id, r.state, sum(e.reserved_delta)::text as held from refunds r join events e on e.refund_id = r.id
    where r.state = any(${[...FINAL_STATES]}::text[])
    group by r.id, r.state having sum(e.reserved_delta) <> 0
  `.execute(database.db);
  return rows.map(({ id, state, held }) => `refund ${id} is ${state} and holds ${held}`);
}

/** Counts a transaction that was made without a reference and then linked as the attempt that it is linked to. */
export function linkedAs(
  refunds: readonly RefundRecord[],
  transactions: readonly Transaction[],
): readonly Transaction[] {
  const references = new Map(
    refunds.flatMap(({ attempts }) => attempts.map(({ gatewayId, reference }) => [gatewayId, reference])),
  );
  return transactions.map((one) => ({
    ...one,
    merchantTransactionId: one.merchantTransactionId ?? references.get(one.id) ?? null,
  }));
}

/** States that a withdrawn refund may have: a refund or dispute outside may cover all of it. */
const WITHDRAWN: readonly RefundState[] = ['canceled', 'closed_by_dispute', 'refunded_elsewhere'];

/** Withdrawn refunds in another state: nothing may leave for them. */
function paidAfterWithdrawal(refunds: readonly RefundRecord[], notes: Notes): string[] {
  return refunds
    .filter(({ id, state }) => notes.withdrawn.has(id) && !WITHDRAWN.includes(state))
    .map(({ id, state }) => `refund ${id} was withdrawn and is ${state}`);
}

/** Counts refunds that are not at rest, and attempts on which the books differ. The run waits at its end until there are none. */
export async function unsettled({ ledger, gateway }: Evidence): Promise<number> {
  const refunds = await allRefunds(ledger);
  const moving = refunds.filter(
    ({ state }) => !isFinal(state) && state !== 'manual_review' && state !== 'awaiting_approval',
  );
  return moving.length + disagreements(refunds, linkedAs(refunds, gateway.transactions())).length;
}

export const isPayment = ({ type }: Transaction): boolean => type === 'RF' || type === 'RV' || type === 'CD';

function rootPaymentOf(id: string, transactions: readonly Transaction[]): string {
  const found = transactions.find((one) => one.id === id);
  return found?.type === 'CP' && found.referencedId !== null ? found.referencedId : id;
}

const textOf = ({ amountMinor, currency }: RefundRecord): string =>
  formatAmount(storedMoney(amountMinor, currency));

/** Converts to the gateway's two decimals, which it writes for every currency. */
export function hundredthsOf({ amountMinor, currency }: RefundRecord): bigint {
  const { decimals } = storedMoney(amountMinor, currency);
  return decimals >= 2
    ? amountMinor / 10n ** BigInt(decimals - 2)
    : amountMinor * 10n ** BigInt(2 - decimals);
}
