/** Replays a refund: explains what a run would do now, from the ledger and the gateway, and starts one. */
import type { StartSettings } from '../activities/pay-back/activities.js';
import { queryingFor, type Dependencies } from '../activities/dependencies.js';
import { queryOpenAttempt } from '../activities/refund/query-outcome.js';
import { effectiveMinor } from '../domain/payment/disputes.js';
import { queryOriginal } from '../activities/refund/originals.js';
import { CASE_REASONS } from '../domain/refund/reasons.js';
import { nextStep, type RefundSnapshot, type Step } from '../domain/refund/next-step.js';
import type { OperatorNote } from '../domain/refund/operator-note.js';
import { isReplayable } from '../domain/refund/replay.js';
import { QueryBudgetSpent } from '../gateway/errors.js';
import { isFinal, type RefundState } from '../domain/refund/states.js';
import type { RefundRecord } from '../ledger/core/refund-record.js';
import type { CommandResult } from '../ledger/core/commands.js';
import type { RefundWorkflow } from './refund-workflow.js';
import { amountText, owedOf } from './money-effects.js';
import { refusal, type Refusal } from './errors.js';
import { replayMany, type BulkReplay, type BulkReplayResult } from './replay-many.js';
import type { Run } from './workflow-runs.js';
import { checkNote } from './note-rules.js';

export interface ReplayReport {
  readonly refundId: string;
  readonly state: RefundState;
  readonly why: string | null;
  /** Milliseconds since the refund entered this state. */
  readonly sinceMs: number;
  /** The next step of a run, and the milliseconds that it waits before. */
  readonly step: { readonly kind: Step['kind']; readonly afterMs: number };
  /** Its effect on the money, as a sentence. */
  readonly effect: string;
  /** The state of the attempt or the payment at the gateway now, as a sentence. */
  readonly gateway: string;
  /** The newest run; null where Temporal knows of none. */
  readonly run: Run | null;
  /** Why it does not continue by itself; null where it does, or is final. */
  readonly stuck: string | null;
}

export interface ReplayResult extends ReplayReport {
  /**
   * `replayed`: it was in review and continues with its first unsent step. `over`: nothing is left to do. `alive`: a run is alive and was left
   * alone. `started` and `restarted`: a run was started; for `restarted` the one before was terminated.
   */
  readonly outcome: 'replayed' | 'over' | 'alive' | 'started' | 'restarted';
}

export interface ReplayNote extends OperatorNote {
  /** The run to terminate if it is still alive, as it was shown. Absent: no run is terminated. */
  readonly restart?: { readonly runId: string };
  /** Identifies this command: a repeated command is carried out once. */
  readonly commandId?: string;
}

/** The next step of a run, from the ledger alone. */
export interface NextStep {
  readonly kind: Step['kind'];
  /** Milliseconds that the run waits before, at most: a notification of the gateway ends the wait. */
  readonly afterMs: number;
  /** Its effect on the money, as a sentence. */
  readonly effect: string;
}

export interface Replay {
  /** Returns the next step from the ledger alone. */
  nextOf(id: string): Promise<NextStep>;
  /** Explains what a run would do now. Reads the ledger, the gateway and Temporal; changes nothing. */
  explainReplay(id: string): Promise<ReplayReport>;
  /**
   * Lets a refund continue after its cause is fixed. In review: it goes back to its first unsent step, with all checks again and new budgets. In
   * any other state: a run is started where none is alive; a run that is alive is left alone unless `restart` names it. Moves no money itself.
   */
  replay(id: string, note: ReplayNote): Promise<ReplayResult>;
  /** Replays every refund in review for one reason, one batch in each call. */
  replayMany(order: BulkReplay): Promise<BulkReplayResult>;
}

export interface ReplayParts {
  readonly dependencies: Dependencies;
  readonly driver: RefundWorkflow;
  readonly start: StartSettings;
  readonly recordOf: (id: string) => Promise<RefundRecord>;
}

/** Tries after which a step counts as failing. */
const OFTEN = 3;
/** Milliseconds until a step that waits means that no worker runs. A running worker takes a step at once. */
const NO_WORKER_AFTER = 60_000;

