/** Cancellation scopes of the stand-in for Temporal: who is cancelled with whom. */
import { CancelledFailure } from '@temporalio/common';
import { Execution } from './execution.js';

interface ScopeOptions {
  readonly cancellable?: boolean;
  readonly parent?: CancellationScope | 'none';
}

/**
 * As in the SDK, but for one thing: the SDK finds the current scope through Node's async context, which makes every `await` of the
 * process three times as slow. Here a run's open scopes are a stack and the newest is the current one; that is the same as long as a
 * workflow's concurrent parts (its handlers) open scopes of one kind, which `enter` checks.
 */
export class CancellationScope {
  readonly cancellable: boolean;
  readonly cancelRequested: Promise<never>;
  #isRequested = false;
  #reject: (error: Error) => void = () => undefined;

  constructor(options: ScopeOptions = {}) {
    this.cancellable = options.cancellable ?? true;
    this.cancelRequested = new Promise<never>((_, reject) => {
      const refuse = (error: Error): void => {
        this.#isRequested = true;
        reject(error);
      };
      // Not assigned where it is written: V8 puts such a function, and with it all that it sees, among what lives long.
      this.#reject = refuse;
    });
    this.cancelRequested.catch(() => undefined);
    if (options.parent === 'none') return;
    const parent = options.parent ?? CancellationScope.current();
    // What is shielded passes no request on.
    if (!parent.cancellable) return;
    this.#isRequested = parent.#isRequested;
    parent.cancelRequested.catch((error: unknown) => {
      this.#reject(error instanceof Error ? error : new Error(String(error)));
    });
  }

  get consideredCancelled(): boolean {
    return this.#isRequested && this.cancellable;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const scopes = Execution.current('CancellationScope.run').scopes;
    scopes.push(this);
    try {
      return await work();
    } finally {
      scopes.splice(scopes.lastIndexOf(this), 1);
    }
  }

  cancel(): void {
    this.#reject(new CancelledFailure('Cancellation scope cancelled'));
  }

  static current(): CancellationScope {
    const execution = Execution.current('CancellationScope.current');
    return execution.scopes.at(-1) ?? execution.root;
  }

  static cancellable<T>(work: () => Promise<T>): Promise<T> {
    return new CancellationScope().run(work);
  }

  static nonCancellable<T>(work: () => Promise<T>): Promise<T> {
    return new CancellationScope({ cancellable: false }).run(work);
  }

  static withTimeout(): never {
    throw new Error('CancellationScope.withTimeout is not stood in for in the simulation');
  }
}
