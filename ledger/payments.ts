/** What the gateway says about an original, brought into the ledger: captures, disputes, returns made elsewhere. */
import { sql } from 'kysely';
import { takenByReturns, type LinkedDispute, type OriginalFacts } from '../domain/original.js';
import type { Tx } from './database.js';
import { withoutCaptures } from '../domain/one-capture.js';
import { placeDrawn } from '../domain/captures.js';
import { append, lockPayment, openCase, reload, type AttemptRow, type PaymentRow } from './books.js';
import { GATEWAY_ID, NOW } from './expressions.js';
import { LedgerError, type ImportedPayment } from './ledger.js';
import { overpaidOf, takenByOurs } from './records.js';
import { measureReversals } from './reversals.js';

/** Stores an original, or brings one that is known up to date. */
export async function importPayment(tx: Tx, { entityId, facts }: ImportedPayment): Promise<void> {
  await tx
    .insertInto('payments')
    .values({
      id: facts.id,
      entity_id: entityId,
      type: facts.type,
      state: facts.state,
      currency: facts.currency,
      authorized_minor: facts.authorizedMinor,
      captured_minor: facts.capturedMinor,
      registration_id: facts.registrationId,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  await updatePayment(tx, await lockPayment(tx, facts.id), facts);
}

/**
 * Brings a payment, as it was locked, up to date with a look-up. Outside facts are never refused: where they break the balance,
 * the excess is kept and every unfinished refund of the payment gets a case.
 */
export async function updatePayment(tx: Tx, row: PaymentRow, shown: OriginalFacts): Promise<PaymentRow> {
  const { id, currency } = row;
  if (shown.id !== id)
    throw new LedgerError('payment_unknown', `payment ${id} was looked up, the gateway showed ${shown.id}`);
  // Its amounts would be read as amounts of the currency that everything else of this payment is kept in.
  if (shown.currency !== currency)
    throw new LedgerError(
      'currency_mismatch',
      `payment ${id} is in ${currency}, the gateway showed it in ${shown.currency}`,
      { currency },
    );
  const facts = await ownPart(tx, shown);
  if (!row.is_seen) await correctDeclared(tx, facts);
  await tx
    .updateTable('payments')
    .set({
      type: facts.type,
      is_seen: true,
      state: facts.state,
      registration_id: sql<string | null>`coalesce(registration_id, ${facts.registrationId})`,
      captured_minor: facts.capturedMinor,
      authorized_minor: facts.authorizedMinor,
      // A smaller limit than what is reserved already is a fact from outside as well.
      excess_minor: sql<bigint>`greatest(0, reserved_minor + succeeded_minor - returned_minor + disputed_minor
        - payment_limit(${facts.capturedMinor}, released_minor, ${facts.authorizedMinor}))`,
      misses: 0,
      last_miss_at: null,
      looked_up_at: NOW,
    })
    .where('id', '=', facts.id)
    .execute();
  for (const dispute of facts.disputes) await recordDispute(tx, facts.id, dispute);
  if (facts.hidesLinks !== true) await recordForeignReturns(tx, facts);
  await measureReversals(tx, await reload(tx, facts.id));
  const payment = await reload(tx, facts.id);
  if (overpaidOf(payment) > 0n) await askAboutExcess(tx, payment);
  return payment;
}

/** Stores the captures that are new. Those that are payments of their own stay that, and are no part of this one. */
async function ownPart(tx: Tx, facts: OriginalFacts): Promise<OriginalFacts> {
  for (const capture of facts.captures)
    await tx
      .insertInto('captures')
      .values({ id: capture.id, payment_id: facts.id, amount_minor: capture.amountMinor })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  if (facts.type !== 'PA' || facts.captures.length === 0) return facts;
  const ids = facts.captures.map(({ id }) => id);
  const elsewhere = await tx
    .selectFrom('captures')
    .select('id')
    .where('id', 'in', ids)
    .where('payment_id', '<>', facts.id)
    .execute();
  return withoutCaptures(facts, new Set(elsewhere.map(({ id }) => id)));
}

/** What was declared is seen for the first time: from now on the captures are as the gateway shows them. */
async function correctDeclared(tx: Tx, { id, captures }: OriginalFacts): Promise<void> {
  for (const capture of captures)
    await tx
      .updateTable('captures')
      .set({ amount_minor: capture.amountMinor })
      .where('id', '=', capture.id)
      .where('payment_id', '=', id)
      .execute();
  // Declared as a debit, it is an authorization: there is nothing to refund on itself.
  if (!captures.some((capture) => capture.id === id))
    await tx
      .updateTable('captures')
      .set({ elsewhere_minor: sql<bigint>`amount_minor` })
      .where('id', '=', id)
      .where('payment_id', '=', id)
      .execute();
}

async function recordDispute(tx: Tx, paymentId: string, dispute: LinkedDispute): Promise<void> {
  await append(tx, {
    key: `gateway:${dispute.id}:disputed`,
    type: 'dispute.opened',
    paymentId,
    disputed: dispute.amountMinor,
    fromOutside: true,
    actor: 'gateway',
    data: { gatewayId: dispute.id },
  });
  if (dispute.reversed)
    await append(tx, {
      key: `gateway:${dispute.id}:reversed`,
      type: 'dispute.reversed',
      paymentId,
      disputed: -dispute.amountMinor,
      fromOutside: true,
      actor: 'gateway',
      data: { gatewayId: dispute.id },
    });
}

/**
 * Refunds and reversals that nobody here made, each counted with what the gateway shows now. An open one counts like a finished one.
 * One that is no longer listed was refused, if it was open; a finished one cannot vanish, so a look-up without it is not believed.
 */
async function recordForeignReturns(tx: Tx, facts: OriginalFacts): Promise<void> {
  const attempts = await tx.selectFrom('attempts').selectAll().where('payment_id', '=', facts.id).execute();
  const ours = new Set(attempts.flatMap(({ reference, gateway_id }) => [reference, gateway_id ?? reference]));
  const standing = await foreignReturns(tx, facts.id);
  const foreign = takenByReturns(facts).filter(
    ({ entry }) => !ours.has(entry.id) && (entry.reference === null || !ours.has(entry.reference)),
  );
  await placeOnCaptures(tx, facts, foreign, attempts);
  for (const { entry, takenMinor } of foreign) {
    const before = standing.get(entry.id);
    await setForeignReturn(tx, facts.id, entry.id, before, takenMinor, entry.state === 'succeeded');
  }
  const listed = new Set(facts.returns.map((entry) => entry.id));
  for (const [id, before] of standing)
    if (!listed.has(id) && !before.isFinal) await setForeignReturn(tx, facts.id, id, before, 0n, false);
}

/** What was taken from each capture without us: a refund goes where something is left. */
async function placeOnCaptures(
  tx: Tx,
  { captures }: OriginalFacts,
  foreign: ReturnType<typeof takenByReturns>,
  attempts: readonly AttemptRow[],
): Promise<void> {
  const drawn = [
    ...foreign.map(({ entry, takenMinor }) => ({
      referencedId: entry.referencedId,
      amountMinor: takenMinor,
    })),
  ].filter(({ amountMinor }) => amountMinor > 0n);
  const placed = placeDrawn(captures, drawn, (id) => takenByOurs(attempts, id));
  for (const { id, certainMinor, doubtfulMinor } of placed)
    await tx
      .updateTable('captures')
      .set({ elsewhere_minor: certainMinor, doubtful_minor: doubtfulMinor })
      .where('id', '=', id)
      .execute();
}

interface ForeignReturn {
  /** What the balance holds for it now. */
  readonly minor: bigint;
  readonly isFinal: boolean;
  /** Events so far: the next one's number. */
  readonly events: number;
}

async function foreignReturns(tx: Tx, paymentId: string): Promise<Map<string, ForeignReturn>> {
  const events = await tx
    .selectFrom('events')
    .select([GATEWAY_ID.as('id'), sql<boolean>`coalesce((data->>'final')::boolean, false)`.as('final')])
    .select('succeeded_delta')
    .where('payment_id', '=', paymentId)
    .where('type', '=', 'payment.returned_elsewhere')
    .orderBy('events.id')
    .execute();
  const found = new Map<string, ForeignReturn>();
  for (const event of events) {
    const before = found.get(event.id);
    found.set(event.id, {
      minor: (before?.minor ?? 0n) + event.succeeded_delta,
      isFinal: event.final,
      events: (before?.events ?? 0) + 1,
    });
  }
  return found;
}

async function setForeignReturn(
  tx: Tx,
  paymentId: string,
  gatewayId: string,
  before: ForeignReturn | undefined,
  minor: bigint,
  isFinal: boolean,
): Promise<void> {
  const delta = minor - (before?.minor ?? 0n);
  if (before !== undefined && delta === 0n && before.isFinal === isFinal) return;
  await append(tx, {
    key: `gateway:${gatewayId}:returned_elsewhere:${before?.events ?? 0}`,
    type: 'payment.returned_elsewhere',
    paymentId,
    succeeded: delta,
    fromOutside: true,
    actor: 'gateway',
    data: { gatewayId, final: isFinal },
  });
}

/** It was ours after all: from now on the attempt counts it. */
export async function forgetForeignReturn(tx: Tx, paymentId: string, gatewayId: string): Promise<void> {
  const before = (await foreignReturns(tx, paymentId)).get(gatewayId);
  if (before !== undefined && before.minor !== 0n)
    await setForeignReturn(tx, paymentId, gatewayId, before, 0n, false);
}

async function askAboutExcess(tx: Tx, payment: PaymentRow): Promise<void> {
  const refunds = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', payment.id)
    .where('state', 'in', ['succeeded', 'settled', 'pending', 'unknown', 'submitting', 'manual_review'])
    .execute();
  for (const refund of refunds)
    await openCase(tx, refund, 'paid_twice', { excessMinor: overpaidOf(payment).toString() });
}
