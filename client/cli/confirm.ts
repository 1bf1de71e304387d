/** The confirmation before anything changes: typed at the terminal, or `--yes` in a script. */
import { createInterface } from 'node:readline/promises';
import { shownMessage } from '../../domain/card/shown-text.js';
import { Declined, WrongUse } from './exit.js';

/** Prints `effect` on stderr and asks for confirmation. Throws `Declined` without it, and `WrongUse` where there is no terminal. */
export async function confirm(effect: readonly string[], yes: boolean): Promise<void> {
  process.stderr.write(`${effect.map(shownMessage).join('\n')}\n`);
  if (yes) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new WrongUse([
      {
        field: '--yes',
        code: 'missing',
        message: 'is needed without a terminal to confirm at; nothing was changed',
      },
    ]);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question('Continue? Type yes: ');
    if (answer.trim().toLowerCase() !== 'yes') throw new Declined('nothing was changed');
  } finally {
    terminal.close();
  }
}
