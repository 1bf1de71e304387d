/** Mutates valid input into typical garbage, for every edge that reads JSON or text. */
import type { Random } from '../simulation/harness/random.js';

/** Any value, also one that JSON cannot express: inputs from a program may be such values. */
export type Value = unknown;

/** Names that have a meaning in JavaScript or in parsers, or that careless code would trip over. */
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'length',
  'result',
  'code',
  'id',
  '',
  ' ',
  '0',
  'amount ',
  'Amount',
  '\u0000',
  '\ud800',
  'ключ',
] as const;

const TEXTS = [
  '',
  ' ',
  '0',
  '-1',
  '1e3',
  '1.0.0',
  'NaN',
  'null',
  'true',
  '[object Object]',
  '000.000.000',
  '000.100.110',
  '٠٠٠.١٠٠.١١٠',
  '92,00',
  '９２.００',
  '4111111111111111',
  'EUR\u0000',
  'eur',
  '\u0000',
  '\ud800',
  '\udc00x',
  '👩‍👩‍👧‍👦',
  '\u202e00.29',
  "' or '1'='1",
  '<script>',
  '../../..',
  '%00',
  '{"result":{"code":"000.000.000"}}',
] as const;

const NUMBERS = [0, -0, 1, -1, 92, 92.0, 1e21, 1e308, 5e-324, 2 ** 53, -(2 ** 31), 0.1 + 0.2] as const;

/** Draws any leaf, or a small invalid container. */
export function odd(random: Random): Value {
  switch (random.between(0, 9)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
    case 3:
      return random.pick(NUMBERS);
    case 4:
      return [];
    case 5:
      return {};
    case 6:
      return { [random.pick(NAMES)]: random.pick(TEXTS) };
    case 7:
      return [random.pick(TEXTS), null];
    case 8:
      return random.pick(TEXTS).repeat(random.pick([1, 2, 40, 300]));
    default:
      return random.pick(TEXTS);
  }
}

const EDITS = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '.',
  '0',
  '9',
  ' ',
  '\n',
  '\\',
  '\\u0000',
  '\u0000',
  '\ufeff',
  '\ud83d',
  '-',
  'e5',
  'null',
  '"code":1,',
  '"result":{},',
  '"result":{"code":"000.000.000"},',
  '"__proto__":{},',
  '/**/',
] as const;

/** Cuts out, inserts, repeats or exchanges a few characters. */
export function edited(random: Random, text: string): string {
  let now = text;
  for (let left = random.between(1, 3); left > 0; left -= 1) {
    const at = random.between(0, now.length);
    const cut = random.chance(0.5) ? 0 : random.between(1, random.pick([1, 1, 2, 8, 40]));
    const put =
      random.between(0, 3) === 0
        ? ''
        : random.chance(0.2)
          ? String.fromCharCode(random.between(0, random.pick([127, 255, 0xffff])))
          : random.chance(0.2)
            ? now.slice(random.between(0, at), at)
            : random.pick(EDITS);
    now = now.slice(0, at) + put + now.slice(at + cut);
  }
  return now;
}

/**
 * Returns a copy with one change at any depth. `texts`: texts that are valid in another place, such as another payment's
 * id.
 */
export function changed(random: Random, value: Value, texts: readonly [Value, ...Value[]]): Value {
  if (Array.isArray(value)) return changedList(random, value, texts);
  if (isPlainObject(value)) return changedObject(random, value, texts);
  return changedLeaf(random, value, texts);
}

function changedList(random: Random, list: readonly Value[], texts: readonly [Value, ...Value[]]): Value {
  const at = random.between(0, Math.max(0, list.length - 1));
  if (list.length > 0 && random.chance(0.75))
    return list.map((item, index) => (index === at ? changed(random, item, texts) : item));
  switch (random.between(0, 4)) {
    case 0:
      return list.filter((_item, index) => index !== at);
    case 1:
      return [...list, ...list.slice(at, at + 1)];
    case 2:
      return [...list].reverse();
    case 3:
      return [list];
    default:
      return odd(random);
  }
}

