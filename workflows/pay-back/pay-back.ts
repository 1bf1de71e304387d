/** For a client's own workflow: accepts a refund, runs it as a child, and returns its result from the ledger. */
import { CancellationScope, CancelledFailure, workflowInfo } from '@temporalio/workflow';
import type { AcceptedRefund, ClientOrder } from '../../activities/pay-back/activities.js';
import { DEFAULT_TASK_QUEUE, resultOf, type RefundResult } from '../refund/contract.js';
import { activitiesOn, type PayBackActivities } from './activities.js';
import { isKeyReused } from './errors.js';
import { pollUntilFinal, resultOfChild, signalRun } from './child.js';

export { isSafeToCompensate } from './errors.js';

/**
 * Accepts `order` and returns the refund when it is final in the ledger. A child that was terminated, reset, restarted, timed out or canceled
 * from elsewhere is not the end of the refund: then this reads the ledger until it is final.
 *
 * Throws in three cases; `isSafeToCompensate` tells them apart:
 * - acceptance was refused (bad input, over the balance) and nothing is stored under the key: an `ActivityFailure` whose cause is an
 *   `ApplicationFailure` with the stable code as its `type`;
 * - the client was canceled, and the refund was never accepted or was withdrawn with nothing settled elsewhere: a `CancelledFailure`;
 * - the key belongs to a refund with another body, which may pay: like the first case, with the type `idempotency_key_reused`.
 *
 * The refund goes on when the client's workflow ends or is terminated. Canceling the client asks the refund to stop, which it does while no
 * money has left; otherwise this returns the refund's result.
 */
export async function payBack(
  order: ClientOrder,
  taskQueue: string = DEFAULT_TASK_QUEUE,
): Promise<RefundResult> {
  const client = CancellationScope.current();
  // An accepted refund reserves money and must reach an end: from here on only the refund itself decides whether it stops.
  return CancellationScope.nonCancellable(async () => {
    const activities = activitiesOn(taskQueue);
    const accepted = await accept(activities, order, client);
    const { refundId } = accepted.input;
    if (client.consideredCancelled) {
      const withdrawn = await withdraw(activities, refundId);
      if (withdrawn !== undefined) return canceledOr(withdrawn);
    }
    const result =
      (await resultOfChild(accepted, taskQueue, client)) ??
      (await pollUntilFinal(activities, refundId, client));
    return client.consideredCancelled && result.state === 'canceled' ? canceledOr(result) : result;
  });
}

/** Throws `CancelledFailure`, which tells the client that the customer has nothing. Returns the result if something was settled elsewhere. */
function canceledOr(result: RefundResult): RefundResult {
  if (result.settledBy === null)
    throw new CancelledFailure('the refund was withdrawn before any money was submitted');
  return result;
}

/** Returns the refund of this order's key. An earlier run of the client, or an acceptance whose answer was lost, may have stored it. */
async function accept(
  { acceptRefund, findAccepted }: PayBackActivities,
  order: ClientOrder,
  client: CancellationScope,
): Promise<AcceptedRefund> {
  if (client.consideredCancelled) {
    const earlier = await findAccepted(order);
    if (earlier === null)
      throw new CancelledFailure('the client was canceled before the refund was accepted');
    return earlier;
  }
  try {
    return await acceptRefund(order);
  } catch (error) {
    const earlier = isKeyReused(error) ? null : await findAccepted(order);
    if (earlier === null) throw error;
    return earlier;
  }
}

/**
 * Withdraws the refund before its child is started. Returns its result, or undefined if the ledger does not allow it. A run of another client
 * that waits for an operator is signaled, because nothing is left to decide.
 */
async function withdraw(activities: PayBackActivities, refundId: string): Promise<RefundResult | undefined> {
  const reason = 'the client was canceled before the refund was started';
  // A client is canceled once, so its run id identifies the command.
  const commandId = workflowInfo().runId;
  const result = await activities.withdrawRefund(refundId, 'cancellation', reason, undefined, commandId);
  if (result.kind !== 'withdrawn') return undefined;
  await signalRun(refundId, result.snapshot);
  return resultOf(result.snapshot);
}
