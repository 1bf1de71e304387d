/** JSON as an answer may be trusted to be: one object, and no name twice in any object. */

/**
 * The object that the text holds, or undefined where it is no JSON, no object, or says something twice. `JSON.parse` lets the
 * last of two equal names win; an answer with two results must not be read as either.
 */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || membersWritten(text) !== membersKept(value)) return undefined;
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Members in the text: each has one colon outside of a string. The text is known to be valid JSON. */
function membersWritten(text: string): number {
  let members = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') inString = !inString;
    else if (inString && character === '\\') at += 1;
    else if (!inString && character === ':') members += 1;
  }
  return members;
}

/** Members that are left after parsing. A list of work instead of recursion: the nesting is the sender's choice. */
function membersKept(root: unknown): number {
  let members = 0;
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    const inside: readonly unknown[] = Object.values(value);
    if (!Array.isArray(value)) members += inside.length;
    for (const item of inside) open.push(item);
  }
  return members;
}
