/** Accepts a refund or credit: stores it and reserves its amount in one transaction, once for each client and idempotency key. */
import { hash } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { canonicalRequest, isCreditRequest } from '../../domain/refund/request.js';
import { isCardDestination } from '../../domain/refund/destination.js';
import { formatAmount, storedMoney } from '../../domain/money/money.js';
import type { Database, Tx } from '../db/database.js';
import { cardState } from '../cards/card-state.js';
import { append } from '../core/events.js';
import { lockPayment, type PaymentRow } from '../core/locks.js';
import { checkDeclaration, declarePayment } from '../payments/declared.js';
import { balanceRowOf } from './unlinked-credit.js';
import {
  LedgerError,
  type AcceptInput,
  type Accepted,
  type UnlinkedCredit,
  type ImportedPayment,
} from '../ledger.js';
import { askAboutDoubts } from '../payments/doubts.js';
import { importPayment, type Observed } from '../payments/observation.js';
import { readRefund, rootPaymentOf } from '../core/records.js';
import { refundableOf } from '../core/balances.js';

/**
 * Returns the stored refund, new or not. Two equal requests at once give one refund: the later one waits for the row. `checkStillWanted`
 * throws if the client may already have been answered that nothing is stored.
 */
export function accept(
  database: Database,
  order: AcceptInput,
  imported: ImportedPayment | UnlinkedCredit | null,
  checkStillWanted: () => void = () => undefined,
): Promise<Accepted> {
  const { request } = order;
  const fingerprint = hash('sha256', canonicalRequest(request));
  return database.transaction(async (tx) => {
    /**
     * Returns the refund that the same key stored before. Deletes the balance row that was just made for an unlinked credit, which is
     * then unused.
     */
    const acceptedBefore = async (made?: PaymentRow): Promise<Accepted | undefined> => {
      const found = await findByKey(tx, order, fingerprint);
      if (found === undefined) return undefined;
      if (made?.type === 'credit') await tx.deleteFrom('payments').where('id', '=', made.id).execute();
      return { refund: await readRefund(tx, found), isNew: false };
    };
    const before = await acceptedBefore();
    if (before !== undefined) return before;

    const id = uuid();
    const observed = await lockedFor(tx, id, order, imported);
    const { payment } = observed;
    // The transaction that held the lock before may have stored the same key.
    const meanwhile = await acceptedBefore(payment);
    if (meanwhile !== undefined) return meanwhile;
    checkAgainst(payment, order);
    await checkCard(tx, order);

    const amount = request.money.minor;
    const stored = await tx
      .insertInto('refunds')
      .values({
        id,
        payment_id: payment.id,
        capture_id:
          request.paymentId === undefined || request.paymentId === payment.id ? null : request.paymentId,
        client_id: order.clientId,
        idempotency_key: order.idempotencyKey,
        fingerprint,
        amount_minor: amount,
        currency: request.money.currency,
        reason: request.reason,
        requested_by: order.requestedBy,
        asked_for: isCreditRequest(request) ? 'credit' : 'refund',
        order_id: request.orderId ?? null,
        destination: request.destination === undefined ? null : JSON.stringify(request.destination),
        metadata: request.metadata === undefined ? null : JSON.stringify(request.metadata),
        state: 'reserved',
        why: null,
        blocks: null,
        instruction: null,
      })
      .onConflict((conflict) => conflict.columns(['client_id', 'idempotency_key']).doNothing())
      .returning('id')
      .executeTakeFirst();
    if (stored === undefined) {
      // The same key arrived at the same moment under another lock: for another payment, or for an unlinked credit.
      const other = await acceptedBefore(payment);
      if (other !== undefined) return other;
      throw new LedgerError('idempotency_key_reused', 'this idempotency key is in use by another request');
    }
    const fact = { paymentId: payment.id, refundId: id, actor: order.requestedBy };
    await append(tx, {
      key: `refund:${id}:requested`,
      type: 'refund.requested',
      data: { reason: request.reason },
      ...fact,
    });
    await append(tx, { key: `refund:${id}:reserved`, type: 'refund.reserved', reserved: amount, ...fact });
    await askAboutDoubts(tx, observed);
    const refund = await readRefund(tx, id);
    // Checked just before the commit, so a process that was stopped until now stores nothing.
    checkStillWanted();
    return { refund, isNew: true };
  });
}

