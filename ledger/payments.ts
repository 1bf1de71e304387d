/** What the gateway says about an original, brought into the ledger: captures, disputes, returns made elsewhere. */
import { sql } from 'kysely';
import type { LinkedDispute, LinkedReturn, OriginalFacts } from '../domain/original.js';
import type { Tx } from './database.js';
import { append, lockPayment, openCase, reload, type PaymentRow } from './books.js';
import type { ImportedPayment } from './ledger.js';

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
  await lockPayment(tx, facts.id);
  await updatePayment(tx, facts);
}

/**
 * Brings a locked payment up to date with a look-up. Outside facts are never refused: where they break the balance,
 * the excess is kept and every unfinished refund of the payment gets a case.
 */
export async function updatePayment(tx: Tx, facts: OriginalFacts): Promise<PaymentRow> {
  for (const capture of facts.captures)
    await tx
      .insertInto('captures')
      .values({ id: capture.id, payment_id: facts.id, amount_minor: capture.amountMinor })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  await tx
    .updateTable('payments')
    .set({
      state: facts.state,
      registration_id: sql<string | null>`coalesce(registration_id, ${facts.registrationId})`,
      captured_minor: facts.capturedMinor,
      authorized_minor: facts.authorizedMinor,
      // A smaller limit than what is reserved already is a fact from outside as well.
      excess_minor: sql<bigint>`greatest(0, reserved_minor + succeeded_minor - returned_minor + disputed_minor
        - case when ${facts.capturedMinor}::bigint > 0 then ${facts.capturedMinor}::bigint
               else ${facts.authorizedMinor}::bigint end)`,
      looked_up_at: sql<Date>`now()`,
    })
    .where('id', '=', facts.id)
    .execute();
  for (const dispute of facts.disputes) await recordDispute(tx, facts.id, dispute);
  const own = new Set(
    (await tx.selectFrom('attempts').select('reference').where('payment_id', '=', facts.id).execute()).map(
      (attempt) => attempt.reference,
    ),
  );
  for (const entry of facts.returns)
    if (entry.reference === null || !own.has(entry.reference)) await recordForeignReturn(tx, facts.id, entry);
  await undoVanishedReturns(tx, facts);
  const payment = await reload(tx, facts.id);
  if (payment.excess_minor > 0n) await askAboutExcess(tx, payment);
  return payment;
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

/** A refund or reversal that nobody here made. An open one counts like a finished one until it is gone again. */
async function recordForeignReturn(tx: Tx, paymentId: string, entry: LinkedReturn): Promise<void> {
  await append(tx, {
    key: `gateway:${entry.id}:returned_elsewhere`,
    type: 'payment.returned_elsewhere',
    paymentId,
    succeeded: entry.amountMinor,
    fromOutside: true,
    actor: 'gateway',
    data: { gatewayId: entry.id, type: entry.type },
  });
}

/** One that was open and then refused is no longer listed: its amount is free again. */
async function undoVanishedReturns(tx: Tx, facts: OriginalFacts): Promise<void> {
  const recorded = await tx
    .selectFrom('events')
    .select(['natural_key', 'succeeded_delta'])
    .where('payment_id', '=', facts.id)
    .where('type', '=', 'payment.returned_elsewhere')
    .execute();
  const listed = new Set(facts.returns.map((entry) => `gateway:${entry.id}:returned_elsewhere`));
  for (const event of recorded)
    if (!listed.has(event.natural_key))
      await append(tx, {
        key: `${event.natural_key}:undone`,
        type: 'payment.returned_elsewhere_undone',
        paymentId: facts.id,
        succeeded: -event.succeeded_delta,
        fromOutside: true,
        actor: 'gateway',
      });
}

async function askAboutExcess(tx: Tx, payment: PaymentRow): Promise<void> {
  if (payment.excess_minor <= payment.reserved_minor) return; // only promised twice, not paid twice: the guard holds it
  const refunds = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', payment.id)
    .where('state', 'in', ['succeeded', 'settled', 'pending', 'unknown', 'submitting', 'manual_review'])
    .execute();
  for (const refund of refunds)
    await openCase(tx, refund, 'paid_twice', { excessMinor: payment.excess_minor.toString() });
}
