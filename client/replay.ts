/** Running a refund again: what a run would do now, read from the ledger and the gateway, and starting one. */
import type { StartSettings } from '../activities/pay-back/activities.js';
import { queryingFor, type Dependencies } from '../activities/dependencies.js';
import { queryOpenAttempt } from '../activities/refund/query-outcome.js';
import { effectiveMinor } from '../domain/payment/disputes.js';
import { queryOriginal } from '../activities/refund/originals.js';
import { CASE_REASONS } from '../domain/payment/reconciliation.js';
import { nextStep, type RefundSnapshot, type Step } from '../domain/refund/next-step.js';
import type { OperatorNote } from '../domain/refund/operator-note.js';
import { isReplayable } from '../domain/refund/replay.js';
import { QueryBudgetSpent } from '../gateway/errors.js';
import { isFinal, type RefundState } from '../domain/refund/states.js';
import type { RefundRecord } from '../ledger/core/refund-record.js';
import type { CommandResult } from '../ledger/core/commands.js';
import type { Driver } from './driver.js';
import { amountText, owedOf } from './effects.js';
import { refusal, type Refusal } from './errors.js';
import { replayMany, type BulkReplay, type BulkReplayResult } from './replay-many.js';
import type { Run } from './runs.js';
import { checkNote } from './words.js';

export interface ReplayReport {
  readonly refundId: string;
  readonly state: RefundState;
  readonly why: string | null;
  /** Milliseconds since it has been so. */
  readonly sinceMs: number;
  /** What a run does next, and how long it waits before. */
  readonly step: { readonly kind: Step['kind']; readonly afterMs: number };
  /** What that does to the money, in words. */
  readonly effect: string;
  /** What the gateway shows now. */
  readonly gateway: string;
  /** The newest run; null where Temporal knows of none. */
  readonly run: Run | null;
  /** Why it does not go on by itself; null where it does, or is over. */
  readonly stuck: string | null;
}

export interface ReplayResult extends ReplayReport {
  /**
   * `replayed`: it was in review and goes on with its first unsent step. `over`: nothing is left to do. `alive`: a run is under way and was
   * left alone.
   */
  readonly outcome: 'replayed' | 'over' | 'alive' | 'started' | 'restarted';
}

export interface ReplayNote extends OperatorNote {
  /** The run that may be ended where it is alive, as it was shown; absent: none is ended. */
  readonly restart?: { readonly runId: string };
  /** Names this command: the same command twice is carried out once. */
  readonly commandId?: string;
}

/** What a run does next with a refund as it stands, from the ledger alone. */
export interface NextStep {
  readonly kind: Step['kind'];
  /** Milliseconds that a run waits before, at most: a look-up comes at once when the gateway gives notice. */
  readonly afterMs: number;
  /** What it does to the money, in words. */
  readonly effect: string;
}

export interface Replay {
  nextOf(id: string): Promise<NextStep>;
  /** What a run would do now. Reads the ledger, the gateway and Temporal; changes nothing. */
  foresee(id: string): Promise<ReplayReport>;
  /**
   * The cause is fixed: a refund in review goes back to its first unsent step, proven anew and with fresh budgets. Any other is given a run
   * where none is alive; one that is alive goes on, unless its restart was asked for. Moves no money itself.
   */
  replay(id: string, note: ReplayNote): Promise<ReplayResult>;
  /** The same for every refund in review for one reason, a batch in each call. */
  replayMany(order: BulkReplay): Promise<BulkReplayResult>;
}

export interface ReplayParts {
  readonly dependencies: Dependencies;
  readonly driver: Driver;
  readonly start: StartSettings;
  readonly recordOf: (id: string) => Promise<RefundRecord>;
}