export function createReplay({ dependencies, driver, start, recordOf }: ReplayParts): Replay {
  function nextFrom(snapshot: RefundSnapshot, record: RefundRecord): NextStep & { readonly step: Step } {
    const step = nextStep(snapshot, start.configFor(record.entityId));
    return {
      step,
      kind: step.kind,
      afterMs: 'after' in step ? step.after : 0,
      effect: effectOfStep(step, record),
    };
  }

  async function nextOf(id: string): Promise<NextStep> {
    const record = await recordOf(id);
    const { kind, afterMs, effect } = nextFrom(await dependencies.ledger.snapshot(id), record);
    return { kind, afterMs, effect };
  }

  async function explainReplay(id: string): Promise<ReplayReport> {
    const record = await recordOf(id);
    const [snapshot, run, gateway] = await Promise.all([
      dependencies.ledger.snapshot(id),
      driver.runOf(id),
      gatewayShows(dependencies, record),
    ]);
    const { step, kind, afterMs, effect } = nextFrom(snapshot, record);
    return {
      refundId: id,
      state: snapshot.state,
      why: snapshot.why,
      sinceMs: snapshot.sinceMs,
      step: { kind, afterMs },
      effect,
      gateway,
      run,
      stuck: isFinal(snapshot.state) ? null : whyStuck(snapshot, run, step),
    };
  }

  async function replay(id: string, note: ReplayNote): Promise<ReplayResult> {
    checkNote(note);
    const record = await recordOf(id);
    await findReporting(record);
    const before =
      record.state === 'manual_review' && note.restart === undefined
        ? await takeBack(record, note)
        : undefined;
    const report = await explainReplay(id);
    if (before?.kind === 'replayed') return { ...report, outcome: 'replayed' };
    if (isFinal(report.state)) return { ...report, outcome: 'over' };
    const { run } = report;
    // Where no run is alive one is started all the same: it waits for the operator.
    if (before !== undefined && run?.isAlive === true && !GOES_ON.includes(before.why))
      throw refusal(id, before.why, before.by);
    if (run?.isAlive === true && note.restart === undefined) return { ...report, outcome: 'alive' };
    // Another operator was faster: a run that this one has not seen is not terminated.
    if (run?.isAlive === true && note.restart?.runId !== run.runId) throw refusal(id, 'run_changed');
    const { by, reason, ticket, commandId } = note;
    await dependencies.ledger.note(id, 'restart', {
      by,
      reason,
      commandId,
      ...(ticket === undefined ? {} : { ticket }),
    });
    if (run?.isAlive === true) await driver.restart(record);
    else await driver.start(record);
    const started = await driver.runOf(id);
    return { ...report, run: started, outcome: run?.isAlive === true ? 'restarted' : 'started' };
  }

  /** Queries the gateway if the entity had no v3 reporting, which stores whether it has by now. The run reads that instead of the old answer. */
  async function findReporting(record: RefundRecord): Promise<void> {
    if (record.openCases.some(({ why }) => why === 'links_not_shown'))
      await gatewayShows(dependencies, record);
  }

  /** Of two operators at once the second finds it under way. */
  async function takeBack(
    record: RefundRecord,
    { by, reason, ticket, commandId }: ReplayNote,
  ): Promise<CommandResult<'replay'>> {
    const result = await dependencies.ledger.replay({
      refundId: record.id,
      by,
      reason,
      ...(ticket === undefined ? {} : { ticket }),
      ...(commandId === undefined ? {} : { commandId: commandId }),
    });
    if (result.kind === 'replayed') await driver.wake({ ...record, version: result.snapshot.version });
    return result;
  }

  return {
    nextOf,
    explainReplay,
    replay,
    replayMany: (order) =>
      replayMany({ ledger: dependencies.ledger, driver, recordOf, findReporting }, order),
  };
}

/** Refusals that mean: it continues by itself or is final, so it needs a run at most. */
const GOES_ON: readonly Refusal[] = ['not_in_review', 'final', 'may_have_left'];

/** Describes the refund at the gateway. Records nothing. Uses the operators' share of the query budget, because one waits for the answer. */
async function gatewayShows(deps: Dependencies, record: RefundRecord): Promise<string> {
  try {
    return await shownBy(queryingFor('operator', deps), record);
  } catch (error) {
    if (error instanceof QueryBudgetSpent) return `not queried: ${error.message}`;
    throw error;
  }
}

