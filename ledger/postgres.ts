/** The ledger on PostgreSQL: joins the functions of all modules into the `Ledger` interface. */
import type { Kysely } from 'kysely';
import { isRefundId } from '../domain/ids.js';
import { FINAL_STATES } from '../domain/refund/states.js';
import { accept } from './refunds/accept.js';
import { link, refuseLink } from './attempts/linking.js';
import { attemptsOf } from './core/locks.js';
import { note } from './commands/command-results.js';
import { confirm, correct } from './attempts/corrections.js';
import type { Database, Tables } from './db/database.js';
import { NOW } from './db/expressions.js';
import { decide } from './commands/approvals.js';
import { applyReconciliation, openReviewCase, giveUp, recordOriginal } from './refunds/decisions.js';
import { withdraw } from './refunds/withdrawal.js';
import { storeNotifiedIds, record } from './attempts/evidence.js';
import { paymentOf } from './refunds/unlinked-credit.js';
import { queryTarget, recordPaymentNotFound, recordInconclusive } from './attempts/queries.js';
import { LedgerError, type Ledger, type RefundFilter } from './ledger.js';
import type { RefundRecord } from './core/refund-record.js';
import { openLinked } from './attempts/open-linked.js';
import { openCredit } from './attempts/open-credit.js';
import { openRegistration, recordRegistration, recordRegistrationNotFound } from './cards/registrations.js';
import { changeDestination } from './refunds/change-destination.js';
import { replay, nextInReview, reviewSums } from './refunds/replay.js';
import { recordReadable, recordUnreadable } from './refunds/unread.js';
import { paymentBeforeQuery, readRefunds } from './core/records.js';
import { snapshotOf } from './core/snapshots.js';

const DEFAULT_LIMIT = 100;

export function createLedger(database: Database): Ledger {
  const { db } = database;

  async function row(on: Kysely<Tables>, refundId: string) {
    const refund = isRefundId(refundId)
      ? await on.selectFrom('refunds').selectAll().where('id', '=', refundId).executeTakeFirst()
      : undefined;
    if (refund === undefined)
      throw new LedgerError('refund_unknown', `refund ${refundId} is not in the ledger`);
    return refund;
  }

  async function listRefunds(filter: RefundFilter): Promise<readonly RefundRecord[]> {
    if (filter.states?.length === 0) return [];
    let query = db
      .selectFrom('refunds')
      .select('id')
      .orderBy('id', 'desc')
      .limit(filter.limit ?? DEFAULT_LIMIT);
    if (filter.paymentId !== undefined) {
      const { paymentId } = filter;
      query = query.where((eb) =>
        eb.or([eb('payment_id', '=', paymentId), eb('capture_id', '=', paymentId)]),
      );
    }
    if (filter.clientId !== undefined) query = query.where('client_id', '=', filter.clientId);
    if (filter.idempotencyKey !== undefined)
      query = query.where('idempotency_key', '=', filter.idempotencyKey);
    if (filter.states !== undefined) query = query.where('state', 'in', filter.states);
    if (filter.unfinished === true) query = query.where('state', 'not in', FINAL_STATES);
    if (filter.before !== undefined && !isRefundId(filter.before)) return [];
    if (filter.before !== undefined) query = query.where('id', '<', filter.before);
    const ids = await query.execute();
    return readRefunds(
      db,
      ids.map(({ id }) => id),
    );
  }

  return {
    accept: (...args) => accept(database, ...args),
    findPayment: async (id) => (await paymentBeforeQuery(db, id)).payment,
    paymentBeforeQuery: (id) => paymentBeforeQuery(db, id),
    findRefund: async (id) => (await readRefunds(db, [id]))[0] ?? null,
    listRefunds,
    // Refund and attempts are read from one snapshot: a change between two reads would show a state that never existed. Reading waits for
    // no lock.
    snapshot: (refundId) =>
      database.snapshot(async (tx) =>
        snapshotOf(tx, await row(tx, refundId), await attemptsOf(tx, refundId)),
      ),
    async scope(refundId) {
      const refund = await row(db, refundId);
      const payment = await db
        .selectFrom('payments')
        .select(['entity_id', 'currency', NOW.as('now')])
        .where('id', '=', refund.payment_id)
        .executeTakeFirstOrThrow();
      return {
        refundId,
        paymentId: paymentOf(refundId, refund.payment_id),
        entityId: payment.entity_id,
        currency: payment.currency,
        observedAt: payment.now,
      };
    },
    openLinked: (refundId, timings, policy) => openLinked(database, refundId, timings, policy),
    openCredit: (refundId, original, timings, policy, prepared) =>
      openCredit(database, refundId, original, timings, policy, prepared),
    openRegistration: (card, entityId, timings) => openRegistration(database, card, entityId, timings),
    recordRegistration: (refundId, registration, outcome) =>
      recordRegistration(database, refundId, registration, outcome),
    recordRegistrationNotFound: (registration, timings) =>
      recordRegistrationNotFound(database, registration, timings),
    record: (evidence) => record(database, evidence),
    storeIds: (attemptId, ids) => storeNotifiedIds(database, attemptId, ids),
    clock: async () => (await db.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow()).now,
    queryTarget: (refundId) => queryTarget(database, refundId),
    recordInconclusive: (attemptId, notFound, timings) =>
      recordInconclusive(database, attemptId, notFound, timings),
    recordOriginal: (paymentId, original) => recordOriginal(database, paymentId, original),
    applyReconciliation: (refundId, original, purpose) =>
      applyReconciliation(database, refundId, original, purpose),
    openCase: (refundId, why, details) => openReviewCase(database, refundId, why, details),
    replay: (order) => replay(database, order),
    reviewSums: (waiting) => reviewSums(database, waiting),
    nextInReview: (waiting, cursor, limit) => nextInReview(database, waiting, cursor, limit),
    recordUnreadable: (refundId, unreadable) => recordUnreadable(database, refundId, unreadable),
    recordReadable: (refundId, original) => recordReadable(database, refundId, original),
    giveUp: (refundId, why, actor) => giveUp(database, refundId, why, actor),
    recordPaymentNotFound: (paymentId, timings) => recordPaymentNotFound(database, paymentId, timings),
    withdraw: (refundId, ...note) => withdraw(database, refundId, ...note),
    decide: (decision) => decide(database, decision),
    link: (linkCommand, timings) => link(database, linkCommand, timings),
    refuseLink: (refundId, operatorCommand, why) => refuseLink(database, refundId, operatorCommand, why),
    correct: (correction, config) => correct(database, correction, config),
    confirm: (decision, timings) => confirm(database, decision, timings),
    changeDestination: (destinationChange) => changeDestination(database, destinationChange),
    note: (refundId, command, operatorCommand) => note(database, refundId, command, operatorCommand),
  };
}
