/** Processes one gateway notification: completes an attempt, signals a refund's workflow, or starts a query of the payment. */
import { readNotification } from '../../domain/refund/notification.js';
import type { Outcome } from '../../domain/refund/outcome.js';
import { FINAL_STATES, isFinal } from '../../domain/refund/states.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import type { GatewayTransaction } from '../../domain/transaction.js';
import { finishWebhooks, type ClaimedWebhook, type WebhookSubject } from '../../ledger/inbox/inbox.js';
import { PAYMENT_UPDATES_WORKFLOW, paymentUpdatesWorkflowId } from '../../workflows/maintenance/contract.js';
import { gatewayNotification, type GatewayNotificationArgs } from '../../workflows/refund/contract.js';
import type { paymentUpdates } from '../../workflows/maintenance/payment-updates.js';
import { createRefundWorkflow } from '../../client/refund-workflow.js';
import type { NotificationParts } from '../../client/open.js';

/** Result of processing a notification. Stored as its `why`, and logged. */
export type NotificationEnd =
  | 'completed'
  | 'signaled'
  | 'known'
  | 'confirmed'
  | 'waiting_for_query'
  | 'no_matching_attempt'
  | 'never_confirmed'
  | 'no_refund_requested';

type Process = (
  notification: ClaimedWebhook,
  subject: WebhookSubject | undefined,
) => Promise<NotificationEnd>;

/** Milliseconds until an unmatched notification is matched once more: the attempt may have been uncommitted the first time. */
const UNMATCHED_RETRY_MS = 60_000;
/** Milliseconds after which the workflow that queries the payment is presumed lost with its Temporal server, and is started again. */
const QUERY_LOST_MS = 60_000;
/** Queries without the transaction, spread over at least `caseAfterUnknown`, before it is given up: one query may lag behind. */
const NOT_FOUND_BEFORE_GIVING_UP = 3;
const TEMPORAL_WITHIN_MS = 10_000;
const REFUNDS_AT_ONCE = 500;

/**
 * Creates the function that processes one notification. It is safe to repeat at any point: records have a natural key, a repeated signal
 * has no effect, and the notification is marked as processed last. Throws if the database or Temporal is unavailable; the processor then
 * retries the notification.
 */
