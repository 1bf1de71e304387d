/** A worker process that can die or be frozen at any await, and what an activity sees of the world from inside of one. */
import type { Task } from '../temporal/cluster.js';
import type { Moment } from '../../../domain/clock.js';
import type { Scheduler } from './scheduler.js';
import type { Trace } from './trace.js';

/** What of the world a process lives in. */
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
  /** Told when it falls silent. */
  readonly #onSilence: (process: Process) => void;
  #frozenUntil = 0;
  /** Milliseconds in which its machine was suspended: its monotonic clock does not have them. */
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

  /** Nothing that it had begun goes on. What it has sent is under way all the same. */
  crash(): void {
    if (this.isDead) return;
    this.#trace.note(this.name, 'DIES');
    this.isDead = true;
    this.#waiting = [];
    this.#onSilence(this);
  }

  /** The two clocks of its machine. */
  clock(): Moment {
    const { now } = this.#scheduler;
    return { monotonic: now - this.#suspended, wall: now };
  }

  /** As a promise of this process. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#scheduler.after(ms, () => this.deliver(resolve));
    });
  }

  /** Suspended with its machine, whose monotonic clock stands still meanwhile; otherwise as `freeze`. */
  suspend(ms: number): void {
    if (this.isDead || this.isFrozen) return;
    this.#trace.note(this.name, 'is suspended with its machine');
    this.#suspended += ms;
    this.freeze(ms);
  }

  /** Stopped, as by a debugger, a full machine or a virtual machine that is moved. Everything it waited for is there when it resumes. */
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

  /** Runs a piece of the process: now, when it resumes, or never. */
  deliver(action: () => void): void {
    if (this.isDead) return;
    if (this.isFrozen || this.#waiting.length > 0) this.#waiting.push(action);
    else action();
  }

  /** One after the other, each with the promise work that it makes. */
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
  /** Undefined for somebody who is no worker. */
  readonly task: Task | undefined;
  readonly attempt: number;

  constructor(process: Process, task: Task | undefined, attempt: number) {
    this.process = process;
    this.task = task;
    this.attempt = attempt;
  }
}
