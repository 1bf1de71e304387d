/** Fixtures for tests of the ledger: originals, requests, outcomes and evidence. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { CaseReason } from '../../domain/refund/reasons.js';
import { storedMoney } from '../../domain/money/money.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { LinkedReturn, OriginalFacts } from '../../domain/payment/original.js';
import type { Outcome } from '../../domain/refund/outcome.js';
import { DEFAULT_POLICY, DEFAULT_TIMINGS, type Policy } from '../../domain/refund/config.js';
import type { DeclineClass } from '../../domain/decline-class.js';
import type { RefundRequest } from '../../domain/refund/request.js';
import { isGatewayId, type GatewayId } from '../../domain/ids.js';
import type { SealedCard } from '../../domain/card/sealed-card.js';
import { readSealedCard } from '../../ledger/cards/cards.js';
import type { Database } from '../../ledger/db/database.js';
import type {
  AcceptInput,
  Accepted,
  CreditOpened,
  Evidence,
  Ledger,
  Submission,
} from '../../ledger/ledger.js';
import type { PaymentRecord } from '../../ledger/core/refund-record.js';

export const TIMINGS = DEFAULT_TIMINGS;
export const POLICY: Policy = { ...DEFAULT_POLICY, creditApprovalAbove: { EUR: '10000' } };
export const CONFIG = { timings: TIMINGS, policy: POLICY };
/** Milliseconds after a submission from which on a query that finds nothing counts towards absence. */
export const LATE = TIMINGS.sendWindow + TIMINGS.visibilityLag + 1;
export const ENTITY = 'e'.repeat(32);

/** A ledger under test, with functions that only tests use. */
export interface LedgerUnderTest {
  readonly ledger: Ledger;
  readonly database: Database;
  /** Moves the ledger's clock forward. */
  readonly letPass: (ms: number) => Promise<void>;
  /** Reasons of the refund's open cases, sorted. */
  readonly openCases: (refundId: string) => Promise<readonly string[]>;
  /** Types of the refund's events, oldest first. */
  readonly events: (refundId: string) => Promise<readonly string[]>;
  /** One sentence for each violated invariant; empty if all hold. */
  readonly violations: () => Promise<readonly string[]>;
}

export function gatewayId(): GatewayId {
  const id = randomBytes(16).toString('hex');
  if (!isGatewayId(id)) throw new Error(id);
  return id;
}

/** A captured debit of 100.00 euros, changed by `facts`. */
export function debit(facts: Partial<OriginalFacts> = {}): OriginalFacts {
  const id = facts.id ?? gatewayId();
  const capturedMinor = facts.capturedMinor ?? 10_000n;
  return {
    id,
    type: 'debit',
    state: 'succeeded',
    currency: 'EUR',
    authorizedMinor: 0n,
    captures: capturedMinor > 0n ? [{ id, amountMinor: capturedMinor }] : [],
    capturedMinor,
    registrationId: 'a'.repeat(32),
    returns: [],
    disputes: [],
    reversalIds: [],
    declined: [],
    doubts: [],
    observedAt: new Date(0),
    coversCaptures: true,
    ...facts,
  };
}

/** An authorization of 100.00 euros with these captures. */
export function authorisation(
  captured: readonly bigint[],
  facts: Partial<OriginalFacts> = {},
): OriginalFacts {
  const captures = captured.map((amountMinor) => ({ id: gatewayId(), amountMinor }));
  return debit({
    type: 'preauthorization',
    authorizedMinor: 10_000n,
    captures,
    capturedMinor: captured.reduce((sum, amount) => sum + amount, 0n),
    ...facts,
  });
}

export function linkedReturn(entry: Partial<LinkedReturn> = {}): LinkedReturn {
  return {
    id: gatewayId(),
    type: 'refund',
    reference: null,
    referencedId: null,
    amountMinor: 10_000n,
    state: 'succeeded',
    ...entry,
  };
}

let keys = 0;

export type RefundOrder = AcceptInput & { readonly request: RefundRequest };

export function order(
  paymentId: string,
  minor: bigint,
  change: Partial<Omit<AcceptInput, 'request'>> & {
    readonly currency?: string;
    readonly destination?: string;
  } = {},
): RefundOrder {
  const { currency = 'EUR', destination, ...rest } = change;
  return {
    clientId: 'shop',
    idempotencyKey: `key-${(keys += 1)}`,
    requestedBy: 'anna',
    request: {
      paymentId,
      money: storedMoney(minor, currency),
      reason: 'goods_returned',
      ...(destination === undefined ? {} : { destination: { registrationId: destination } }),
    },
    ...rest,
  };
}

/** A standalone credit, on a payment or unlinked. */
export function creditOrder(
  minor: bigint,
  { paymentId, ...change }: Partial<Omit<AcceptInput, 'request'>> & { readonly paymentId?: string } = {},
): AcceptInput {
  const { request, ...rest } = order('', minor, change);
  return {
    ...rest,
    request: {
      askedFor: 'credit',
      money: request.money,
      reason: request.reason,
      destination: { registrationId: 'd'.repeat(32) },
      ...(paymentId === undefined ? {} : { paymentId }),
    },
  };
}