export function createNotificationProcess(parts: NotificationParts): Process {
  const { database, dependencies, temporal, start, queues } = parts;
  const { ledger, gateway } = dependencies;
  const driver = createRefundWorkflow(temporal, start, queues);

  return async (notification, subject) => {
    if (subject === undefined) return setAside(notification);
    if (notification.isConfirmed) {
      await wakeAll(subject.payment.id);
      // The query may have made the refund final while its workflow still waits for an operator.
      if (subject.refund !== null && isFinal(subject.refund.state)) await wake(subject.refund.id);
      await finishWebhooks(database, [notification], { state: 'processed', why: 'confirmed', subject });
      return 'confirmed';
    }
    const { attempt } = subject;
    const transaction = gateway.interpret(notification.entityId, notification.transaction);
    if (attempt === null)
      return isOldUpdate(transaction, subject)
        ? end(notification, 'known', subject)
        : query(notification, subject);
    const meaning = readNotification(transaction, attempt);
    // Store the gateway's id in any case: an attempt with a known id is never taken for absent.
    const { id } = notification.transaction;
    if (meaning.kind !== 'complete' && id !== undefined && id !== attempt.gatewayId)
      await ledger.storeIds(attempt.id, [id]);
    switch (meaning.kind) {
      case 'complete':
        await complete(notification, attempt.id, meaning.outcome);
        await wake(attempt.refundId);
        return end(notification, 'completed', subject);
      case 'wake':
        await wake(attempt.refundId);
        return end(notification, 'signaled', subject);
      case 'known':
        // The process that recorded the outcome may have died before it signaled the workflow.
        if (!isOpenAttempt(attempt.state) && subject.refund !== null && !isFinal(subject.refund.state))
          await wake(subject.refund.id);
        return end(notification, 'known', subject);
      case 'query':
        return query(notification, subject);
      default:
        return meaning satisfies never;
    }
  };

  async function end(
    notification: ClaimedWebhook,
    why: 'completed' | 'signaled' | 'known',
    subject: WebhookSubject,
  ): Promise<NotificationEnd> {
    await finishWebhooks(database, [notification], { state: 'processed', why, subject });
    return why;
  }

  /**
   * Sets aside a notification without a known payment. A debit or preauthorization is ignored: a later refund request queries the payment.
   * Anything else stays unmatched.
   */
  async function setAside(notification: ClaimedWebhook): Promise<NotificationEnd> {
    if (notification.transaction.type === 'debit' || notification.transaction.type === 'preauthorization') {
      await finishWebhooks(database, [notification], { state: 'ignored', why: 'no_refund_requested' });
      return 'no_refund_requested';
    }
    await finishWebhooks(database, [notification], {
      state: 'unmatched',
      why: 'no_matching_attempt',
      ...(notification.state === 'unmatched' ? {} : { dueInMs: UNMATCHED_RETRY_MS }),
    });
    return 'no_matching_attempt';
  }

  async function complete(
    { transaction }: ClaimedWebhook,
    attemptId: string,
    outcome: Outcome,
  ): Promise<void> {
    const { code, description } = transaction.result;
    await ledger.record({ attemptId, source: 'notification', outcome, code, description });
  }

  async function wake(refundId: string): Promise<void> {
    const refund = await ledger.findRefund(refundId);
    if (refund !== null) await driver.wake(refund);
  }

  /** Signals every unfinished refund of the payment. A chargeback, a capture or a returned refund may change its next step. */
  async function wakeAll(paymentId: string): Promise<void> {
    const refunds = await database.db
      .selectFrom('refunds')
      .innerJoin('payments', 'payments.id', 'refunds.payment_id')
      .select(['refunds.id', 'refunds.state', 'refunds.version', 'refunds.payment_id', 'payments.entity_id'])
      .where('refunds.payment_id', '=', paymentId)
      .where('refunds.state', 'not in', FINAL_STATES)
      .limit(REFUNDS_AT_ONCE)
      .execute();
    for (const { id, state, version, payment_id, entity_id } of refunds)
      await driver.wake({ id, state, version, paymentId: payment_id, entityId: entity_id });
  }

  /** Starts the workflow that queries the payment, one for each payment, on the entity's task queue with the gateway's rate limit. */
  async function query(notification: ClaimedWebhook, subject: WebhookSubject): Promise<NotificationEnd> {
    const { entityId } = notification;
    const paymentId = subject.payment.id;
    const { queryFirst, queryMax, caseAfterUnknown } = start.configFor(entityId).timings;
    if (notification.notFoundCount >= NOT_FOUND_BEFORE_GIVING_UP && notification.ageMs > caseAfterUnknown) {
      await finishWebhooks(database, [notification], { state: 'unmatched', why: 'never_confirmed', subject });
      return 'never_confirmed';
    }
    // Before the signal, so that the workflow finds the notification.
    await finishWebhooks(database, [notification], { state: 'received', subject, dueInMs: QUERY_LOST_MS });
    await temporal.withDeadline(Date.now() + TEMPORAL_WITHIN_MS, () =>
      temporal.workflow.signalWithStart<typeof paymentUpdates, GatewayNotificationArgs>(
        PAYMENT_UPDATES_WORKFLOW,
        {
          workflowId: paymentUpdatesWorkflowId(paymentId),
          taskQueue: queues.refunds,
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
          signal: gatewayNotification,
          signalArgs: [],
          args: [
            {
              paymentId,
              entityId,
              queryAgain: { first: queryFirst, max: queryMax },
              queryTaskQueue: start.queryTaskQueue,
            },
          ],
        },
      ),
    );
    return 'waiting_for_query';
  }
}

/** True if the notification reports the original payment as it is recorded. */
function isOldUpdate({ id, result }: GatewayTransaction, { payment }: WebhookSubject): boolean {
  return id === payment.id && payment.state === 'succeeded' && result.meaning.refund.kind === 'succeeded';
}
