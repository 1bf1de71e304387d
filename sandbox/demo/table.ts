/** The output of the demonstration: progress while it runs, a table at its end. */
import type { Screen } from '../../client/cli/screen.js';
import { table, type Column } from '../../client/cli/table.js';
import { shortIds } from '../../client/cli/text.js';
import { STATE_TONES } from '../../client/state-tones.js';
import type { Progress, Row } from './run.js';

/** Shows progress: on a terminal in one line that is overwritten, otherwise in a line for each case that ends. */
export function showProgress(stream: NodeJS.WriteStream): (progress: readonly Progress[]) => void {
  const reported = new Set<string>();
  return (progress) => {
    const done = progress.filter((line) => line.done).length;
    if (stream.isTTY) {
      const busy = progress.filter((line) => !line.done).map((line) => `${line.name}: ${line.state}`);
      const text = `  ${done}/${progress.length} ${busy.join(' · ')}`;
      stream.write(`\r\u001B[K${text.slice(0, Math.max(20, stream.columns - 1))}`);
      if (done === progress.length) stream.write('\r\u001B[K');
      return;
    }
    for (const line of progress)
      if (line.done && !reported.has(line.name)) {
        reported.add(line.name);
        stream.write(`  ${String(done).padStart(2)}/${progress.length} ${line.name}: ${line.state}\n`);
      }
  };
}

const CURRENCY = 'EUR';

const COLUMNS: readonly Column<Row>[] = [
  {
    title: '',
    text: ({ asExpected }) => (asExpected ? '✓' : '✗'),
    tone: ({ asExpected }) => (asExpected ? 'good' : 'bad'),
  },
  { title: 'case', text: ({ name }) => name, wraps: true },
  { title: 'amount', align: 'right', text: ({ amount }) => `${amount} ${CURRENCY}` },
  { title: 'operation', text: ({ refund }) => refund?.operation ?? '', leaves: 0 },
  {
    title: 'state',
    text: ({ refund }) => refund?.state ?? 'refused',
    tone: ({ refund }) => (refund === undefined ? 'still' : STATE_TONES[refund.state]),
  },
  { title: 'at the gateway', text: ({ refund }) => attemptsText(refund), shorter: shortIds, beneath: 2 },
  {
    title: 'why',
    text: ({ refund, refused }) => refused ?? refund?.review?.why ?? refund?.why ?? '',
    wraps: true,
    beneath: 1,
  },
];

/** The table of all cases with their ends. */
export const caseTable = (rows: readonly Row[], screen: Screen): string =>
  table(COLUMNS, rows, screen, { header: true, hint: false });

const attemptsText = (refund: Row['refund']): string =>
  (refund?.attempts ?? [])
    .map(({ type, resultCode, state, gatewayId }) =>
      `${type} ${resultCode ?? state} ${gatewayId ?? ''}`.trimEnd(),
    )
    .join('\n');
