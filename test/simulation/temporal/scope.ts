/** Fake cancellation scopes: which scopes are canceled together. */
import { CancelledFailure } from '@temporalio/common';
import { Execution } from './execution.js';

interface ScopeOptions {
  readonly cancellable?: boolean;
  readonly parent?: CancellationScope | 'none';
}

/**
 * Behaves as in the SDK, with one difference: the SDK finds the current scope through Node's async context, which makes every `await` of the
 * process three times as slow. Here a run's open scopes are a stack and the newest one is current. The result is the same as long as a
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
      // A function literal assigned to a property would move, with everything that it references, to V8's old generation.
      this.#reject = refuse;
    });
    this.cancelRequested.catch(() => undefined);
    if (options.parent === 'none') return;
    const parent = options.parent ?? CancellationScope.current();
    // A non-cancellable scope passes no cancellation on.
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
    throw new Error('CancellationScope.withTimeout has no fake in the simulation');
  }
}
