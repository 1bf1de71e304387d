/** Pays one customer back exactly once: by refund, or by credit where a refund is proven impossible. */
import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  log,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { nextStep, type RefundSnapshot } from '../../domain/refund/next-step.js';
import { isFinal } from '../../domain/refund/states.js';
import { resultOf, SEARCH_ATTRIBUTES, type RefundInput, type RefundResult } from './contract.js';
import { handleMessages } from './desk.js';
import { effectsOf } from './effects.js';
import { createPace } from './pace.js';

/**
 * The ledger is the fact, this is the driver: each activity reads it first and answers where the refund stands, so any run may be
 * killed, reset, terminated and started again. Cancelling is a wish: it is granted while nothing has left and nothing may have left.
 */
export async function refund(input: RefundInput): Promise<RefundResult> {
  const { refundId, config } = input;
  const effects = effectsOf(input);
  const { money, gateway, ledger } = effects;
  const messages = handleMessages(input, effects);
  const show = searchAttributes();
  const pace = createPace();
  const stop = { granted: false };

  const last = await CancellationScope.nonCancellable(async () => {
    await messages.opened();
    if (messages.takeCancelRequest()) await withdraw();
    let snapshot = await money.sendRefund(input);
    for (;;) {
      snapshot = messages.newest(snapshot);
      if (messages.takeToldOfLater(snapshot)) snapshot = await ledger.snapshot(refundId);
      if (!isFinal(snapshot.state) && messages.takeCancelRequest()) snapshot = await withdraw();
      // Listened for over months: a history has its limit, and all that the next run needs is in the ledger. What has come meanwhile is not.
      if (workflowInfo().continueAsNewSuggested && !isFinal(snapshot.state)) {
        await condition(allHandlersFinished);
        if (messages.hasUpdates(snapshot)) continue;
        if (!messages.isNotified()) await continueAsNew<typeof refund>(input);
      }
      const step = nextStep(snapshot, config);
      const pause = pace.before(snapshot, step);
      show(snapshot, pace.isStuck());
      if (pause > 0) {
        log.warn('the refund does not get on', { refundId, state: snapshot.state, step: step.kind, pause });
        // A notice does not end this wait: what the ledger answers to it may be the circle.
        if (await messages.updatesWithin(pause, snapshot)) continue;
      }
      switch (step.kind) {
        case 'finish':
          await condition(allHandlersFinished);
          // What was said or told while the last activity answered: nobody else would go on with it.
          if (messages.newest(snapshot) !== snapshot) break;
          if (messages.takeToldOfLater(snapshot)) {
            snapshot = await ledger.snapshot(refundId);
            break;
          }
          return snapshot;
        case 'send':
          if (!(await messages.updatesWithin(step.after, snapshot))) snapshot = await money.sendRefund(input);
          break;
        case 'credit':
          if (!(await messages.updatesWithin(step.after, snapshot))) snapshot = await money.sendCredit(input);
          break;
        case 'listen':
          await messages.notificationWithin(step.after, snapshot);
          snapshot = await gateway.query(input);
          break;
        case 'reconcile':
          if (!(await messages.updatesWithin(step.after, snapshot)))
            snapshot = await gateway.reconcile(input);
          break;
        case 'read':
          await messages.notificationWithin(Math.max(step.after, 1), snapshot);
          if (messages.newest(snapshot) === snapshot) snapshot = await gateway.readPayment(input);
          break;
        case 'ask':
          snapshot = await ledger.openCase(refundId, step.why);
          break;
        case 'give_up':
          snapshot = await ledger.giveUp(refundId, step.why);
          break;
        case 'operator':
          // A late answer, or what acts beside this run, may tell the ledger and no run: once a day it is read again.
          await messages.notificationWithin(config.timings.caseAfterUnknown, snapshot);
          snapshot = await ledger.snapshot(refundId);
          break;
        default:
          step satisfies never;
      }
    }
  });

  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  // A cancellation tells the caller that the customer has nothing. Where something reached the customer outside, the result says so.
  if (stop.granted && last.settled.settledBy === null)
    throw new CancelledFailure('withdrawn before anything was sent');
  return resultOf(last);

  async function withdraw(): Promise<RefundSnapshot> {
    const why = 'the workflow was cancelled';
    // A run is cancelled once: its id names the word.
    const result = await ledger.withdraw(refundId, 'cancellation', why, undefined, workflowInfo().runId);
    stop.granted = result.kind === 'withdrawn';
    return result.snapshot;
  }
}

/** Changed only off the happy path: each change is an event more in the history. */
function searchAttributes(): (snapshot: RefundSnapshot, isStuck: boolean) => void {
  let shown: string | undefined;
  return ({ state }, isStuck) => {
    const now = isStuck ? `${state}, stuck` : state;
    if (now === shown || (shown === undefined && isFinal(state))) return;
    shown = now;
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.state, value: state },
      {
        key: SEARCH_ATTRIBUTES.needsOperator,
        value: isStuck || state === 'manual_review' || state === 'awaiting_approval',
      },
    ]);
  };
}
