/** Counts what simulated runs have reached. */

export class Coverage {
  readonly #kinds = new Map<string, Map<string, number>>();

  hit(kind: string, what: string): void {
    let counts = this.#kinds.get(kind);
    if (counts === undefined) this.#kinds.set(kind, (counts = new Map<string, number>()));
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }

  /** Returns the counts of one kind, by name. */
  of(kind: string): ReadonlyMap<string, number> {
    return new Map([...(this.#kinds.get(kind) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  toString(): string {
    return [...this.#kinds.keys()]
      .sort()
      .map(
        (kind) =>
          `${kind}\n${[...this.of(kind)].map(([what, count]) => `  ${what.padEnd(58)} ${count}`).join('\n')}`,
      )
      .join('\n');
  }
}
