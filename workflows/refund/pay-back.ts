/** For a client's own workflow: accept a refund, pay it as a child, and return only what the ledger has as its end. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  proxyActivities,
  startChild,
  workflowInfo,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import type { AcceptedOrder, ClientActivities, ClientOrder } from '../../activities/refund/caller.js';
import type { RefundActivities } from '../../activities/refund/refunds.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { isFinal } from '../../domain/refund/states.js';
import {
  DEFAULT_TASK_QUEUE,
  gatewayNotification,
  REFUND_WORKFLOW,
  refundWorkflowId,
  resultOf,
  SEARCH_ATTRIBUTES,
  type RefundResult,
} from './contract.js';
import type { refund } from './refund.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The key belongs to a refund that was asked for with another body: it may pay, whatever becomes of this order. */
const KEY_REUSED = 'idempotency_key_reused';

/**
 * Longer than acceptance may take from its last heartbeat to its commit (90 s, `activities/refund/accept.ts`): once a try counts as lost and another
 * one is refused, nothing of the first one is stored any more.
 */
const ACCEPT_HEARTBEAT = 100 * SECOND;

function activitiesOn(taskQueue: string) {
  const { acceptRefund } = proxyActivities<ClientActivities>({
    taskQueue,
    startToCloseTimeout: 10 * MINUTE,
    heartbeatTimeout: ACCEPT_HEARTBEAT,
  });
  const { acceptedBefore, refundSnapshot, withdraw } = proxyActivities<
    ClientActivities & Pick<RefundActivities, 'withdraw'>
  >({ taskQueue, startToCloseTimeout: 2 * MINUTE });
  return { acceptRefund, acceptedBefore, refundSnapshot, withdraw };
}
type Activities = ReturnType<typeof activitiesOn>;

/**
 * Accepts `order` and returns the refund when the ledger has it as final. Nothing else ends it: a child that was terminated, reset,
 * restarted, timed out or canceled by somebody else is not how the refund ended, so the ledger is read until it is.
 *
 * Throws in three cases, and `isSafeToCompensate` tells them apart from the outside: acceptance was refused (bad input, over the balance: an
 * `ActivityFailure` whose cause is an `ApplicationFailure` with the stable code as its `type`) and nothing is stored under the key; the
 * client was canceled and the refund was withdrawn with nothing settled elsewhere, or was never accepted; the key belongs to a refund with another body
 * (`idempotency_key_reused`), which may pay.
 *
 * The refund goes on when the client's workflow ends or is terminated. Canceling the client asks the refund to stop, which it does while
 * nothing has left; else this returns how the refund ended.
 */
export async function payBack(
  order: ClientOrder,
  taskQueue: string = DEFAULT_TASK_QUEUE,
): Promise<RefundResult> {
  const caller = CancellationScope.current();
  // What is accepted is reserved and has to be driven to an end: from here on only the refund itself decides about stopping.
  return CancellationScope.nonCancellable(async () => {
    const activities = activitiesOn(taskQueue);
    const accepted = await acceptedOrder(activities, order, caller);
    const { refundId } = accepted.input;
    const withdrawn = caller.consideredCancelled ? await withdraw(activities, refundId) : undefined;
    if (withdrawn !== undefined) return endOfWithdrawn(withdrawn);
    const result =
      (await resultOfChild(accepted, taskQueue, caller)) ?? (await untilFinal(activities, refundId, caller));
    return caller.consideredCancelled && result.state === 'canceled' ? endOfWithdrawn(result) : result;
  });
}

/** A cancellation says that the customer has nothing. Where something has reached the customer elsewhere, the result says so instead. */
function endOfWithdrawn(result: RefundResult): RefundResult {
  if (result.settledBy === null) throw new CancelledFailure('withdrawn before anything was sent');
  return result;
}

/**
 * True if `error`, thrown by `payBack`, means that no refund of this key pays and none will: what was done for it may be undone. False for
 * everything else, where the customer may have the money or may still get it.
 */
export function isSafeToCompensate(error: unknown): boolean {
  if (error instanceof CancelledFailure) return true;
  const refusal = declineClassOf(error);
  return refusal !== undefined && refusal.type !== KEY_REUSED;
}

