/** Reads the outcome of an attempt from an answer or a query. Anything that is not certain is `unknown`. */
import { isGatewayId, type GatewayId } from '../ids.js';
import { parseGatewayAmount } from '../money/money.js';
import type { DeclineClass } from '../decline-class.js';
import type {
  GatewayTransaction,
  NoAnswerReason,
  NotSentReason,
  ResultDoubt,
  ResultMeaning,
  SendResult,
} from '../transaction.js';
import type { Operation } from './operation.js';

/** How an answer contradicts the order, or lacks what a trustworthy one has. */
export type EchoDoubt =
  /** Neither a success nor a pending transaction comes without an id and a type. */
  | 'no_id'
  | 'no_type'
  | 'malformed_id'
  /** The id of the original: the transaction is the debit, not our order. */
  | 'id_of_original'
  | 'wrong_type'
  | 'wrong_amount'
  | 'wrong_currency'
  | 'wrong_reference'
  | 'wrong_original';

/** Reasons that an outcome is unknown. `found_twice`: two successes under one reference; an operator must check. */
export type UnknownReason = NoAnswerReason | ResultDoubt | EchoDoubt | 'found_twice';

/** The outcome of one attempt, by one answer of the gateway or by everything that a query found. */
export type Outcome =
  | {
      readonly kind: 'succeeded';
      readonly gatewayId: GatewayId;
      readonly flagged: boolean;
      /** The amount that the gateway shows for a reversal, where that is less than what was ordered. */
      readonly releasedMinor?: bigint;
    }
  | { readonly kind: 'pending'; readonly gatewayId: GatewayId }
  | {
      readonly kind: 'rejected';
      readonly class: DeclineClass;
      readonly gatewayId?: GatewayId;
      /** Of a query: how many declined transactions it showed under our reference, and when the gateway declined the newest. */
      readonly declines?: number;
      readonly declinedAt?: Date;
    }
  | {
      readonly kind: 'unknown';
      readonly why: UnknownReason;
      readonly gatewayId?: GatewayId;
      /** `found_twice`: every success that the gateway shows, as listed. Each of them is money that left. */
      readonly executed?: readonly GatewayId[];
    }
  | { readonly kind: 'not_sent'; readonly why: NotSentReason };

/** A query found something else, or nothing. One alone does not prove that the attempt never arrived. */
export interface NoMatch {
  readonly kind: 'no_match';
}

/** The submitted order, which an answer must agree with. */
export interface Expectation {
  readonly operation: Operation;
  /** The transaction that a refund or reversal refers to. */
  readonly originalId?: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** Ours. Every order carries one, so an answer with another one is not of this order. */
  readonly reference: string;
}

/** Returns the outcome of one submission. The HTTP status decides nothing: declines arrive with 200 and with 400. */
export function outcomeOfSend(result: SendResult, expected: Expectation): Outcome {
  switch (result.kind) {
    case 'answered':
      return outcomeOf(result.transaction, expected);
    case 'no_answer':
      return { kind: 'unknown', why: result.why };
    case 'not_sent':
      return { kind: 'not_sent', why: result.why };
    default:
      return result satisfies never;
  }
}

/**
 * Returns the outcome shown by a query by our reference, or by the original's linked transactions. Only entries under our reference count, of our type
 * or of none: a chargeback may carry the reference of the refund it disputes.
 *
 * A declined one and a later success may both be listed, so the strongest counts: a contradiction (it looks like a success of another
 * amount: money may have moved that was not ordered), two successes, a success, pending, a doubt, and only then a decline, the latest.
 */
export function outcomeOfFound(
  found: readonly GatewayTransaction[],
  expected: Expectation,
): Outcome | NoMatch {
  const entries = found.filter((entry) => isUnderOurReference(entry, expected));
  const judged = entries.map((entry) => ({ entry, outcome: outcomeOf(entry, expected) }));

  const contradiction = judged.find(
    ({ entry, outcome }) => outcome.kind === 'unknown' && looksAlive(meaningOf(entry, expected)),
  );
  if (contradiction !== undefined) return contradiction.outcome;
  const successes = judged.flatMap(({ outcome }) => (outcome.kind === 'succeeded' ? [outcome] : []));
  const executed = [...new Set(successes.map(({ gatewayId }) => gatewayId))];
  if (executed.length > 1) return { kind: 'unknown', why: 'found_twice', executed };
  const best =
    successes[0] ??
    judged.find(({ outcome }) => outcome.kind === 'pending')?.outcome ??
    judged.find(({ outcome }) => outcome.kind === 'unknown')?.outcome;
  return best ?? newestDecline(judged) ?? { kind: 'no_match' };
}

interface Judged {
  readonly entry: GatewayTransaction;
  readonly outcome: Outcome;
}

/** Returns the newest outcome, with the number of declines. Called only if all entries are declines. */
function newestDecline(judged: readonly Judged[]): Outcome | undefined {
  const newest = latest(judged);
  if (newest?.outcome.kind !== 'rejected') return newest?.outcome;
  const declinedAt = timeOf(newest.entry);
  const declines = new Set(judged.map(({ entry }) => entry.id)).size;
  return { ...newest.outcome, declines, ...(declinedAt === undefined ? {} : { declinedAt }) };
}

