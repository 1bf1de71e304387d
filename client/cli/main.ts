#!/usr/bin/env node
/** The command line `oppwa-refunds`. */
import { constants } from 'node:os';
import { CommanderError } from '@commander-js/extra-typings';
import { EXIT } from './exit.js';
import { cardInArguments } from './cards-commands.js';
import { createProgram } from './program.js';

// A reader may close the pipe early (`list | head`): then this process ends without a message, as other programs do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(128 + constants.signals.SIGPIPE);
});

try {
  const exposed = cardInArguments(process.argv.slice(2));
  if (exposed === undefined)
    await createProgram((code) => {
      process.exitCode = code;
    }).parseAsync();
  else {
    process.stderr.write(`${exposed}\n`);
    process.exitCode = EXIT.wrongUse;
  }
} catch (error) {
  // Only a request for help ends with 0; every other error of commander is wrong use.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
}
