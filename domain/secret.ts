/** A wrapper that never prints its value. Tokens, card data and keys stay in it until they are used. */

const MASK = '[secret]';

/**
 * Holds a value that `String()`, template literals, `JSON.stringify` and `util.inspect` (so `console.log` and most loggers)
 * show as `[secret]`. Only {@link reveal} returns the value, so every use can be found by that name.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** Returns the value. Call it in the expression that uses the value; do not store the result. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  /** The registered symbol stands for `util.inspect.custom`, so that this file needs no Node built-in. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK;
  }
}