/** A step tried more often than this does not succeed by patience alone. */
const OFTEN = 3;
/** Milliseconds. A worker that is there takes a step at once. */
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

  async function foresee(id: string): Promise<ReplayReport> {
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
    const report = await foresee(id);
    if (before?.kind === 'replayed') return { ...report, outcome: 'replayed' };
    if (isFinal(report.state)) return { ...report, outcome: 'over' };
    const { run } = report;
    // Where no run is alive one is started all the same: it goes on asking the operator.
    if (before !== undefined && run?.isAlive === true && !GOES_ON.includes(before.why))
      throw refusal(id, before.why, before.by);
    if (run?.isAlive === true && note.restart === undefined) return { ...report, outcome: 'alive' };
    // Somebody else was faster: their run is not ended unseen.
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

  /** Where reporting was not enabled for the entity an operator's query finds out whether it is by now, before a run asks again. */
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
    foresee,
    replay,
    replayMany: (order) =>
      replayMany({ ledger: dependencies.ledger, driver, recordOf, findReporting }, order),
  };
}

/** It is under way or over: all that it may need is a run. */
const GOES_ON: readonly Refusal[] = ['not_in_review', 'final', 'may_have_left'];

/** Read-only: nothing of it is recorded. An operator waits for it. */
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
  if (paymentId === null)
    return 'a credit that is linked to no payment: nothing to look up before it is sent';
  const original = await queryOriginal(deps, {
    ...{ entityId, id: paymentId, observedAt },
    eachCapture: true,
  });
  switch (original.kind) {
    case 'not_found':
      return `payment ${paymentId}: not found under its entity`;
    case 'links_not_shown':
      return `payment ${paymentId}: the account has no v3 reporting, so what is linked to it is not shown`;
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
    case 'send':
      return `Up to ${owed} are sent back to the original, once, if nobody else has.`;
    case 'credit':
      return `A credit of ${owed} is weighed, and sent only if the guard allows it.`;
    case 'listen':
      return 'The outcome of what was sent is looked up. Nothing is sent before it is known.';
    case 'reconcile':
      return 'The payment is compared with the gateway. Nothing is sent in this step.';
    case 'read':
      return 'The payment is read at the gateway. Where that works the refund goes on by itself; nothing is sent in this step.';
    case 'ask':
      return `A case is opened (${step.why}). Nothing is sent.`;
    case 'give_up':
      return `The refund ends unpaid (${step.why}); ${owed} are no longer reserved.`;
    case 'operator':
      return record.openCases.length > 0 && record.openCases.every(({ why }) => isReplayable(why))
        ? `Nothing: it waits for an operator. Replayed, ${owed} are sent anew from the first unsent step, proven again; a credit is approved again where policy asks for it.`
        : 'Nothing: it waits for what a person says.';
    default:
      return step satisfies never;
  }
}

function whyStuck(snapshot: RefundSnapshot, run: Run | null, step: Step): string | null {
  if (run === null) return 'no run: Temporal knows of none. Replay starts one';
  if (!run.isAlive) return `no run: the last one is ${run.status}. Replay starts one`;
  const failing = run.pending.find(({ attempt }) => attempt > OFTEN);
  if (failing !== undefined)
    return failing.activity === null
      ? `its run cannot go on: tried ${failing.attempt} times. See it in Temporal; a fixed worker goes on by itself`
      : `${failing.activity} fails: tried ${failing.attempt} times, last ${failing.lastFailure ?? 'without an answer'}`;
  if (run.waitsForWorkerMs !== null && run.waitsForWorkerMs > NO_WORKER_AFTER)
    return `no worker takes its next step, for ${Math.round(run.waitsForWorkerMs / 1_000)} s now`;
  if (step.kind !== 'operator' && step.kind !== 'read') return null;
  const known = Object.entries(CASE_REASONS).find(([reason]) => reason === snapshot.why)?.[1];
  return snapshot.state === 'awaiting_approval'
    ? 'it waits for a second person: approve or reject'
    : `it waits for a person: ${known?.why ?? snapshot.why ?? 'see its attempts'}`;
}
