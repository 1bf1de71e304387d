/** What simulated lifetimes have reached, counted. */

export class Coverage {
  readonly #counts = new Map<string, number>();

  hit(kind: string, what: string): void {
    const key = `${kind}\t${what}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Of one kind, by name. */
  of(kind: string): ReadonlyMap<string, number> {
    const found = [...this.#counts].flatMap(([key, count]): [string, number][] => {
      const [group, what = ''] = key.split('\t');
      return group === kind ? [[what, count]] : [];
    });
    return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  add(other: Coverage): void {
    for (const [key, count] of other.#counts) this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  toString(): string {
    const kinds = [...new Set([...this.#counts.keys()].map((key) => key.slice(0, key.indexOf('\t'))))].sort();
    return kinds
      .map(
        (kind) =>
          `${kind}\n${[...this.of(kind)].map(([what, count]) => `  ${what.padEnd(58)} ${count}`).join('\n')}`,
      )
      .join('\n');
  }
}