function changedObject(
  random: Random,
  object: Readonly<Record<string, Value>>,
  texts: readonly [Value, ...Value[]],
): Value {
  const entries = Object.entries(object);
  const at = random.between(0, Math.max(0, entries.length - 1));
  const [name, inside] = entries[at] ?? ['', undefined];
  const nested = typeof inside === 'object' && inside !== null;
  if (entries.length > 0 && random.chance(nested ? 0.8 : 0.5))
    return withEntry(entries, at, [name, changed(random, inside, texts)]);
  switch (random.between(0, 6)) {
    case 0:
      return Object.fromEntries(entries.filter((_entry, index) => index !== at));
    case 1:
      return withEntry(entries, at, [random.pick(NAMES), inside]);
    case 2:
      return Object.fromEntries([
        ...entries,
        [random.pick(NAMES), random.chance(0.5) ? object : odd(random)],
      ]);
    case 3: {
      const other = random.between(0, Math.max(0, entries.length - 1));
      const swapped = entries.map(([key, own], index): [string, Value] => [
        key,
        index === at ? entries[other]?.[1] : index === other ? inside : own,
      ]);
      return Object.fromEntries(swapped);
    }
    case 4:
      return random.chance(0.5) ? [object] : { [random.pick(NAMES)]: object };
    case 5:
      return withEntry(entries, at, [name, random.pick(texts)]);
    default:
      return odd(random);
  }
}

/** Uses `Object.fromEntries`, which defines and does not assign: `__proto__` becomes an ordinary name, as in `JSON.parse`. */
function withEntry(entries: readonly [string, Value][], at: number, entry: readonly [string, Value]): Value {
  return Object.fromEntries(entries.map((own, index) => (index === at ? entry : own)));
}

function changedLeaf(random: Random, leaf: Value, texts: readonly [Value, ...Value[]]): Value {
  if (random.chance(0.3)) return random.pick(texts);
  if (typeof leaf !== 'string' || random.chance(0.35)) return odd(random);
  switch (random.between(0, 7)) {
    case 0:
      return leaf.toUpperCase();
    case 1:
      return leaf.toLowerCase();
    case 2:
      return leaf + random.pick([' ', '\n', '\u0000', '0', '.', '\u200b']);
    case 3:
      return random.pick([' ', '+', '-', '0', '\ufeff']) + leaf;
    case 4:
      return Number(leaf);
    case 5:
      return [leaf];
    default:
      return edited(random, leaf);
  }
}

function isPlainObject(value: Value): value is Readonly<Record<string, Value>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Writes JSON; at times with a repeated name, an escape, padding or extreme nesting. */
export function written(random: Random, value: Value): string {
  const text = JSON.stringify(value);
  switch (random.between(0, 15)) {
    case 0:
      return repeated(random, text);
    case 1:
      return text.replace(
        /"(\w)(\w*)":/,
        (_all, first: string, rest: string) => `"${escaped(first)}${rest}":`,
      );
    case 2:
      return `${random.pick(['\ufeff', ' ', '\n\t', ")]}',\n", '//\n'])}${text}${random.pick(['', ' ', '\n', ';', '\u0000', text])}`;
    case 3:
      return random.chance(0.02) ? deep(random, text) : text;
    case 4:
      return edited(random, text);
    default:
      return text;
  }
}

/** Repeats one member of the text, with the same value or another, at times with an escape in the name. */
function repeated(random: Random, text: string): string {
  const members = [...text.matchAll(/"(\w+)":("(?:[^"\\]|\\.)*"|null|\d+)/g)];
  const member = members[random.between(0, Math.max(0, members.length - 1))];
  const [whole, name = '', value = ''] = member ?? [];
  if (member === undefined || whole === undefined) return text;
  const again = random.chance(0.5) ? name : escaped(name.slice(0, 1)) + name.slice(1);
  const twice = `${whole},"${again}":${random.chance(0.5) ? value : JSON.stringify(odd(random))}`;
  return text.slice(0, member.index) + twice + text.slice(member.index + whole.length);
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

function deep(random: Random, text: string): string {
  const depth = random.pick([1_000, 20_000]);
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['{"result":', '}'],
    ['{"linkedTransactions":[', ']}'],
  ]);
  return random.chance(0.5)
    ? open.repeat(depth) + text + close.repeat(depth)
    : `${text.slice(0, -1)},"deep":${open.repeat(depth)}1${close.repeat(depth)}}`;
}

/** Returns random bytes, read as UTF-8. */
export function noise(random: Random): string {
  const bytes = Buffer.alloc(random.between(0, 80));
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = random.between(0, 255);
  return bytes.toString(random.pick(['utf8', 'latin1', 'utf16le', 'hex', 'base64']));
}
