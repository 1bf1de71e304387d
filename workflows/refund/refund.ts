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
import { nextStep, type Position } from '../../domain/refund/next-step.js';
import { isFinal } from '../../domain/refund/states.js';
import { resultOf, SEARCH_ATTRIBUTES, type RefundInput, type RefundResult } from './contract.js';
import { openDesk } from './desk.js';
import { effectsOf } from './effects.js';
import { createPace } from './pace.js';

/**
 * The ledger is the fact, this is the driver: each activity reads it first and answers where the refund stands, so any run may be
 * killed, reset, terminated and started again. Cancelling is a wish: it is granted while nothing has left and nothing may have left.
 */
export async function refund(input: RefundInput): Promise<RefundResult> {
  const { refundId, plan } = input;
  const effects = effectsOf(input);
  const { money, gateway, ledger } = effects;
  const desk = openDesk(input, effects);
  const show = searchAttributes();
  const pace = createPace();
  const stop = { granted: false };

  const last = await CancellationScope.nonCancellable(async () => {
    await desk.opened();
    if (desk.takeCancelRequest()) await withdraw();
    let position = await money.sendRefund(input);
    for (;;) {
      position = desk.newest(position);
      if (desk.takeToldOfLater(position)) position = await ledger.position(refundId);
      if (!isFinal(position.state) && desk.takeCancelRequest()) position = await withdraw();
      // Listened for over months: a history has its limit, and all that the next run needs is in the ledger. What has come meanwhile is not.
      if (workflowInfo().continueAsNewSuggested && !isFinal(position.state)) {
        await condition(allHandlersFinished);
        if (desk.hasNews(position)) continue;
        if (!desk.isNotified()) await continueAsNew<typeof refund>(input);
      }
      const step = nextStep(position, plan);
      const pause = pace.before(position, step);
      show(position, pace.isStuck());
      if (pause > 0) {
        log.warn('the refund does not get on', { refundId, state: position.state, step: step.kind, pause });
        // A notice does not end this wait: what the ledger answers to it may be the circle.
        if (await desk.newsWithin(pause, position)) continue;
      }
      switch (step.kind) {
        case 'finish':
          await condition(allHandlersFinished);
          // What was said or told while the last activity answered: nobody else would go on with it.
          if (desk.newest(position) !== position) break;
          if (desk.takeToldOfLater(position)) {
            position = await ledger.position(refundId);
            break;
          }
          return position;
        case 'send':
          if (!(await desk.newsWithin(step.after, position))) position = await money.sendRefund(input);
          break;
        case 'credit':
          if (!(await desk.newsWithin(step.after, position))) position = await money.sendCredit(input);
          break;
        case 'listen':
          await desk.noticeWithin(step.after, position);
          position = await gateway.lookUp(input);
          break;
        case 'reconcile':
          if (!(await desk.newsWithin(step.after, position))) position = await gateway.reconcile(input);
          break;
        case 'read':
          await desk.noticeWithin(Math.max(step.after, 1), position);
          if (desk.newest(position) === position) position = await gateway.readPayment(input);
          break;
        case 'ask':
          position = await ledger.askPerson(refundId, step.why);
          break;
        case 'give_up':
          position = await ledger.giveUp(refundId, step.why);
          break;
        case 'person':
          // A late answer, or what acts beside this run, may tell the ledger and no run: once a day it is read again.
          await desk.noticeWithin(plan.timings.caseAfterUnknown, position);
          position = await ledger.position(refundId);
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

  async function withdraw(): Promise<Position> {
    const why = 'the workflow was cancelled';
    // A run is cancelled once: its id names the word.
    const result = await ledger.withdraw(refundId, 'cancellation', why, undefined, workflowInfo().runId);
    stop.granted = result.kind === 'withdrawn';
    return result.position;
  }
}

/** Changed only off the happy path: each change is an event more in the history. */
function searchAttributes(): (position: Position, isStuck: boolean) => void {
  let shown: string | undefined;
  return ({ state }, isStuck) => {
    const now = isStuck ? `${state}, stuck` : state;
    if (now === shown || (shown === undefined && isFinal(state))) return;
    shown = now;
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.state, value: state },
      {
        key: SEARCH_ATTRIBUTES.needsPerson,
        value: isStuck || state === 'manual_review' || state === 'awaiting_approval',
      },
    ]);
  };
}
