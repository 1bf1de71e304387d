/** That a person's word does what its author was told: nothing where it was refused, and nothing twice. */
import type { Row } from '../database/tables.js';
import type { Outcome } from '../temporal/execution.js';

/** `answers`: by the ticket that the word carries and that what it brings about is recorded with. */
export function noteViolations(answers: ReadonlyMap<string, Outcome>, events: readonly Row[]): string[] {
  const effects = new Map<string, string>();
  return events.flatMap((event) => {
    const ticket = textIn(event['data'], 'ticket');
    if (ticket === undefined) return [];
    const type = String(event['type']);
    const before = effects.get(ticket);
    effects.set(ticket, type);
    const answer = answers.get(ticket);
    const result = answer?.kind === 'completed' ? answer.result : undefined;
    return [
      ...(before === undefined
        ? []
        : [`the word of ${ticket} took effect as ${before} and again as ${type}`]),
      ...(textIn(result, 'kind') === 'refused'
        ? [`the word of ${ticket} was refused (${String(textIn(result, 'why'))}) and took effect as ${type}`]
        : []),
    ];
  });
}

function textIn(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const text: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
  return typeof text === 'string' ? text : undefined;
}
