/** What the demonstration shows: progress while it runs, one table at its end. */
import Table from 'cli-table3';
import pc from 'picocolors';
import type { Progress, Row } from './run.js';

/** On a terminal one line that is written over, otherwise a line for each case that ends. */
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

export function table(rows: readonly Row[]): string {
  const sheet = new Table({
    head: ['', 'refund', 'amount', 'operation', 'state', 'at the gateway', 'why'].map((title) =>
      pc.bold(title),
    ),
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    colWidths: [3, null, null, null, null, null, 46],
    wordWrap: true,
  });
  for (const row of rows)
    sheet.push([
      row.asExpected ? pc.green('✓') : pc.red('✗'),
      row.name,
      `${row.amount} EUR`,
      row.refund?.operation ?? '–',
      row.refund?.state ?? `refused`,
      row.refund?.attempts
        .map((attempt) =>
          `${attempt.type} ${attempt.resultCode ?? attempt.state} ${attempt.gatewayId ?? ''}`.trimEnd(),
        )
        .join('\n') ?? '–',
      row.refused ?? row.refund?.review?.why ?? row.refund?.why ?? '',
    ]);
  return sheet.toString();
}