/** The refund of this order's key. An earlier run of the client, or an acceptance whose answer was lost, may have stored it. */
async function acceptedOrder(
  { acceptRefund, acceptedBefore }: Activities,
  order: ClientOrder,
  caller: CancellationScope,
): Promise<AcceptedOrder> {
  if (caller.consideredCancelled) {
    const before = await acceptedBefore(order);
    if (before === null) throw new CancelledFailure('canceled before it was accepted');
    return before;
  }
  try {
    return await acceptRefund(order);
  } catch (error) {
    const before = declineClassOf(error)?.type === KEY_REUSED ? null : await acceptedBefore(order);
    if (before === null) throw error;
    return before;
  }
}

function declineClassOf(error: unknown): ApplicationFailure | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof ApplicationFailure ? cause : undefined;
}

/** How it ended, if the ledger granted it. A run of another client may wait for an operator, who has nothing to decide any more: it is notified. */
async function withdraw(activities: Activities, refundId: string): Promise<RefundResult | undefined> {
  const why = 'the caller was cancelled before it was started';
  // A client is canceled once: its run's id names the command.
  const { kind, snapshot } = await activities.withdraw(
    ...([refundId, 'cancellation', why, undefined, workflowInfo().runId] as const),
  );
  if (kind !== 'withdrawn') return undefined;
  await notifyRun(refundId, snapshot);
  return resultOf(snapshot);
}

/** Tells the run that drives the refund, if there is one, that the ledger has gone on without it. */
async function notifyRun(refundId: string, { version }: RefundSnapshot): Promise<void> {
  await getExternalWorkflowHandle(refundWorkflowId(refundId))
    .signal(gatewayNotification, version, 'ledger')
    .catch(() => undefined);
}

/** How the child ended, or undefined where it did not end by itself: another run drives the refund, or none does. */
async function resultOfChild(
  accepted: AcceptedOrder,
  taskQueue: string,
  caller: CancellationScope,
): Promise<RefundResult | undefined> {
  const stoppable = new CancellationScope();
  try {
    const child = await stoppable.run(() => startRefund(accepted, taskQueue));
    // Not before it has started: a child that is canceled earlier is never started, and its money would stay reserved.
    caller.cancelRequested.catch(() => {
      stoppable.cancel();
    });
    return await child.result();
  } catch {
    return undefined;
  }
}

function startRefund({ input, paymentId }: AcceptedOrder, taskQueue: string) {
  return startChild<typeof refund>(REFUND_WORKFLOW, {
    args: [input],
    workflowId: refundWorkflowId(input.refundId),
    taskQueue,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    typedSearchAttributes: [
      { key: SEARCH_ATTRIBUTES.state, value: 'reserved' },
      { key: SEARCH_ATTRIBUTES.needsOperator, value: false },
      { key: SEARCH_ATTRIBUTES.paymentId, value: paymentId },
    ],
  });
}

/**
 * Another run drives the refund (a repair, a sweep, an operator's restart): only the ledger tells how it ends. Reads it ever more rarely: a
 * refund may wait for an operator for weeks, and the history of the client's workflow has a limit (51,200 events; one question makes 11).
 */
async function untilFinal(
  { refundSnapshot }: Activities,
  refundId: string,
  caller: CancellationScope,
): Promise<RefundResult> {
  let isStopping = false;
  // Canceled after this, or before while the child that was asked to stop was ended by somebody else.
  caller.cancelRequested.catch(async () => {
    // It may be over already, or about to be started again by the sweep; then it goes on.
    await getExternalWorkflowHandle(refundWorkflowId(refundId))
      .cancel()
      .catch(() => undefined);
    isStopping = true;
  });
  let isSoon = false;
  for (let pause = SECOND; ; pause = Math.min(pause * 2, HOUR)) {
    const snapshot = await refundSnapshot(refundId);
    if (isFinal(snapshot.state)) {
      // An earlier run of this client may have withdrawn it and ended before it could say so.
      await notifyRun(refundId, snapshot);
      return resultOf(snapshot);
    }
    // Asked to stop: the answer is near, once.
    if (await condition(() => isStopping && !isSoon, pause)) {
      isSoon = true;
      pause = SECOND / 2;
    }
  }
}
