/** What a value is after Temporal's converter has carried it as JSON: a copy, or an error where JSON has no form for it. */

/** As `JSON.parse(JSON.stringify(value))`, which costs three times as much. */
export function overTheWire(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'undefined':
    case 'function':
    case 'symbol':
      return undefined;
    case 'bigint':
      throw new TypeError('a bigint cannot be carried as JSON');
    case 'object':
      return value === null ? null : Array.isArray(value) ? value.map(inList) : copied(value);
    default:
      return undefined;
  }
}

/** A list keeps the place of what has no form. */
function inList(value: unknown): unknown {
  return overTheWire(value) ?? null;
}

function copied(value: object): unknown {
  if (value instanceof Date) return value.toISOString();
  if ('toJSON' in value) return JSON.parse(JSON.stringify(value));
  const copy: Record<string, unknown> = {};
  for (const [name, inside] of Object.entries(value)) {
    const carried = overTheWire(inside);
    if (carried !== undefined) copy[name] = carried;
  }
  return copy;
}