/** `2026-09-01 10:22:16+0000`, with or without milliseconds. */
function timeOf({ timestamp = '' }: GatewayTransaction): Date | undefined {
  const parts = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,3})?)\+0000$/.exec(timestamp);
  const time = parts === null ? NaN : Date.parse(`${parts[1]}T${parts[2]}Z`);
  return Number.isNaN(time) ? undefined : new Date(time);
}

/** Returns the ids in the gateway's answer to a submission, readable or not. */
export function idsInAnswer(result: SendResult): readonly string[] {
  switch (result.kind) {
    case 'answered':
      return idsIn([result.transaction]);
    case 'no_answer':
      return result.ids ?? [];
    case 'not_sent':
      return [];
    default:
      return result satisfies never;
  }
}

/** Returns the ids of the transactions that a query found under our reference. */
export function idsInFound(found: readonly GatewayTransaction[], expected: Expectation): readonly string[] {
  return idsIn(found.filter((entry) => isUnderOurReference(entry, expected)));
}

const idsIn = (transactions: readonly GatewayTransaction[]): readonly string[] =>
  transactions.flatMap(({ id }) => (id === undefined || id === '' ? [] : [id]));

function outcomeOf(transaction: GatewayTransaction, expected: Expectation): Outcome {
  const reading = meaningOf(transaction, expected);
  const id = transaction.id !== undefined && isGatewayId(transaction.id) ? transaction.id : undefined;
  const known = id === undefined || id === expected.originalId ? {} : { gatewayId: id };
  if (reading.kind === 'unknown') return { kind: 'unknown', why: reading.why, ...known };
  const doubt = doubtOfEcho(transaction, expected);
  if (doubt !== undefined) return { kind: 'unknown', why: doubt, ...known };
  if (reading.kind === 'declined') return { kind: 'rejected', class: reading.class, ...known };

  if (id === undefined) return { kind: 'unknown', why: 'no_id' };
  if (transaction.type === undefined) return { kind: 'unknown', why: 'no_type', ...known };
  switch (reading.kind) {
    case 'succeeded':
      return {
        kind: 'succeeded',
        gatewayId: id,
        flagged: reading.flagged,
        ...releasedOf(transaction, expected),
      };
    case 'pending':
      return { kind: 'pending', gatewayId: id };
    default:
      return reading satisfies never;
  }
}

/**
 * Compares the fields of an answer with the order. Missing fields are accepted: declines have no amount, old recordings no `referencedId`.
 * A credit refers to nothing, or to the registration that it pays to.
 */
function doubtOfEcho(transaction: GatewayTransaction, expected: Expectation): EchoDoubt | undefined {
  const { id, type, amount, currency, reference, referencedId } = transaction;
  if (id !== undefined && !isGatewayId(id)) return 'malformed_id';
  if (id !== undefined && id === expected.originalId) return 'id_of_original';
  if (type !== undefined && type !== expected.operation) return 'wrong_type';
  if (reference !== undefined && reference !== expected.reference) return 'wrong_reference';
  if (
    expected.operation !== 'credit' &&
    expected.originalId !== undefined &&
    referencedId !== undefined &&
    referencedId !== expected.originalId
  )
    return 'wrong_original';
  if (currency !== undefined && currency !== expected.currency) return 'wrong_currency';
  if (amount !== undefined && !isExpectedAmount(amount, expected)) return 'wrong_amount';
  return undefined;
}

/** A reversal releases what was not captured meanwhile, which may be less than what was ordered; it never releases more. */
function isExpectedAmount(amount: string, expected: Expectation): boolean {
  const shown = minorOf(amount, expected.currency);
  if (shown === undefined) return false;
  return expected.operation === 'reversal'
    ? shown > 0n && shown <= expected.amountMinor
    : shown === expected.amountMinor;
}

function releasedOf(
  { amount }: GatewayTransaction,
  expected: Expectation,
): { readonly releasedMinor?: bigint } {
  const shown = amount === undefined ? undefined : minorOf(amount, expected.currency);
  return expected.operation === 'reversal' && shown !== undefined && shown < expected.amountMinor
    ? { releasedMinor: shown }
    : {};
}

/** By value: `92` and `92.00` are the same euros. */
function minorOf(amount: string, currency: string): bigint | undefined {
  const read = parseGatewayAmount(amount, currency);
  return read.ok ? read.money.minor : undefined;
}

const meaningOf = ({ result }: GatewayTransaction, { operation }: Expectation): ResultMeaning =>
  result.meaning[operation];

/** Its result says that money moved or may yet move. */
function looksAlive(reading: ResultMeaning): boolean {
  return reading.kind === 'succeeded' || reading.kind === 'pending';
}

function isUnderOurReference({ reference, type }: GatewayTransaction, expected: Expectation): boolean {
  return reference === expected.reference && (type === undefined || type === expected.operation);
}

/** By the gateway's own time, which sorts as text in both of its forms; the last one listed where it gives none. */
function latest(judged: readonly Judged[]): Judged | undefined {
  return judged.reduce<Judged | undefined>(
    (last, next) =>
      last !== undefined && (next.entry.timestamp ?? '') < (last.entry.timestamp ?? '') ? last : next,
    undefined,
  );
}
