/** A value that does not print: tokens, card data and keys travel as this type until the line that needs them. */

const MASK = '[secret]';

/**
 * Holds a value that `String()`, template literals, `JSON.stringify` and `util.inspect` (so `console.log` and most loggers)
 * show as `[secret]`. Only {@link reveal} gives it out, so each place that does can be found by that name.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself. Call it in the expression that uses it and keep the result in no variable that outlives it. */
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
