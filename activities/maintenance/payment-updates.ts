/** Queries a payment that notifications are about, and records it: chargebacks, refunds made elsewhere, captures, changed outcomes. */
import { isShown } from '../../domain/refund/notification.js';
import { idsInFound, outcomeOfFound } from '../../domain/refund/outcome.js';
import type { GatewayTransaction } from '../../domain/transaction.js';
import type { Database } from '../../ledger/db/database.js';
import { awaitingQuery, recordShown } from '../../ledger/inbox/inbox.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import type { Dependencies } from '../dependencies.js';
import { queryAttempt, queryStoredPayment } from '../refund/originals.js';
import { expectationOf } from '../refund/submit.js';

export interface PaymentTask {
  readonly paymentId: string;
  readonly entityId: string;
  /** Milliseconds until the next query if the gateway does not show yet what a notification reported: doubled each time from `first` to `max`. */
  readonly queryAgain: { readonly first: number; readonly max: number };
}

export interface PaymentActivities {
  /** Queries the payment if a notification waits for it, and records the answer. Without such a notification nothing is queried. */
  readonly queryNotifiedPayment: (task: PaymentTask) => Promise<void>;
}

export function createPaymentActivities(deps: Dependencies, database: Database): PaymentActivities {
  return {
    async queryNotifiedPayment({ paymentId, entityId, queryAgain }) {
      // One query for all notifications that have arrived.
      const waiting = await awaitingQuery(database, paymentId);
      if (waiting.length === 0) return;
      const queriedAt = await deps.ledger.clock();
      // Read before the gateway is queried: its answer says nothing about a later submission.
      const refunds: RefundRecord[] = [];
      for (const refundId of new Set(waiting.flatMap((notification) => notification.refundId ?? []))) {
        const refund = await deps.ledger.findRefund(refundId);
        if (refund !== null) refunds.push(refund);
      }
      const shown = [...(await updatePayment(deps, entityId, paymentId))];
      const attemptIds = new Set(waiting.flatMap((notification) => notification.attemptId ?? []));
      for (const refund of refunds)
        shown.push(...(await updateAttempts(deps, refund, { attemptIds, shown, queriedAt })));
      for (const { id, transaction, notFoundCount } of waiting) {
        const dueInMs = Math.min(queryAgain.first * 2 ** Math.min(notFoundCount, 32), queryAgain.max);
        await recordShown(
          database,
          id,
          isShown(transaction, shown) ? { isShown: true } : { isShown: false, dueInMs },
        );
      }
    },
  };
}

/** Queries and records the payment. Returns all transactions that the gateway shows of it; empty if it cannot be read. */
async function updatePayment(
  deps: Dependencies,
  entityId: string,
  paymentId: string,
): Promise<readonly GatewayTransaction[]> {
  const { payment, at } = await deps.ledger.paymentBeforeQuery(paymentId);
  if (payment === null) return [];
  const original = await queryStoredPayment(deps, {
    ...{ entityId, paymentId, currency: payment.currency, observedAt: at },
    eachCapture: true,
  });
  switch (original.kind) {
    case 'read':
      await deps.ledger.recordOriginal(paymentId, original.facts);
      return [original.tree.original, ...original.tree.linked];
    case 'unavailable':
    case 'not_found':
    case 'unreadable':
    case 'links_not_shown':
      // Nothing is recorded. The payment is queried again with growing intervals, and a notification that no query confirms opens a case.
      return [];
    default:
      return original satisfies never;
  }
}

/**
 * Records the outcome of the attempts that notifications are about, from `shown` or from a query of their own: a credit is linked to no
 * payment and is found by its reference only. Returns the transactions of these queries.
 */
async function updateAttempts(
  deps: Dependencies,
  { entityId, currency, attempts }: RefundRecord,
  known: {
    readonly attemptIds: ReadonlySet<string>;
    readonly shown: readonly GatewayTransaction[];
    readonly queriedAt: Date;
  },
): Promise<readonly GatewayTransaction[]> {
  const queried: GatewayTransaction[] = [];
  for (const attempt of attempts) {
    if (!known.attemptIds.has(attempt.id)) continue;
    const expected = expectationOf({ ...attempt, currency });
    let found = known.shown;
    let outcome = outcomeOfFound(found, expected);
    if (outcome.kind === 'no_match') {
      const answer = await queryAttempt(deps, entityId, attempt);
      if (answer.kind === 'unavailable') continue;
      found = answer.kind === 'found' ? answer.value : [];
      queried.push(...found);
      outcome = outcomeOfFound(found, expected);
    }
    if (outcome.kind === 'no_match') continue;
    const gatewayId = 'gatewayId' in outcome ? outcome.gatewayId : undefined;
    const entry = found.find(({ id }) => id === gatewayId);
    await deps.ledger.record({
      attemptId: attempt.id,
      source: 'query',
      asked: { send: attempt.submissions, at: known.queriedAt },
      outcome,
      ids: idsInFound(found, expected),
      ...(entry === undefined ? {} : { code: entry.result.code, description: entry.result.description }),
    });
  }
  return queried;
}
