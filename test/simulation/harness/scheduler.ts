/** Virtual time: runs what is scheduled in order, each only after all promise work of the step before is done. */

/** An action that runs at `at` unless it is canceled. */
export interface Appointment {
  readonly at: number;
  readonly order: number;
  action: (() => void) | undefined;
}

/** No run needs nearly as many steps: one that does is in a loop. */
const MANY = 100_000;

/** Called each time no promise work is left, before the clock moves. Returns true if it made more work. */
export type Settle = () => boolean;

/**
 * Runs one appointment at a time. Between two of them it uses Node's own queues: a `process.nextTick` that a microtask requests runs only
 * when no microtask is left. So every continuation of the last appointment is done, at any depth, without a timer.
 */
export class Scheduler {
  static readonly #done = Promise.resolve();
  /** Milliseconds of this run's one clock. */
  now: number;
  /** Number of appointments that were carried out. */
  steps = 0;
  readonly #heap: Appointment[] = [];
  #order = 0;

  constructor(start: number) {
    this.now = start;
  }

  /** Schedules `action` in `ms` from now. Actions of the same moment run in the order of their scheduling. */
  after(ms: number, action: () => void): Appointment {
    const appointment: Appointment = { at: this.now + ms, order: (this.#order += 1), action };
    this.#push(appointment);
    return appointment;
  }

  /** Cancels an appointment; does nothing if it is over. */
  cancel(appointment: Appointment | undefined): void {
    if (appointment !== undefined) appointment.action = undefined;
  }

  /** Runs until `isOver` is true, nothing is scheduled, or the clock passes `until`. Rejects with the error of an appointment. */
  run(settle: Settle, isOver: () => boolean, until: number): Promise<'over' | 'idle' | 'time_up' | 'busy'> {
    return new Promise((resolve, reject) => {
      const whenDrained = (): void => {
        process.nextTick(step);
      };
      const step = (): void => {
        try {
          if (settle()) {
            void Scheduler.#done.then(whenDrained);
            return;
          }
          if (isOver()) {
            resolve('over');
            return;
          }
          const next = this.#next();
          if (next?.action === undefined) {
            resolve('idle');
            return;
          }
          if (this.steps > MANY) {
            resolve('busy');
            return;
          }
          if (next.at > until) {
            this.#push(next);
            resolve('time_up');
            return;
          }
          this.now = next.at;
          this.steps += 1;
          const { action } = next;
          next.action = undefined;
          action();
          void Scheduler.#done.then(whenDrained);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      void Scheduler.#done.then(whenDrained);
    });
  }

  #next(): Appointment | undefined {
    for (;;) {
      const first = this.#pop();
      if (first === undefined || first.action !== undefined) return first;
    }
  }

  #push(appointment: Appointment): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(appointment);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(appointment, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = appointment;
  }

  #pop(): Appointment | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      let child = heap[below];
      if (child === undefined) break;
      const other = heap[below + 1];
      if (other !== undefined && isBefore(other, child)) {
        below += 1;
        child = other;
      }
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Appointment, b: Appointment): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
