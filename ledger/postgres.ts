/** The ledger on PostgreSQL: joins the functions of all modules into the `Ledger` interface. */
import type { Kysely } from 'kysely';
import { isRefundId } from '../domain/ids.js';
import { FINAL_STATES } from '../domain/refund/states.js';
import { accept } from './refunds/accept.js';
import { adopt, refuseAdoption } from './attempts/adoption.js';
import { attemptsOf } from './core/locks.js';
import { note } from './commands/command-results.js';
import { confirm, correct } from './attempts/corrections.js';
import type { Database, Tables } from './db/database.js';
import { NOW } from './db/expressions.js';
import { decide } from './commands/approvals.js';
import { applyFinding, ask, giveUp, recordOriginal } from './refunds/decisions.js';
import { withdraw } from './refunds/withdrawal.js';
import { keepNotifiedIds, record } from './attempts/evidence.js';
import { paymentOf } from './refunds/free-standing.js';
import { inquiry, missOriginal, recordMiss } from './attempts/look-ups.js';
import { LedgerError, type Ledger, type RefundFilter } from './ledger.js';
import type { RefundRecord } from './core/refund-record.js';
import { openLinked } from './attempts/open.js';
import { openCredit } from './attempts/open-credit.js';
import { redirect } from './refunds/redirection.js';
import { replay, waitingAfter, waitingSums } from './refunds/replay.js';
import { noteReadable, noteUnreadable } from './refunds/unread.js';
import { beforeQuery, readRefunds } from './core/records.js';
import { positionOf } from './core/positions.js';

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
    if (filter.caller !== undefined) query = query.where('caller', '=', filter.caller);
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
    findPayment: async (id) => (await beforeQuery(db, id)).payment,
    beforeQuery: (id) => beforeQuery(db, id),
    findRefund: async (id) => (await readRefunds(db, [id]))[0] ?? null,
    listRefunds,
    // Refund and attempts are read from one snapshot: a change between two reads would show a state that never existed. Reading waits for
    // no lock.
    position: (refundId) =>
      database.snapshot(async (tx) =>
        positionOf(tx, await row(tx, refundId), await attemptsOf(tx, refundId)),
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
    openCredit: (refundId, original, timings, policy) =>
      openCredit(database, refundId, original, timings, policy),
    record: (evidence) => record(database, evidence),
    keepIds: (attemptId, ids) => keepNotifiedIds(database, attemptId, ids),
    clock: async () => (await db.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow()).now,
    inquiry: (refundId) => inquiry(database, refundId),
    recordMiss: (attemptId, miss, timings) => recordMiss(database, attemptId, miss, timings),
    recordOriginal: (paymentId, original) => recordOriginal(database, paymentId, original),
    applyFinding: (refundId, original, purpose) => applyFinding(database, refundId, original, purpose),
    ask: (refundId, why, details) => ask(database, refundId, why, details),
    replay: (order) => replay(database, order),
    waitingSums: (waiting) => waitingSums(database, waiting),
    waitingAfter: (waiting, cursor, limit) => waitingAfter(database, waiting, cursor, limit),
    noteUnreadable: (refundId, unreadable) => noteUnreadable(database, refundId, unreadable),
    noteReadable: (refundId, original) => noteReadable(database, refundId, original),
    giveUp: (refundId, why, actor) => giveUp(database, refundId, why, actor),
    missOriginal: (paymentId, timings) => missOriginal(database, paymentId, timings),
    withdraw: (refundId, ...word) => withdraw(database, refundId, ...word),
    decide: (decision) => decide(database, decision),
    adopt: (adoption, timings) => adopt(database, adoption, timings),
    refuseAdoption: (refundId, said, why) => refuseAdoption(database, refundId, said, why),
    correct: (correction, plan) => correct(database, correction, plan),
    confirm: (decision, timings) => confirm(database, decision, timings),
    redirect: (redirection) => redirect(database, redirection),
    note: (refundId, command, said) => note(database, refundId, command, said),
  };
}