/** Accepts a refund on a payment that is stored with it. Returns the refund's id. */
export async function accepted(ledger: Ledger, facts: OriginalFacts, minor: bigint): Promise<string> {
  const { refund }: Accepted = await ledger.accept(order(facts.id, minor), { entityId: ENTITY, facts });
  return refund.id;
}

export function sent(opened: CreditOpened): Submission {
  expect(opened.kind).toBe('send');
  if (opened.kind !== 'send') throw new Error('nothing was to be sent');
  return opened.order;
}

export const openLinked = (ledger: Ledger, refundId: string, policy: Policy = POLICY) =>
  ledger.openLinked(refundId, TIMINGS, policy);

export async function submitted(
  ledger: Ledger,
  refundId: string,
  policy: Policy = POLICY,
): Promise<Submission> {
  return sent(await openLinked(ledger, refundId, policy));
}

/** Submits a refund on a payment of its own, and records `outcome` as its answer if given. */
export async function submittedRefund(
  ledger: Ledger,
  {
    facts = debit(),
    minor = 10_000n,
    outcome,
  }: {
    readonly facts?: OriginalFacts | undefined;
    readonly minor?: bigint | undefined;
    readonly outcome?: Outcome;
  } = {},
): Promise<SubmittedRefund> {
  const id = await accepted(ledger, facts, minor);
  const order = await submitted(ledger, id);
  if (outcome !== undefined) await ledger.record(answer(order, outcome));
  return { id, facts, paymentId: facts.id, order };
}

export interface SubmittedRefund {
  readonly id: string;
  readonly facts: OriginalFacts;
  readonly paymentId: string;
  readonly order: Submission;
}

/** Submits a refund, records its decline and requests a review. */
export async function inReview(
  ledger: Ledger,
  refusal: DeclineClass,
  why: CaseReason,
  facts: OriginalFacts = debit(),
): Promise<SubmittedRefund> {
  const refund = await submittedRefund(ledger, { facts, outcome: refused(refusal) });
  await ledger.openCase(refund.id, why);
  return refund;
}

/** `openCredit` with the timings of the tests, and their policy unless another one is given. */
export const creditsOn =
  (underTest: () => LedgerUnderTest) =>
  (refundId: string, original: OriginalFacts | null, policy: Policy = POLICY) =>
    underTest().ledger.openCredit(refundId, original, TIMINGS, policy);

/** `findPayment`; fails the test if the payment is unknown. */
export const paymentsOn =
  (underTest: () => LedgerUnderTest) =>
  async (id: string): Promise<PaymentRecord> =>
    (await underTest().ledger.findPayment(id)) ?? expect.fail(`no payment ${id}`);

export const paid = (id: GatewayId = gatewayId()): Outcome => ({
  kind: 'succeeded',
  gatewayId: id,
  flagged: false,
});
export const pending = (id: GatewayId = gatewayId()): Outcome => ({ kind: 'pending', gatewayId: id });
export const refused = (refusal: DeclineClass, id?: GatewayId): Outcome => ({
  kind: 'rejected',
  class: refusal,
  ...(id === undefined ? {} : { gatewayId: id }),
});
export const lost: Outcome = { kind: 'unknown', why: 'timeout' };
export const notSent: Outcome = { kind: 'not_sent', why: 'refused' };

/** The answer to the submission that `order` describes. */
export function answer({ attemptId, send }: Submission, outcome: Outcome): Evidence {
  return { attemptId, send, source: 'answer', outcome, code: '000.100.110', description: 'from a test' };
}

/** Later than anything that a test records. */
export const NEWEST = new Date('2100-01-01T00:00:00Z');

/** Evidence of a query that began at `at`, about the submission that `order` describes. */
export function seen(
  { attemptId, send }: Pick<Submission, 'attemptId' | 'send'>,
  outcome: Outcome,
  at = NEWEST,
): Evidence {
  return { attemptId, source: 'query', asked: { send, at }, outcome, code: '000.100.110' };
}

/** Records a query about this submission that begins now and finds nothing. */
export async function missed(
  ledger: Ledger,
  { attemptId, send }: Pick<Submission, 'attemptId' | 'send'>,
  countsTowardsAbsence = true,
): Promise<RefundSnapshot> {
  const asked = { send, at: await ledger.clock() };
  const answer = countsTowardsAbsence ? 'not found' : '700.400.580';
  return ledger.recordInconclusive(attemptId, { answer, countsTowardsAbsence, asked }, TIMINGS);
}

export const sealedField = () => ({ sealed: randomBytes(40), kekId: 'k1', wrapped: randomBytes(60) });

/** A card as it was opened: its reference, and whether it had a CVV then. */
export interface OpenedAs {
  readonly cardRef: string;
  readonly withCvv: boolean;
}

/** Returns the card as it is sealed now, with or without its CVV. A card that has no such field any more gets another one. */
export async function openedCard(database: Database, { cardRef, withCvv }: OpenedAs): Promise<SealedCard> {
  const found = await database.transaction((tx) => readSealedCard(tx, cardRef));
  const now =
    found.kind === 'sealed' ? found.sealed : { cardRef, formatVersion: 1, card: sealedField(), cvv: null };
  return { ...now, cvv: withCvv ? (now.cvv ?? sealedField()) : null };
}
