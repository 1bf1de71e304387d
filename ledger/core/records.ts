/** Reads refunds, attempts and payments from their tables into the records that other modules use. */
import type { Kysely, Selectable } from 'kysely';
import { isRefundId } from '../../domain/ids.js';
import type { AttemptTable, CommandResultTable, Tables } from '../db/database.js';
import { refundableOf } from './balances.js';
import type { PaymentRow } from './locks.js';
import { showDestinations } from './shown-destination.js';
import { NOW } from '../db/expressions.js';
import { paymentOf } from '../refunds/unlinked-credit.js';
import { LedgerError } from '../ledger.js';
import type { AttemptRecord, PaymentRecord, ProposalRecord, RefundRecord } from './refund-record.js';

/** Returns the payment of an id that is a payment's or one of its captures'. Undefined if the ledger has neither. */
export async function rootPaymentOf(db: Kysely<Tables>, id: string): Promise<string | undefined> {
  const payment = await db.selectFrom('payments').select('id').where('id', '=', id).executeTakeFirst();
  if (payment !== undefined) return payment.id;
  const capture = await db
    .selectFrom('captures')
    .select('payment_id')
    .where('id', '=', id)
    .executeTakeFirst();
  return capture?.payment_id;
}

/** Returns the payment of a payment or capture id (null if unknown) and the database's time. One statement if the id is the payment's. */
export async function paymentBeforeQuery(
  db: Kysely<Tables>,
  id: string,
): Promise<{ readonly payment: PaymentRecord | null; readonly at: Date }> {
  const known = await paymentAt(db, id);
  if (known !== undefined) return known;
  const { root, now } = await db
    .selectNoFrom([
      NOW.as('now'),
      (eb) => eb.selectFrom('captures').select('payment_id').where('id', '=', id).as('root'),
    ])
    .executeTakeFirstOrThrow();
  return (root === null ? undefined : await paymentAt(db, root)) ?? { payment: null, at: now };
}

async function paymentAt(
  db: Kysely<Tables>,
  id: string,
): Promise<{ readonly payment: PaymentRecord | null; readonly at: Date } | undefined> {
  const row = await db
    .selectFrom('payments')
    .selectAll()
    .select(NOW.as('now'))
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? undefined : { payment: paymentRecord(row), at: row.now };
}

/** Returns null for the row that holds the balance of an unlinked credit. */
export function paymentRecord(row: PaymentRow): PaymentRecord | null {
  const { type } = row;
  if (type === 'credit') return null;
  return {
    id: row.id,
    entityId: row.entity_id,
    type,
    isDeclared: !row.is_confirmed,
    state: row.state,
    currency: row.currency,
    authorizedMinor: row.authorized_minor,
    capturedMinor: row.captured_minor,
    registrationId: row.registration_id,
    reservedMinor: row.reserved_minor,
    succeededMinor: row.succeeded_minor,
    returnedMinor: row.returned_minor,
    disputedMinor: row.disputed_minor,
    excessMinor: row.excess_minor,
    refundableMinor: refundableOf(row),
  };
}

function attemptRecord(row: Selectable<AttemptTable>): AttemptRecord {
  return {
    id: row.id,
    number: row.number,
    operation: row.operation,
    originalId: row.original_id,
    registrationId: row.registration_id,
    cardRef: row.card_id,
    reference: row.reference,
    amountMinor: row.amount_minor,
    paidBackMinor: row.paid_back_minor,
    state: row.state,
    submissions: row.submissions,
    gatewayId: row.gateway_id ?? row.seen_ids?.[0] ?? null,
    resultCode: row.result_code,
    resultDescription: row.result_description,
    declineClass: row.decline_class,
    settlement: row.settlement,
    otherLast4: row.other_last4,
    note: row.note,
    queries: row.queries,
    sentAt: row.sent_at,
    answeredAt: row.answered_at,
  };
}

