/** The last word before anything changes: a person's at the terminal, or `--yes` in a script. */
import { createInterface } from 'node:readline/promises';
import { Declined, WrongUse } from './exit.js';

/** Shows `effect` on stderr and asks. Throws `Declined`, or `WrongUse` where there is nobody to ask. */
export async function confirm(effect: readonly string[], yes: boolean): Promise<void> {
  process.stderr.write(`${effect.join('\n')}\n`);
  if (yes) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new WrongUse([
      {
        field: '--yes',
        code: 'missing',
        message: 'is needed where there is no terminal to ask at; nothing was changed',
      },
    ]);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question('Go ahead? Type yes: ');
    if (answer.trim().toLowerCase() !== 'yes') throw new Declined('nothing was changed');
  } finally {
    terminal.close();
  }
}
