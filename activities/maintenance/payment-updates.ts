/** What the gateway told about a payment, looked up: chargebacks, returns made elsewhere, captures, and refunds that end otherwise than recorded. */
import { isShown } from '../../domain/refund/notification.js';
import { idsInFound, outcomeOfFound } from '../../domain/refund/outcome.js';
import type { GatewayTransaction } from '../../domain/transaction.js';
import type { Database } from '../../ledger/db/database.js';
import { awaitingQuery, recordShown } from '../../ledger/inbox/inbox.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import type { Dependencies } from '../dependencies.js';
import { queryKnown, shownAlone } from '../refund/originals.js';
import { expectationOf } from '../refund/send.js';

export interface PaymentTask {
  readonly paymentId: string;
  readonly entityId: string;
  /** Milliseconds until a look-up that does not show yet what was told is made again: the first, doubled each time, at most the last. */
  readonly queryAgain: { readonly first: number; readonly max: number };
}

export interface PaymentActivities {
  /** Looks the payment up where a notice waits for it, and records what is there. Without such a notice the gateway is not asked. */
  readonly queryPayment: (task: PaymentTask) => Promise<void>;
}

export function createPaymentActivities(deps: Dependencies, database: Database): PaymentActivities {
  return {
    async queryPayment({ paymentId, entityId, queryAgain }) {
      // One look-up for all that has come meanwhile.
      const waiting = await awaitingQuery(database, paymentId);
      if (waiting.length === 0) return;
      const askedAt = await deps.ledger.clock();
      // As they stood before the gateway was asked: what it shows says nothing of a later submission.
      const refunds: RefundRecord[] = [];
      for (const refundId of new Set(waiting.flatMap((notification) => notification.refundId ?? []))) {
        const refund = await deps.ledger.findRefund(refundId);
        if (refund !== null) refunds.push(refund);
      }
      const shown = [...(await readPayment(deps, entityId, paymentId))];
      const meant = new Set(waiting.flatMap((notification) => notification.attemptId ?? []));
      for (const refund of refunds)
        shown.push(...(await readAttempts(deps, refund, { meant, shown, askedAt })));
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

/** Brings the payment up to date, and answers all that the gateway shows of it. */
async function readPayment(
  deps: Dependencies,
  entityId: string,
  paymentId: string,
): Promise<readonly GatewayTransaction[]> {
  const { payment, at } = await deps.ledger.paymentBeforeQuery(paymentId);
  if (payment === null) return [];
  const original = await queryKnown(deps, {
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
      // Nothing is believed and nothing is changed: it is read again, later each time, and what no query confirms ends with an operator.
      return [];
    default:
      return original satisfies never;
  }
}

/** The attempts that notices are about. A credit is linked to nothing, so it is asked for by its reference. */
async function readAttempts(
  deps: Dependencies,
  { entityId, currency, attempts }: RefundRecord,
  {
    meant,
    shown,
    askedAt,
  }: {
    readonly meant: ReadonlySet<string>;
    readonly shown: readonly GatewayTransaction[];
    readonly askedAt: Date;
  },
): Promise<readonly GatewayTransaction[]> {
  const seen: GatewayTransaction[] = [];
  for (const attempt of attempts) {
    if (!meant.has(attempt.id)) continue;
    const expected = expectationOf(deps, { ...attempt, entityId, currency });
    let found = shown;
    let outcome = outcomeOfFound(found, expected);
    if (outcome.kind === 'no_match') {
      const transaction = await shownAlone(deps, entityId, attempt);
      if (transaction.kind === 'unavailable') continue;
      found = transaction.kind === 'found' ? transaction.value : [];
      seen.push(...found);
      outcome = outcomeOfFound(found, expected);
    }
    if (outcome.kind === 'no_match') continue;
    const gatewayId = 'gatewayId' in outcome ? outcome.gatewayId : undefined;
    const entry = found.find(({ id }) => id === gatewayId);
    await deps.ledger.record({
      attemptId: attempt.id,
      source: 'query',
      asked: { send: attempt.submissions, at: askedAt },
      outcome,
      ids: idsInFound(found, expected),
      ...(entry === undefined ? {} : { code: entry.result.code, description: entry.result.description }),
    });
  }
  return seen;
}
