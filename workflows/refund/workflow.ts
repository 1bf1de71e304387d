/** The refund workflow: pays one customer back exactly once, by refund, or by credit where a refund is proven impossible. */
import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  workflowInfo,
} from '@temporalio/workflow';
import { nextStep } from '../../domain/refund/next-step.js';
import { isFinal } from '../../domain/refund/states.js';
import { activitiesFor } from './activities.js';
import { createCancellation } from './cancellation.js';
import { resultOf, type RefundInput, type RefundResult } from './contract.js';
import { createLoopGuard } from './loop-guard.js';
import { handleMessages } from './messages.js';
import { createSearchAttributes } from './search-attributes.js';

/**
 * Drives one accepted refund to its end. The ledger holds the facts: each activity reads it first and returns a snapshot of the refund, so
 * a run may be killed, reset, terminated and started again at any moment. `nextStep` (pure) decides, this function carries it out.
 *
 * Canceling the workflow asks for a withdrawal. It is granted while no money has left and none may have left; then this throws
 * `CancelledFailure`. Otherwise the refund goes on and its result is returned.
 */
export async function refund(input: RefundInput): Promise<RefundResult> {
  const { refundId, config } = input;
  const { submit, gateway, ledger } = activitiesFor(input);
  const cancellation = createCancellation(refundId, ledger);
  const messages = handleMessages(input, { gateway, ledger, cancellation });
  const loopGuard = createLoopGuard();
  const searchAttributes = createSearchAttributes();

  // Activities go on when the workflow is canceled: only the ledger can tell whether the refund may stop.
  return CancellationScope.nonCancellable(async () => {
    // The refund may have been withdrawn or canceled before a worker was there.
    await messages.handleEarly();
    let snapshot = await submit.refund(input);
    for (;;) {
      snapshot = await messages.latest(snapshot);
      // A refund may be open for months and a history has a limit. The next run continues from the ledger; only messages would be lost.
      if (workflowInfo().continueAsNewSuggested && !isFinal(snapshot.state)) {
        await condition(allHandlersFinished);
        if (messages.hasUpdates(snapshot)) continue;
        if (!messages.isNotified()) await continueAsNew<typeof refund>(input);
      }
      const next = nextStep(snapshot, config);
      // Without progress (two versions of the program may disagree during a deploy) the loop slows down.
      const pause = loopGuard.pauseBefore(next, snapshot);
      searchAttributes.show(snapshot, loopGuard.isStuck());
      if (pause > 0 && !(await messages.noneWithin(pause, snapshot))) continue;

      switch (next.kind) {
        case 'submit':
          if (await messages.noneWithin(next.after, snapshot)) snapshot = await submit.refund(input);
          break;
        case 'credit':
          if (await messages.noneWithin(next.after, snapshot)) snapshot = await submit.credit(input);
          break;
        case 'query_outcome':
          await messages.notificationWithin(next.after, snapshot);
          snapshot = await gateway.queryOutcome(input);
          break;
        case 'reconcile':
          if (await messages.noneWithin(next.after, snapshot)) snapshot = await gateway.reconcile(input);
          break;
        case 'query_payment':
          await messages.notificationWithin(next.after, snapshot);
          if (messages.isLatest(snapshot)) snapshot = await gateway.queryPayment(input);
          break;
        case 'open_case':
          snapshot = await ledger.openCase(refundId, next.why);
          break;
        case 'wait_for_operator':
          // Once a day: a late answer may be in the ledger without a message to this run.
          await messages.notificationWithin(config.timings.caseAfterUnknown, snapshot);
          snapshot = await ledger.readSnapshot(refundId);
          break;
        case 'fail':
          snapshot = await ledger.failRefund(refundId, next.why);
          break;
        case 'finish':
          await condition(allHandlersFinished);
          if (!messages.areDone(snapshot)) break;
          // `CancelledFailure` means that the customer has nothing. If something was settled outside of this refund, the result says so.
          if (cancellation.isGranted() && snapshot.settled.settledBy === null)
            throw new CancelledFailure('the refund was withdrawn before any money was submitted');
          return resultOf(snapshot);
        default:
          next satisfies never;
      }
    }
  });
}
