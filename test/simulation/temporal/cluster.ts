/** A fake Temporal server: runs, their histories, activities with retries and timeouts, resets and evictions. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  RetryState,
  TerminatedFailure,
  TimeoutFailure,
  TimeoutType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import type { Random } from '../harness/random.js';
import type { Appointment, Scheduler } from '../harness/scheduler.js';
import type { Trace } from '../harness/trace.js';
import { Execution, type ActivityOptions, type Command, type Input, type Outcome } from './execution.js';

export type Workflow = (...args: readonly unknown[]) => Promise<unknown>;

/** One activity as the server stores it. */
export interface Task {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly options: ActivityOptions;
  readonly run: Run;
  readonly seq: number;
  attempt: number;
  isOver: boolean;
  timeout: Appointment | undefined;
}

/** Executes attempts of activities and reports their results. */
export interface Workers {
  /** Begins the attempt in some process. */
  take(task: Task, attempt: number): void;
}

interface Identity {
  readonly workflowId: string;
  readonly type: string;
  readonly args: readonly unknown[];
}

/** One workflow run: its execution, and the inputs that it has not received yet. */
export class Run {
  readonly identity: Identity;
  readonly number: number;
  readonly inbox: Input[] = [];
  readonly tasks = new Map<number, Task | Appointment | 'waiting'>();
  readonly updates = new Map<number, (outcome: Outcome) => void>();
  execution: Execution;
  isReplaying = false;
  isScheduled = false;

  constructor(identity: Identity, number: number, execution: Execution) {
    this.identity = identity;
    this.number = number;
    this.execution = execution;
  }
}

export interface ClusterOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: Trace;
  readonly workflows: ReadonlyMap<string, Workflow>;
  readonly workers: Workers;
  /** Called when a workflow changes its search attributes. */
  readonly onShown: (workflowId: string, pairs: readonly unknown[]) => void;
  /** Called when a workflow has ended and no other run of its id is open. */
  readonly onClosed: (workflowId: string, outcome: Outcome) => void;
}

export class Cluster {
  readonly #o: ClusterOptions;
  readonly #open = new Map<string, Run[]>();
  /**
   * Ids of workflows whose refund another actor may have changed: a second run, which no real server allows in one namespace, an attempt that the
   * server had given up, or an attempt of a run that was terminated or reset.
   */
  readonly notAlone = new Set<string>();
  readonly #watchers = new Map<string, ((outcome: Outcome) => void)[]>();
  #active: Run | undefined;
  #number = 0;
  #updates = 0;

  constructor(options: ClusterOptions) {
    this.#o = options;
  }

  get openRuns(): number {
    return this.#open.size;
  }

  isOpen(workflowId: string): boolean {
    return this.#open.has(workflowId);
  }

  runsOf(workflowId: string): readonly Run[] {
    return this.#open.get(workflowId) ?? [];
  }

