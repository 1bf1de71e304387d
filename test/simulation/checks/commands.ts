/** Checks that an operator's command did what its result states: no effect if it was refused, and no effect twice. */
import type { Row } from '../database/tables.js';
import type { Outcome } from '../temporal/execution.js';

/** Returns the violations. `results`: the result of each command by its ticket, which is stored with the events of the command. */
export function commandViolations(results: ReadonlyMap<string, Outcome>, events: readonly Row[]): string[] {
  const effects = new Map<string, string>();
  return events.flatMap((event) => {
    const ticket = textIn(event['data'], 'ticket');
    if (ticket === undefined) return [];
    const type = String(event['type']);
    const before = effects.get(ticket);
    effects.set(ticket, type);
    const answer = results.get(ticket);
    const result = answer?.kind === 'completed' ? answer.result : undefined;
    return [
      ...(before === undefined
        ? []
        : [`the command of ${ticket} took effect as ${before} and again as ${type}`]),
      ...(textIn(result, 'kind') === 'refused'
        ? [
            `the command of ${ticket} was refused (${String(textIn(result, 'why'))}) and took effect as ${type}`,
          ]
        : []),
    ];
  });
}

function textIn(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const text: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
  return typeof text === 'string' ? text : undefined;
}
