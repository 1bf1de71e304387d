/** Books what a query shows of a payment: limits, captures, disputes, returns made elsewhere. */
import { sql } from 'kysely';
import { withoutCaptures } from '../../domain/payment/one-capture.js';
import type { OriginalDoubt, OriginalFacts } from '../../domain/payment/original.js';
import { recordReturn } from '../attempts/returned.js';
import { openCase } from '../core/cases.js';
import { appendOutside } from '../core/events.js';
import { lockAttempt, lockPayment, reload, type PaymentRow } from '../core/locks.js';
import type { Tx } from '../db/database.js';
import { LedgerError, type Evidence, type ImportedPayment } from '../ledger.js';
import { bookCaptures, type Drawn } from './captures.js';
import { certainOverpaid, reviseClaims } from './coverage.js';
import { bookDisputes, type BookedDisputes } from './disputes.js';
import { askAboutDoubts } from './doubts.js';
import { recordForeignReturns } from './foreign-returns.js';
import { measureReversals } from './reversals.js';

/** Result of booking an observation: a payment as one query showed it. */
export interface Observed {
  readonly payment: PaymentRow;
  /** Facts that cannot be counted as shown. */
  readonly doubts: readonly OriginalDoubt[];
  /** True if its query began before that of the stored observation; then nothing was booked. */
  readonly isOutdated: boolean;
  /** The observation without captures that are payments of their own, and without what was paid back on them. */
  readonly own: OriginalFacts;
}

/** Stores an original, or updates a known one. */
export async function importPayment(tx: Tx, { entityId, facts }: ImportedPayment): Promise<Observed> {
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
  return book(tx, await asShown(tx, await lockPayment(tx, facts.id), entityId, facts), facts);
}

/**
 * Replaces a declared entity and currency by those that the gateway shows. Only before the gateway has shown the payment, and while nothing
 * is reserved on it and nothing may have been paid back.
 */
async function asShown(
  tx: Tx,
  payment: PaymentRow,
  entityId: string,
  { currency }: OriginalFacts,
): Promise<PaymentRow> {
  const { id, is_confirmed, reserved_minor, succeeded_minor, returned_minor, disputed_minor } = payment;
  const isOther = payment.entity_id !== entityId || payment.currency !== currency;
  const isUsed = [reserved_minor, succeeded_minor, returned_minor, disputed_minor].some((sum) => sum !== 0n);
  if (is_confirmed || !isOther || isUsed) return payment;
  const attempts = await tx.selectFrom('attempts').select('state').where('payment_id', '=', id).execute();
  if (attempts.some(({ state }) => state !== 'rejected' && state !== 'absent')) return payment;
  await tx
    .updateTable('payments')
    .set({ entity_id: entityId, currency, declared: null })
    .where('id', '=', id)
    .execute();
  return reload(tx, id);
}

/** Updates a locked payment, and opens a case for facts that an operator has to check. */
export async function observe(tx: Tx, before: PaymentRow, facts: OriginalFacts): Promise<Observed> {
  const observed = await book(tx, before, facts);
  await askAboutDoubts(tx, observed);
  return observed;
}

/** Records our succeeded attempts that the payment lists as declined now as returned, whether or not a notification reported it. */
async function ownDeclined(
  tx: Tx,
  paymentId: string,
  { declined, observedAt }: OriginalFacts,
): Promise<void> {
  if (declined.length === 0) return;
  const attempts = await tx
    .selectFrom('attempts')
    .select(['id', 'submissions', 'gateway_id'])
    .where('payment_id', '=', paymentId)
    .where('state', '=', 'succeeded')
    .where('gateway_id', 'in', declined)
    .execute();
  for (const { id, submissions, gateway_id } of attempts) {
    const evidence: Evidence = {
      attemptId: id,
      source: 'query',
      asked: { send: submissions, at: observedAt },
      outcome: { kind: 'unknown', why: 'not_a_result' },
      description: 'the payment lists it as declined',
    };
    await recordReturn(tx, await lockAttempt(tx, id), evidence, gateway_id ?? undefined);
  }
}

/**
 * Books an observation. Facts from outside are never refused: if they break the balance, the payment has an excess and its refunds get a
 * case. Of two observations, the one whose query began later counts, whichever is stored last.
 */