/** Locks the row on which the amount is reserved: the payment's, or a new one for an unlinked credit. */
async function lockedFor(
  tx: Tx,
  refundId: string,
  { request }: AcceptInput,
  imported: ImportedPayment | UnlinkedCredit | null,
): Promise<Pick<Observed, 'payment' | 'doubts'>> {
  if (request.paymentId === undefined) {
    if (imported?.facts !== null)
      throw new LedgerError('payment_unknown', 'an unlinked credit needs the entity that pays it');
    const id = balanceRowOf(refundId);
    await tx
      .insertInto('payments')
      .values({
        id,
        entity_id: imported.entityId,
        type: 'credit',
        state: 'succeeded',
        currency: request.money.currency,
        authorized_minor: request.money.minor,
        captured_minor: 0n,
        registration_id: null,
      })
      .execute();
    return { payment: await lockPayment(tx, id), doubts: [] };
  }
  const declared = isCreditRequest(request) ? undefined : request.payment;
  const observed = imported !== null && imported.facts !== null ? await importPayment(tx, imported) : null;
  if (observed === null && imported !== null && declared !== undefined)
    await declarePayment(tx, request.paymentId, imported.entityId, declared);
  if (observed !== null && observed.payment.id === request.paymentId) return observed;
  const root = await rootPaymentOf(tx, request.paymentId);
  if (root === undefined)
    throw new LedgerError('payment_unknown', `payment ${request.paymentId} is not in the ledger`);
  const payment = await lockPayment(tx, root);
  if (payment.type === 'credit')
    throw new LedgerError('payment_unknown', `${request.paymentId} is a credit that is linked to no payment`);
  return { payment, doubts: observed?.doubts ?? [] };
}

async function findByKey(tx: Tx, order: AcceptInput, fingerprint: string): Promise<string | undefined> {
  const found = await tx
    .selectFrom('refunds')
    .select(['id', 'fingerprint'])
    .where('client_id', '=', order.clientId)
    .where('idempotency_key', '=', order.idempotencyKey)
    .executeTakeFirst();
  if (found !== undefined && found.fingerprint !== fingerprint)
    throw new LedgerError(
      'idempotency_key_reused',
      'this idempotency key was used before with another request; use a new key for a new refund',
      { refundId: found.id },
    );
  return found?.id;
}

function checkAgainst(payment: PaymentRow, { request }: AcceptInput): void {
  const { money } = request;
  // A declaration of a capture is not compared with the authorization that the capture belongs to.
  if (!isCreditRequest(request) && request.payment !== undefined && request.paymentId === payment.id)
    checkDeclaration(payment, request.payment);
  if (request.entityId !== undefined && request.entityId !== payment.entity_id)
    throw new LedgerError('payment_not_refundable', 'the payment belongs to another entity', {
      entityId: payment.entity_id,
    });
  if (money.currency !== payment.currency)
    throw new LedgerError(
      'currency_mismatch',
      `the payment is in ${payment.currency}, not ${money.currency}`,
      {
        currency: payment.currency,
      },
    );
  if (payment.state === 'rejected')
    throw new LedgerError('payment_not_refundable', 'the payment was rejected: no money was taken');
  const refundable = refundableOf(payment);
  if (money.minor > refundable) {
    const left = formatAmount(storedMoney(refundable, payment.currency));
    throw new LedgerError(
      'exceeds_refundable',
      `at most ${left} ${payment.currency} can be refunded on this payment`,
      {
        refundable: left,
        currency: payment.currency,
      },
    );
  }
}

/** A card of another client is unknown. The lock keeps the card from being destroyed until the refund that needs it is stored. */
async function checkCard(tx: Tx, { request, clientId }: AcceptInput): Promise<void> {
  const { destination } = request;
  if (!isCardDestination(destination)) return;
  const state = await cardState(tx, destination.cardRef, clientId);
  switch (state) {
    case 'usable':
      return;
    case 'card_unknown':
      throw new LedgerError('card_unknown', 'there is no card with this cardRef; seal the card first');
    case 'card_destroyed':
      throw new LedgerError('card_destroyed', 'the keys of this card are destroyed; seal the card again');
    default:
      return state satisfies never;
  }
}
