/** Reads JSON independently of the program, for the tests' second opinion about a body. */

export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | ReadonlyMap<string, JsonValue>;

/** Returns undefined for text that is not JSON (RFC 8259), repeats a name in one object, or nests deeper than this reader goes. */
export function strictJson(text: string): JsonValue | undefined {
  try {
    const reader = new Reader(text);
    const reported = reader.value(0);
    reader.end();
    return reported;
  } catch (error) {
    if (error instanceof NotJson) return undefined;
    throw error;
  }
}

class NotJson extends Error {}

const DEEPEST = 500;
const SPACE = /[ \t\n\r]*/y;
// eslint-disable-next-line no-control-regex -- JSON forbids them inside of a text
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const NOTE = /true|false|null/y;
const SHORT: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    if (depth > DEEPEST) throw new NotJson();
    this.#take(SPACE);
    const reported = this.#any(depth);
    this.#take(SPACE);
    return reported;
  }

  end(): void {
    if (this.#at !== this.#text.length) throw new NotJson();
  }

  #any(depth: number): JsonValue {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#list(depth);
      case '"':
        return this.#string();
      case undefined:
      default: {
        const note = this.#take(NOTE);
        if (note !== undefined) return note === 'null' ? null : note === 'true';
        const number = this.#take(NUMBER);
        if (number === undefined) throw new NotJson();
        return Number(number);
      }
    }
  }

  #object(depth: number): JsonValue {
    const members = new Map<string, JsonValue>();
    this.#items('}', () => {
      this.#take(SPACE);
      const name = this.#string();
      this.#take(SPACE);
      this.#expect(':');
      if (members.has(name)) throw new NotJson();
      members.set(name, this.value(depth + 1));
    });
    return members;
  }

  #list(depth: number): JsonValue {
    const list: JsonValue[] = [];
    this.#items(']', () => list.push(this.value(depth + 1)));
    return list;
  }

  #items(close: string, one: () => void): void {
    this.#at += 1;
    this.#take(SPACE);
    if (this.#text[this.#at] === close) {
      this.#at += 1;
      return;
    }
    for (;;) {
      one();
      if (this.#text[this.#at] === close) break;
      this.#expect(',');
    }
    this.#at += 1;
  }

  #string(): string {
    const raw = this.#take(TEXT);
    if (raw === undefined) throw new NotJson();
    return raw.slice(1, -1).replace(/\\(?:u(....)|(.))/g, (_all, hex: string | undefined, short = '') => {
      if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
      return SHORT[String(short)] ?? String(short);
    });
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw new NotJson();
    this.#at += 1;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}