async function book(tx: Tx, before: PaymentRow, shown: OriginalFacts): Promise<Observed> {
  const { id, currency } = before;
  if (shown.id !== id)
    throw new LedgerError('payment_unknown', `payment ${id} was queried, the gateway showed ${shown.id}`);
  // Its amounts would be read in the currency of the payment's other amounts.
  if (shown.currency !== currency)
    throw new LedgerError(
      'currency_mismatch',
      `payment ${id} is in ${currency}, the gateway showed it in ${shown.currency}`,
      { currency },
    );
  if (before.observed_at !== null && shown.observedAt < before.observed_at)
    return { payment: before, doubts: [], isOutdated: true, own: shown };
  const facts = await ownPart(tx, shown);
  const captures = await bookCaptures(tx, facts);
  const limits = {
    state: facts.state,
    captured_minor: facts.capturedMinor + captures.keptMinor,
    authorized_minor: facts.authorizedMinor,
  };
  await tx
    .updateTable('payments')
    .set({
      ...limits,
      type: facts.type,
      is_confirmed: true,
      registration_id: sql<string | null>`coalesce(registration_id, ${facts.registrationId})`,
      not_found_count: 0,
      last_not_found_at: null,
      observed_at: facts.observedAt,
    })
    .where('id', '=', id)
    .execute();
  await noteLimits(tx, before, limits, facts.observedAt);
  const linked = await bookLinked(tx, facts, captures.drawn);
  // Must precede `measureReversals`: a reversal that was returned has released nothing.
  await ownDeclined(tx, id, facts);
  let payment = await reload(tx, id);
  const isMeasured = await measureReversals(tx, payment);
  if (isMeasured || linked.isChanged) {
    await reviseClaims(tx, id);
    payment = await reload(tx, id);
  }
  const overpaid = await certainOverpaid(tx, payment);
  if (overpaid > 0n) await askAboutExcess(tx, payment, overpaid);
  const doubts = [...facts.doubts, ...captures.doubts, ...linked.doubts];
  return { payment, doubts, isOutdated: false, own: facts };
}

/** Books disputes and refunds made elsewhere, if the observation shows linked transactions. */
async function bookLinked(
  tx: Tx,
  facts: OriginalFacts,
  drawn: ReadonlyMap<string, Drawn>,
): Promise<BookedDisputes> {
  if (facts.hidesLinks === true) return { isChanged: false, doubts: [] };
  const disputes = await bookDisputes(tx, facts);
  const isReturnChanged = await recordForeignReturns(tx, facts, drawn);
  return { ...disputes, isChanged: disputes.isChanged || isReturnChanged };
}

/** Returns the observation without captures that are payments of their own. */
async function ownPart(tx: Tx, facts: OriginalFacts): Promise<OriginalFacts> {
  if (facts.type !== 'preauthorization' || facts.captures.length === 0) return facts;
  const ids = facts.captures.map(({ id }) => id);
  const own = await tx
    .selectFrom('captures')
    .select('id')
    .where('id', 'in', ids)
    .where('payment_id', 'in', ids)
    .execute();
  return withoutCaptures(facts, new Set(own.map(({ id }) => id)));
}

/** Appends an event about a changed limit. The limit is not a sum of events; the event only records the change. */
async function noteLimits(
  tx: Tx,
  before: PaymentRow,
  limits: Pick<PaymentRow, 'state' | 'captured_minor' | 'authorized_minor'>,
  observedAt: Date,
): Promise<void> {
  const isSame =
    before.state === limits.state &&
    before.captured_minor === limits.captured_minor &&
    before.authorized_minor === limits.authorized_minor;
  if (isSame) return;
  await appendOutside(tx, {
    key: `payment:${before.id}:limits:${observedAt.getTime()}:${limits.captured_minor}:${limits.authorized_minor}:${limits.state}`,
    type: 'payment.changed',
    paymentId: before.id,
    data: {
      state: limits.state,
      capturedMinor: limits.captured_minor.toString(),
      authorizedMinor: limits.authorized_minor.toString(),
    },
  });
}

/** Opens a case on every refund that paid or may pay, or else on the newest one. */
async function askAboutExcess(tx: Tx, payment: PaymentRow, overpaid: bigint): Promise<void> {
  const refunds = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', payment.id)
    .where('state', 'in', ['succeeded', 'settled', 'pending', 'unknown', 'submitting', 'manual_review'])
    .execute();
  const newest = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', payment.id)
    .orderBy('id', 'desc')
    .limit(1)
    .execute();
  for (const refund of refunds.length > 0 ? refunds : newest)
    await openCase(tx, refund, 'paid_twice', { excessMinor: overpaid.toString() });
}
