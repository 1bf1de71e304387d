/** A worker process that can die or freeze at any await, and the context of an activity inside of it. */
import type { Task } from '../temporal/cluster.js';
import type { Moment } from '../../../domain/clock.js';
import type { Scheduler } from './scheduler.js';
import type { Trace } from './trace.js';

/** Parts of the harness that a process uses. */
interface Surroundings {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
}

export class Process {
  readonly name: string;
  readonly activities = new Set<ActivityContext>();
  isDead = false;
  readonly #scheduler: Scheduler;
  readonly #trace: Trace;
  /** Called when the process stops or dies. */
  readonly #onSilence: (process: Process) => void;
  #frozenUntil = 0;
  /** Milliseconds for which its machine was suspended: its monotonic clock does not count them. */
  #suspended = 0;
  #waiting: (() => void)[] = [];

  constructor(name: string, { scheduler, trace }: Surroundings, onSilence: (process: Process) => void) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#trace = trace;
    this.#onSilence = onSilence;
  }

  get isFrozen(): boolean {
    return this.#frozenUntil > this.#scheduler.now;
  }

  /** Ends the process: nothing that it began continues. A request that it has sent is in transit all the same. */
  crash(): void {
    if (this.isDead) return;
    this.#trace.note(this.name, 'DIES');
    this.isDead = true;
    this.#waiting = [];
    this.#onSilence(this);
  }

  /** Returns the time of the machine's two clocks. */
  clock(): Moment {
    const { now } = this.#scheduler;
    return { monotonic: now - this.#suspended, wall: now };
  }

  /** Waits for `ms`, with a promise of this process. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#scheduler.after(ms, () => this.deliver(resolve));
    });
  }

  /** Suspends the process with its machine, whose monotonic clock stops meanwhile; otherwise as `freeze`. */
  suspend(ms: number): void {
    if (this.isDead || this.isFrozen) return;
    this.#trace.note(this.name, 'is suspended with its machine');
    this.#suspended += ms;
    this.freeze(ms);
  }

  /** Stops the process for `ms`, as a debugger, a full machine or a migrated virtual machine does. On resuming, all that it waited for is there. */
  freeze(ms: number): void {
    if (this.isDead || this.isFrozen) return;
    this.#trace.note(this.name, `FREEZES for ${ms} ms`);
    this.#frozenUntil = this.#scheduler.now + ms;
    this.#onSilence(this);
    this.#scheduler.after(ms, () => {
      this.#trace.note(this.name, 'resumes');
      this.#drain();
    });
  }

  /** Runs a piece of the process's work: now, when the process resumes, or never. */
  deliver(action: () => void): void {
    if (this.isDead) return;
    if (this.isFrozen || this.#waiting.length > 0) this.#waiting.push(action);
    else action();
  }

  /** Runs the pieces one after the other, each with its promise work. */
  #drain(): void {
    const next = this.#waiting[0];
    if (next === undefined || this.isDead || this.isFrozen) return;
    next();
    this.#waiting.shift();
    this.#scheduler.after(0, () => this.#drain());
  }
}

/** One attempt of one activity, inside of a process. */
export class ActivityContext {
  readonly process: Process;
  /** Undefined for an actor that is not a worker. */
  readonly task: Task | undefined;
  readonly attempt: number;

  constructor(process: Process, task: Task | undefined, attempt: number) {
    this.process = process;
    this.task = task;
    this.attempt = attempt;
  }
}
