/** The one source of chance of a run: the same seed makes the same run. */

/** sfc32: 128 bits of state, passes the usual statistical tests, and costs a few nanoseconds. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = (seed / 4294967296) | 0;
    this.#c = 0x9e3779b9 | 0;
    // Neighboring seeds give similar first numbers; these rounds remove that.
    for (let round = 0; round < 12; round += 1) this.#draw32();
  }

  #draw32(): number {
    const sum = (this.#a + this.#b + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** Returns a number in [0, 1). */
  next(): number {
    return this.#draw32() / 4294967296;
  }

  /** Returns an integer from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.between(0, list.length - 1)] ?? list[0];
  }

  /** Returns an integer spread evenly over the orders of magnitude: as often around a second as around an hour. */
  spread(from: number, to: number): number {
    return Math.round(from * (to / from) ** this.next());
  }

  /** Returns lower-case hexadecimal digits. */
  hex(length: number): string {
    let text = '';
    while (text.length < length) text += this.#draw32().toString(16).padStart(8, '0');
    return text.slice(0, length);
  }

  uuid(): string {
    const digits = this.hex(32);
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-7${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20)}`;
  }
}
