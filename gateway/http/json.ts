/** Parses JSON strictly: one object, and no name twice in any object. */

/**
 * Returns the object in the text; undefined if it is not JSON, not an object, or has a name twice. `JSON.parse` takes the last of two
 * equal names, but an answer with two results must not be read as either.
 */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isObject(value) && showsAllOnce(text, value) ? value : undefined;
}

/** True where no object in the text has two members of one name, however they are spelled. `value` is what `JSON.parse` made of the text. */
export function showsAllOnce(text: string, value: unknown): boolean {
  return membersWritten(text) === membersKept(value);
}

/** True for an object that is not an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Members in the text: each has one colon outside of a string. The text is known to be valid JSON. */
function membersWritten(text: string): number {
  let members = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === COLON) members += 1;
    else if (character === QUOTE) at = endOfString(text, at);
  }
  return members;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Returns the index of the closing quote of the string that begins at `start`: a quote after an even number of backslashes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((end - before) % 2 === 1) return end;
  }
  return text.length;
}

/** Members that are left after parsing. A list of work instead of recursion: the nesting is the sender's choice. */
function membersKept(root: unknown): number {
  let members = 0;
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    const inside: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    if (!Array.isArray(value)) members += inside.length;
    for (const item of inside) if (typeof item === 'object') open.push(item);
  }
  return members;
}
