#!/usr/bin/env node
/** The command line `oppwa-refunds`. */
import { CommanderError } from '@commander-js/extra-typings';
import { EXIT } from './exit.js';
import { createProgram } from './program.js';

try {
  await createProgram((code) => {
    process.exitCode = code;
  }).parseAsync();
} catch (error) {
  // Help that was asked for is the one thing that commander ends well.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
}
