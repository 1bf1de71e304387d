/** Output of a soak run: lines that are rewritten on a terminal, a line every ten seconds elsewhere, and tables at the end. */
import Table from 'cli-table3';
import pc from 'picocolors';
import type { SoakResult } from './run.js';
import type { Progress } from './watch.js';

const LINE_EVERY_MS = 10_000;
const MOST_SHOWN = 10;

export interface Display {
  readonly onProgress: (progress: Progress) => void;
  /** Prints a permanent line above the rewritten ones. */
  readonly print: (line: string) => void;
  /** Removes the rewritten lines. */
  readonly end: () => void;
}

export function createDisplay(stream: NodeJS.WriteStream): Display {
  let shown = 0;
  let next = 0;
  const end = (): void => {
    if (shown > 0) stream.write(`\u001B[${shown}A\u001B[J`);
    shown = 0;
  };
  return {
    end,
    print(line) {
      end();
      stream.write(`${line.trimStart()}\n`);
    },
    onProgress(progress) {
      if (!stream.isTTY) {
        if (performance.now() < next) return;
        next = performance.now() + LINE_EVERY_MS;
        stream.write(`${linesOf(progress).join(' | ')}\n`);
        return;
      }
      const lines = linesOf(progress).map((line) => line.slice(0, Math.max(20, stream.columns - 1)));
      end();
      stream.write(`${lines.join('\n')}\n`);
      shown = lines.length;
    },
  };
}

function linesOf(progress: Progress): string[] {
  const { phase, secondsLeft, asked, accepted, failedCalls, faults, lastDisaster, violations } = progress;
  const { apiCalls, notifications } = progress;
  const states = [...progress.states].map(([state, count]) => `${state} ${count}`).join(', ');
  return [
    `${phase}, ${secondsLeft} s ${phase === 'load' ? 'left' : 'at most'}`,
    `asked ${asked}, accepted ${accepted}, calls failed ${failedCalls}; ${apiCalls} calls over HTTP`,
    `notifications stored ${notifications.stored}, on their way ${notifications.undelivered}`,
    `faults ${faults}${phase === 'load' && lastDisaster !== '' ? `, now: ${lastDisaster}` : ''}`,
    states === '' ? 'no refunds yet' : states,
    `invariants read ${progress.checks} times, broken ${violations.length}${violations[0] === undefined ? '' : `: ${violations[0]}`}`,
  ];
}

/** Returns the closing tables. */
export function report(result: SoakResult): string {
  const { calls, seconds } = result;
  const refunds = sheet(['refunds', 'by', 'number']);
  for (const { state, operation, count } of result.refunds) refunds.push([state, operation, String(count)]);
  const requests = Object.entries(result.gatewayRequests).map(([kind, count]) => `${count} ${kind}`);
  const verdicts = sheet(['', 'verdict', 'wrong'], [3, 41, 110]);
  for (const { name, wrong } of result.verdicts)
    verdicts.push([
      wrong.length === 0 ? pc.green('✓') : pc.red('✗'),
      name,
      [String(wrong.length), ...wrong.slice(0, MOST_SHOWN), ...(wrong.length > MOST_SHOWN ? ['…'] : [])].join(
        '\n',
      ),
    ]);
  return [
    counted('what happened', result.disasters),
    counted('the gateway', result.gatewayFaults),
    counted('why not paid', result.reasons),
    refunds.toString(),
    `calls: ${calls.asked}, of them ${calls.failed} failed (${calls.doubtsSettled} settled by asking again), refused: ${inline(calls.refused)}`,
    `over HTTP, by status: ${inline(result.apiAnswers)}`,
    `notifications of the gateway: ${inline(result.notifications)}`,
    `events to the client: ${inline(result.events)}`,
    `requests at the gateway: ${requests.join(', ')}`,
    verdicts.toString(),
    `seed ${result.seed}, ${seconds.load} s of load, ${seconds.settling} s until everything had settled: ${
      result.holds ? pc.green('everything holds') : pc.red('NOT everything holds')
    }`,
  ].join('\n');
}

function counted(title: string, counts: Readonly<Record<string, number>>): string {
  const lines = sheet([title, 'number']);
  for (const [name, count] of Object.entries(counts)) lines.push([name, String(count)]);
  return lines.toString();
}

const inline = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none';

function sheet(head: readonly string[], colWidths: number[] = []): Table.Table {
  return new Table({
    head: head.map((title) => pc.bold(title)),
    style: { head: [], border: [] },
    ...(colWidths.length === 0 ? {} : { colWidths, wordWrap: true }),
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
}