  /** Lets the conditions of the workflow that was just active continue. The scheduler calls it. */
  settle(): boolean {
    if (this.#active === undefined) return false;
    if (this.#active.execution.settle()) return true;
    this.#active = undefined;
    return false;
  }

  /** Starts a workflow. `second` starts a run beside an open one, as another namespace or a lost history would. */
  start(
    type: string,
    workflowId: string,
    args: readonly unknown[],
    conflict: 'use_existing' | 'fail' | 'second',
  ): Run {
    const [open] = this.runsOf(workflowId);
    if (open !== undefined && conflict === 'use_existing') return open;
    if (open !== undefined && conflict === 'fail')
      throw new WorkflowExecutionAlreadyStartedError('already started', workflowId, type);
    if (open !== undefined) this.notAlone.add(workflowId);
    const run = this.#newRun({ type, workflowId, args }, [], false);
    this.#post(run, { kind: 'start' });
    return run;
  }

  signal(workflowId: string, name: string, args: readonly unknown[] = []): boolean {
    const run = this.runsOf(workflowId).at(-1);
    if (run === undefined) return false;
    this.#post(run, { kind: 'signal', name, args });
    return true;
  }

  update(
    workflowId: string,
    name: string,
    args: readonly unknown[],
    answered: (outcome: Outcome) => void,
  ): boolean {
    const run = this.runsOf(workflowId).at(-1);
    if (run === undefined) return false;
    this.#updates += 1;
    run.updates.set(this.#updates, answered);
    this.#post(run, { kind: 'update', name, args, id: this.#updates });
    return true;
  }

  cancel(workflowId: string): boolean {
    const run = this.runsOf(workflowId).at(-1);
    if (run === undefined) return false;
    this.#post(run, { kind: 'cancel' });
    return true;
  }

  terminate(run: Run): void {
    this.notAlone.add(run.identity.workflowId);
    run.execution.isDead = true;
    this.#closed(run, { kind: 'terminated' });
  }

  /** Ends the run and starts another one that replays its first activations and receives its later messages. */
  reset(run: Run, activations: number): void {
    const { log, commands } = run.execution;
    const kept = log.slice(0, Math.max(1, activations));
    const later = log.slice(kept.length).flat();
    this.terminate(run);
    const next = this.#newRun(run.identity, commands, true);
    this.#replay(next, kept);
    // Delivers the later messages again, as the server does by default.
    for (const input of later)
      if (input.kind === 'signal' || input.kind === 'update') this.#post(next, input);
  }

  /** Simulates a worker that lost the workflow from its memory: another one replays the whole history. */
  evict(run: Run): void {
    const { log, commands } = run.execution;
    if (run.isReplaying || log.length === 0) return;
    run.execution.isDead = true;
    run.execution = this.#execution(run.identity, run.number, commands, true, () => run);
    this.#replay(run, log);
  }

  #newRun(identity: Identity, history: readonly string[], isReplaying: boolean): Run {
    this.#number += 1;
    // Called only while the workflow runs: `run` is assigned by then.
    const execution = this.#execution(identity, this.#number, history, isReplaying, () => run);
    const run: Run = new Run(identity, this.#number, execution);
    this.#open.set(identity.workflowId, [...this.runsOf(identity.workflowId), run]);
    return run;
  }

  #execution(
    identity: Identity,
    runId: number,
    history: readonly string[],
    isReplaying: boolean,
    run: () => Run,
  ): Execution {
    const workflow = this.#o.workflows.get(identity.type);
    if (workflow === undefined) throw new Error(`no workflow ${identity.type}`);
    return new Execution(
      {
        command: (_, seq, command) => this.#command(run(), seq, command),
        remove: (_, seq) => this.#remove(run(), seq),
        updated: (_, id, outcome) => {
          run().updates.get(id)?.(outcome);
          run().updates.delete(id);
        },
        closed: (execution, outcome) => {
          if (run().execution === execution) this.#closed(run(), outcome);
        },
        searchAttributes: (_, pairs) => this.#o.onShown(identity.workflowId, pairs),
      },
      { runId, ...identity },
      workflow,
      history,
      isReplaying,
    );
  }

  #replay(run: Run, batches: readonly (readonly Input[])[]): void {
    run.isReplaying = true;
    const { execution } = run;
    const step = (index: number): void => {
      if (run.execution !== execution || execution.isDead) return;
      const batch = batches[index];
      if (batch === undefined) {
        run.isReplaying = false;
        this.#active = run;
        execution.goLive();
        if (run.inbox.length > 0) this.#schedule(run);
        return;
      }
      this.#active = run;
      execution.activate(batch);
      this.#o.scheduler.after(0, () => step(index + 1));
    };
    this.#o.scheduler.after(1, () => step(0));
  }

  #post(run: Run, input: Input): void {
    run.inbox.push(input);
    if (!run.isReplaying && !run.isScheduled) this.#schedule(run);
  }

