/** Finds ids in an answer that cannot be read as a whole: cut off, too large, without a result, or not JSON. */
import { isIdOfSomeForm } from '../../domain/ids.js';

/**
 * Returns every complete `id` of the outermost object. Stops at the end of the text, or where it is not JSON any more.
 */
export function idsInPart(text: string): readonly string[] {
  const ids: string[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === '"') {
      const end = endOfString(text, at);
      if (end === undefined) break;
      const value = depth === 1 && stringAt(text, at, end) === 'id' ? valueAfter(text, end + 1) : undefined;
      if (value !== undefined) ids.push(value);
      at = end;
    } else if (depth === 0 && character.trim() !== '') break;
  }
  return text.trimStart().startsWith('{') ? [...new Set(ids)].filter(isIdOfSomeForm) : [];
}

/** Returns the string after a colon if it is complete. */
function valueAfter(text: string, from: number): string | undefined {
  const start = /^\s*:\s*(?=")/.exec(text.slice(from, from + 100))?.[0].length;
  if (start === undefined) return undefined;
  const end = endOfString(text, from + start);
  return end === undefined ? undefined : stringAt(text, from + start, end);
}

function stringAt(text: string, start: number, end: number): string | undefined {
  try {
    const value: unknown = JSON.parse(text.slice(start, end + 1));
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the index of the closing quote of the string that begins at `start`; undefined if there is none. */
function endOfString(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') at += 1;
    else if (character === '"') return at;
  }
  return undefined;
}