export async function readRefund(db: Kysely<Tables>, id: string): Promise<RefundRecord> {
  const [record] = await readRefunds(db, [id]);
  if (record === undefined) throw new LedgerError('refund_unknown', `refund ${id} is not in the ledger`);
  return record;
}

/** Returns the refunds in the order of `asked`. Unknown ids are left out. */
export async function readRefunds(db: Kysely<Tables>, asked: readonly string[]): Promise<RefundRecord[]> {
  const ids = asked.filter(isRefundId);
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('refunds')
    .innerJoin('payments', 'payments.id', 'refunds.payment_id')
    .selectAll('refunds')
    .select('payments.entity_id')
    .where('refunds.id', 'in', ids)
    .execute();
  const attempts = await db
    .selectFrom('attempts')
    .selectAll()
    .where('refund_id', 'in', ids)
    .orderBy('number')
    .execute();
  // A refund that was only just accepted has no case and no command, so these are not read.
  const begun = rows.filter(
    ({ id, state }) => state !== 'reserved' || attempts.some((of) => of.refund_id === id),
  );
  const waiting = await matters(
    db,
    begun.map((row) => row.id),
  );
  const show = await showDestinations(
    db,
    rows.map(({ destination }) => destination),
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = byId.get(id);
    if (row === undefined) return [];
    const record: RefundRecord = {
      id: row.id,
      askedFor: row.asked_for,
      paymentId: row.capture_id ?? row.payment_id,
      isUnlinkedCredit: paymentOf(id, row.payment_id) === null,
      entityId: row.entity_id,
      clientId: row.client_id,
      idempotencyKey: row.idempotency_key,
      amountMinor: row.amount_minor,
      currency: row.currency,
      reason: row.reason,
      requestedBy: row.requested_by,
      orderId: row.order_id,
      destination: show(row.destination),
      metadata: row.metadata,
      state: row.state,
      why: row.why,
      blocks: row.blocks,
      instruction: row.state === 'awaiting_approval' ? row.instruction : null,
      elsewhereMinor: row.elsewhere_minor,
      chargedBackMinor: row.charged_back_minor,
      attempts: attempts.filter((attempt) => attempt.refund_id === id).map(attemptRecord),
      ...waiting(id),
      version: row.version,
      stateSince: row.state_since,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    };
    return [record];
  });
}

type Matters = Pick<RefundRecord, 'openCases' | 'proposal' | 'destinationChangedBy'>;

/** Reads the open cases, the open proposal and the changes of destination of each refund. */
async function matters(db: Kysely<Tables>, ids: readonly string[]): Promise<(id: string) => Matters> {
  if (ids.length === 0) return () => ({ openCases: [], proposal: null, destinationChangedBy: [] });
  const cases = await db
    .selectFrom('cases')
    .selectAll()
    .where('refund_id', 'in', ids)
    .where('closed_at', 'is', null)
    .orderBy('id')
    .execute();
  const commands = await db
    .selectFrom('command_results')
    .selectAll()
    .where('refund_id', 'in', ids)
    .where('state', 'in', ['open', 'done'])
    .orderBy('id')
    .execute();
  return (id) => {
    const own = commands.filter((row) => row.refund_id === id);
    return {
      openCases: cases
        .filter((row) => row.refund_id === id)
        .map(({ why, details, opened_at }) => ({ why, details, openedAt: opened_at })),
      proposal: own.flatMap(proposalRecord)[0] ?? null,
      // The destination of the request itself is not a change of destination.
      destinationChangedBy: own.filter(({ command }) => command === 'change_destination').map(({ by }) => by),
    };
  };
}

function proposalRecord({
  state,
  instruction,
  details,
  by,
  reason,
  ticket,
  at,
}: Selectable<CommandResultTable>): readonly ProposalRecord[] {
  return state !== 'open' || instruction === null || details === null
    ? []
    : [{ instruction, details, note: { by, reason, ...(ticket === null ? {} : { ticket }) }, at }];
}