async function shownBy(deps: Dependencies, record: RefundRecord): Promise<string> {
  const queryTarget = await deps.ledger.queryTarget(record.id);
  if (queryTarget !== null) {
    const seen = await queryOpenAttempt(deps, queryTarget);
    const about = `attempt ${queryTarget.reference}`;
    if (seen.kind === 'inconclusive') return `${about}: ${seen.answer}`;
    const { outcome, entry } = seen;
    const code = entry === undefined ? '' : ` (${entry.result.code} ${entry.result.description})`;
    return `${about}: ${outcome.kind}${outcome.kind === 'unknown' ? `, ${outcome.why}` : ''}${code}`;
  }
  const { entityId, paymentId, observedAt } = await deps.ledger.scope(record.id);
  if (paymentId === null) return 'an unlinked credit: nothing to query before it is submitted';
  const original = await queryOriginal(deps, {
    ...{ entityId, id: paymentId, observedAt },
    eachCapture: true,
  });
  switch (original.kind) {
    case 'not_found':
      return `payment ${paymentId}: not found under its entity`;
    case 'links_not_shown':
      return `payment ${paymentId}: the account has no v3 reporting, so linked transactions are not shown`;
    case 'unavailable':
    case 'unreadable':
      return `payment ${paymentId}: ${original.kind}, ${original.why}`;
    case 'read': {
      const { facts } = original;
      const given = facts.returns.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
      const disputes = facts.disputes.filter((dispute) => effectiveMinor(dispute) > 0n).length;
      return `payment ${paymentId}: ${facts.state}, ${amountText(facts.capturedMinor, facts.currency)} captured, ${amountText(given, facts.currency)} in ${facts.returns.length} refunds or reversals, ${disputes} open chargebacks`;
    }
    default:
      return original satisfies never;
  }
}

function effectOfStep(step: Step, record: RefundRecord): string {
  const owed = amountText(owedOf(record), record.currency);
  switch (step.kind) {
    case 'finish':
      return 'Nothing is left to do, and no money moves.';
    case 'submit':
      return `Up to ${owed} are refunded on the original, once, unless the gateway shows that they have been paid back.`;
    case 'credit':
      return `A credit of ${owed} is checked, and submitted only if the credit guard allows it.`;
    case 'query_outcome':
      return 'The gateway is queried for the outcome of the open attempt. Nothing is sent before it is known.';
    case 'reconcile':
      return 'The payment is compared with the gateway. Nothing is sent in this step.';
    case 'query_payment':
      return 'The gateway is queried for the payment. Once that succeeds, the refund continues by itself; nothing is sent in this step.';
    case 'open_case':
      return `A case is opened (${step.why}). Nothing is sent.`;
    case 'fail':
      return `The refund ends unpaid (${step.why}); ${owed} are no longer reserved.`;
    case 'wait_for_operator':
      return record.openCases.length > 0 && record.openCases.every(({ why }) => isReplayable(why))
        ? `Nothing: it waits for an operator. A replay submits ${owed} again from the first unsent step, after all checks; a credit needs a new approval where policy asks for one.`
        : 'Nothing: it waits for the decision of an operator.';
    default:
      return step satisfies never;
  }
}

function whyStuck(snapshot: RefundSnapshot, run: Run | null, step: Step): string | null {
  if (run === null) return 'no run: Temporal knows of none. A replay starts one';
  if (!run.isAlive) return `no run: the last one is ${run.status}. A replay starts one`;
  const failing = run.pending.find(({ attempt }) => attempt > OFTEN);
  if (failing !== undefined)
    return failing.activity === null
      ? `its workflow task fails: tried ${failing.attempt} times. See the run in Temporal; it continues by itself once the worker is fixed`
      : `${failing.activity} fails: tried ${failing.attempt} times, last ${failing.lastFailure ?? 'without an answer'}`;
  if (run.waitsForWorkerMs !== null && run.waitsForWorkerMs > NO_WORKER_AFTER)
    return `no worker has taken its next step for ${Math.round(run.waitsForWorkerMs / 1_000)} s`;
  if (step.kind !== 'wait_for_operator' && step.kind !== 'query_payment') return null;
  const known = Object.entries(CASE_REASONS).find(([reason]) => reason === snapshot.why)?.[1];
  return snapshot.state === 'awaiting_approval'
    ? 'it waits for another operator: approve or reject'
    : `it waits for an operator: ${known?.why ?? snapshot.why ?? 'see its attempts'}`;
}
