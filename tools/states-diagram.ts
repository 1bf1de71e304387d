/** Generates docs/reference/states.md from the tables in domain/refund/states.ts. Run it with `npm run docs:states`. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { FINAL_STATES, PUBLIC_STATUS, REFUND_STATES, REFUND_TRANSITIONS } from '../domain/refund/states.js';
import { ATTEMPT_EVIDENCE, isOpenAttempt } from '../domain/refund/attempt-states.js';

export const STATES_PAGE = fileURLToPath(new URL('../docs/reference/states.md', import.meta.url));

/** Returns the whole page, formatted by prettier. */
export function statesPage(): Promise<string> {
  const page = `# States of a refund

Generated from [\`domain/refund/states.ts\`](../../domain/refund/states.ts) by \`npm run docs:states\`. A test fails when this page does not match the code.

\`\`\`mermaid
stateDiagram-v2
  [*] --> reserved: accept
${REFUND_TRANSITIONS.flatMap(({ on, from, to }) => from.map((state) => `  ${state} --> ${to}: ${on}`)).join('\n')}
${FINAL_STATES.map((state) => `  ${state} --> [*]`).join('\n')}
\`\`\`

## Status of each state in the API

${table(
  ['state', 'status', 'final'],
  REFUND_STATES.map((state) => [
    code(state),
    PUBLIC_STATUS[state],
    FINAL_STATES.includes(state) ? 'yes' : '',
  ]),
)}

## Transitions of a refund

${table(
  ['transition', 'from', 'to', 'meaning'],
  REFUND_TRANSITIONS.map(({ on, from, to, means }) => [code(on), from.map(code).join(', '), code(to), means]),
)}

## Evidence about an attempt

Evidence changes an attempt only in the states of this table. In any other state it is a repetition, or a contradiction that opens a case.
An attempt is open while it is \`submitting\`, ${Object.keys(ATTEMPT_EVIDENCE).filter(isOpen).map(code).join(' or ')}: its money may have left or may still leave.

${table(
  ['evidence', 'changes an attempt that is'],
  Object.entries(ATTEMPT_EVIDENCE).map(([evidence, states]) => [code(evidence), states.map(code).join(', ')]),
)}
`;
  return format(page, { parser: 'markdown', printWidth: 110, proseWrap: 'preserve' });
}

const code = (text: string): string => `\`${text}\``;

function isOpen(evidence: string): boolean {
  return (evidence === 'unknown' || evidence === 'pending') && isOpenAttempt(evidence);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  void statesPage().then((page) => {
    writeFileSync(STATES_PAGE, page);
  });
