/** Virtual time: what is to happen, in order, and nothing of it before all promise work of the last step is done. */

/** Something that will happen at `at` unless it is called off. */
export interface Appointment {
  readonly at: number;
  readonly order: number;
  action: (() => void) | undefined;
}

/** No lifetime needs nearly as many: one that does runs in a circle. */
const MANY = 100_000;

/** Looked at each time no promise work is left, before the clock moves. True: it made more work. */
export type Settle = () => boolean;

/**
 * Runs one appointment at a time. Between two of them Node's own queues are used: a `process.nextTick` asked for by a microtask
 * runs only when no microtask is left, so every continuation of the last appointment is over, whatever its depth, without a timer.
 */
export class Scheduler {
  static readonly #done = Promise.resolve();
  /** Milliseconds of the one clock of this world. */
  now: number;
  /** Appointments that were carried out. */
  steps = 0;
  readonly #heap: Appointment[] = [];
  #order = 0;

  constructor(start: number) {
    this.now = start;
  }

  /** In `ms` from now; the same moment in the order of asking. */
  after(ms: number, action: () => void): Appointment {
    const appointment: Appointment = { at: this.now + ms, order: (this.#order += 1), action };
    this.#push(appointment);
    return appointment;
  }

  /** Calls it off; nothing where it is over already. */
  cancel(appointment: Appointment | undefined): void {
    if (appointment !== undefined) appointment.action = undefined;
  }

  /** Until `isOver` says so, nothing is left to happen, or the clock passes `until`. Rejects with what an appointment throws. */
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
