#!/usr/bin/env node
/** The command line `oppwa-refunds`. */
import { constants } from 'node:os';
import { CommanderError } from '@commander-js/extra-typings';
import { EXIT } from './exit.js';
import { createProgram } from './program.js';

// Whoever reads may have enough (`list | head`): then it ends without a word, as any program in a pipe does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(128 + constants.signals.SIGPIPE);
});

try {
  await createProgram((code) => {
    process.exitCode = code;
  }).parseAsync();
} catch (error) {
  // Help that was asked for is the one thing that commander ends well.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
}