  #schedule(run: Run): void {
    run.isScheduled = true;
    this.#o.scheduler.after(this.#o.random.between(0, 3), () => {
      run.isScheduled = false;
      if (run.isReplaying || run.execution.isDead) return;
      this.#active = run;
      run.execution.activate(run.inbox.splice(0));
    });
  }

  #closed(run: Run, outcome: Outcome): void {
    const { workflowId } = run.identity;
    this.#o.trace.note(
      `run ${run.number}`,
      `${workflowId.slice(0, 16)} ${outcome.kind}${outcome.kind === 'failed' ? ` ${outcome.error.message}` : ''}`,
    );
    for (const answered of run.updates.values())
      answered({ kind: 'failed', error: new Error('the workflow is over') });
    run.updates.clear();
    for (const seq of [...run.tasks.keys()]) this.#remove(run, seq);
    const others = this.runsOf(workflowId).filter((other) => other !== run);
    if (others.length > 0) this.#open.set(workflowId, others);
    else this.#open.delete(workflowId);
    if (outcome.kind === 'continued') {
      this.start(run.identity.type, workflowId, outcome.args, 'second');
      return;
    }
    if (others.length > 0) return;
    const watchers = this.#watchers.get(workflowId) ?? [];
    this.#watchers.delete(workflowId);
    for (const watch of watchers) watch(outcome);
    this.#o.onClosed(workflowId, outcome);
  }

  #remove(run: Run, seq: number): void {
    const task = run.tasks.get(seq);
    run.tasks.delete(seq);
    if (task === undefined || task === 'waiting') return;
    if ('action' in task) this.#o.scheduler.cancel(task);
    else this.#over(task);
  }

  #command(run: Run, seq: number, command: Command): void {
    // Requested before the replay: its answer is in transit.
    if (run.tasks.has(seq)) return;
    const resolve = (value: unknown): void => {
      run.tasks.delete(seq);
      this.#post(run, { kind: 'resolved', seq, value });
    };
    const reject = (error: Error): void => {
      run.tasks.delete(seq);
      this.#post(run, { kind: 'rejected', seq, error });
    };
    switch (command.kind) {
      case 'timer':
        run.tasks.set(
          seq,
          this.#o.scheduler.after(command.ms, () => {
            run.tasks.delete(seq);
            this.#post(run, { kind: 'fired', seq });
          }),
        );
        return;
      case 'activity': {
        const { name, args, options } = command;
        const task: Task = { name, args, options, run, seq, attempt: 1, isOver: false, timeout: undefined };
        run.tasks.set(seq, task);
        this.#dispatch(task, this.#o.random.between(0, 2));
        return;
      }
      case 'child':
        run.tasks.set(seq, 'waiting');
        try {
          this.start(command.type, command.workflowId, command.args, 'fail');
          resolve(undefined);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        return;
      case 'child_result':
        run.tasks.set(seq, 'waiting');
        this.#watchers.set(command.workflowId, [
          ...(this.#watchers.get(command.workflowId) ?? []),
          (outcome) => {
            if (outcome.kind === 'completed') resolve(outcome.result);
            else
              reject(
                new ChildWorkflowFailure(
                  'default',
                  {},
                  'child',
                  RetryState.NON_RETRYABLE_FAILURE,
                  causeOf(outcome),
                ),
              );
          },
        ]);
        return;
      case 'cancel_external':
        run.tasks.set(seq, 'waiting');
        if (this.cancel(command.workflowId)) resolve(undefined);
        else reject(new Error('no such workflow'));
        return;
      case 'signal_external':
        run.tasks.set(seq, 'waiting');
        if (this.signal(command.workflowId, command.name, command.args)) resolve(undefined);
        else reject(new Error('no such workflow'));
        return;
      default:
        command satisfies never;
    }
  }

  #dispatch(task: Task, delay: number): void {
    this.#o.scheduler.after(delay, () => {
      if (task.isOver) return;
      const { attempt } = task;
      this.#o.workers.take(task, attempt);
      task.timeout = this.#o.scheduler.after(task.options.startToCloseTimeout, () =>
        this.timedOut(task, attempt, 'start to close'),
      );
    });
  }

  /** Receives the result of an attempt. Ignores an attempt that the server has given up. */
  completed(task: Task, attempt: number, result: unknown): void {
    if (task.isOver || task.attempt !== attempt) return;
    this.#over(task);
    task.run.tasks.delete(task.seq);
    this.#post(task.run, { kind: 'resolved', seq: task.seq, value: result });
  }

  failed(task: Task, attempt: number, error: Error): void {
    if (task.isOver || task.attempt !== attempt) return;
    const { retry } = task.options;
    const type = error instanceof ApplicationFailure ? (error.type ?? '') : error.name;
    const isFinal =
      (error instanceof ApplicationFailure && error.nonRetryable === true) ||
      retry?.nonRetryableErrorTypes?.includes(type) === true ||
      attempt >= (retry?.maximumAttempts ?? Infinity);
    if (!isFinal) {
      this.#again(task);
      return;
    }
    this.#over(task);
    task.run.tasks.delete(task.seq);
    const cause =
      error instanceof ApplicationFailure
        ? error
        : ApplicationFailure.create({ type, message: error.message });
    this.#post(task.run, {
      kind: 'rejected',
      seq: task.seq,
      error: new ActivityFailure(
        'failed',
        task.name,
        String(task.seq),
        RetryState.NON_RETRYABLE_FAILURE,
        'worker',
        cause,
      ),
    });
  }

  /** Times an attempt out: it sent no heartbeat or no result in time. */
  timedOut(task: Task, attempt: number, which: string): void {
    if (task.isOver || task.attempt !== attempt) return;
    this.#o.trace.note('server', `${task.name} attempt ${attempt} timed out (${which})`);
    this.notAlone.add(task.run.identity.workflowId);
    if (attempt >= (task.options.retry?.maximumAttempts ?? Infinity)) {
      this.#over(task);
      const cause = new TimeoutFailure('timed out', undefined, TimeoutType.START_TO_CLOSE);
      this.#post(task.run, {
        kind: 'rejected',
        seq: task.seq,
        error: new ActivityFailure(
          'timed out',
          task.name,
          String(task.seq),
          RetryState.TIMEOUT,
          'worker',
          cause,
        ),
      });
      return;
    }
    this.#again(task);
  }

  #again(task: Task): void {
    this.#o.scheduler.cancel(task.timeout);
    const {
      initialInterval = 1_000,
      backoffCoefficient = 2,
      maximumInterval = 100_000,
    } = task.options.retry ?? {};
    const pause = Math.min(
      maximumInterval,
      initialInterval * backoffCoefficient ** Math.min(task.attempt - 1, 20),
    );
    // From here on the old attempt's result is ignored.
    task.attempt += 1;
    this.#dispatch(task, pause);
  }

  #over(task: Task): void {
    task.isOver = true;
    this.#o.scheduler.cancel(task.timeout);
  }
}

function causeOf(outcome: Outcome): Error {
  if (outcome.kind === 'cancelled') return new CancelledFailure('cancelled');
  return outcome.kind === 'failed' ? outcome.error : new TerminatedFailure(outcome.kind);
}
