/** The options and help of `verify` and `events`. */
import { Option, type Command } from '@commander-js/extra-typings';
import type { ExitCode } from './exit.js';

const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const;

interface Grammar {
  readonly finish: (code: ExitCode) => void;
  readonly count: (text: string) => number;
  readonly examples: (...lines: readonly string[]) => string;
}

export function addMaintenanceCommands(program: Command, { finish, count, examples }: Grammar): void {
  program
    .command('verify')
    .description('check the invariants I1 to I8 on the whole ledger')
    .option('--wide', 'show all columns and whole ids, in lines longer than the terminal')
    .option('--json', 'the report as JSON')
    .addHelpText(
      'after',
      `${examples('verify', 'verify --json')}\n\nExit code 1 if an invariant is violated.`,
    )
    .action(async (options) => {
      finish(await (await import('./verify.js')).verify(options));
    });

  const events = program.command('events').description('the events that are sent to REFUNDS_EVENTS_URL');
  events
    .command('list')
    .description('events, newest first, and whether they were delivered')
    .option('--refund <id>', 'only events of this refund')
    .addOption(new Option('--state <state>', 'only events in this state').choices(DELIVERY_STATES))
    .option('--limit <number>', 'the largest number of events; default 100', count)
    .option('--wide', 'show all columns and whole ids, in lines longer than the terminal')
    .option('--json', 'a list as JSON')
    .addHelpText(
      'after',
      examples('events list --state dead', 'events list --refund 0199b0a4-7c1e-7f3a-9d52-2f6f1c1f4b11'),
    )
    .action(async (options) => {
      finish(await (await import('./events.js')).listEvents(options));
    });
  events
    .command('resend')
    .description('send events again, under the same ids')
    .argument('[id]', 'the id of the event')
    .option('--refund <id>', 'all events of this refund instead')
    .option('--dead', 'all events whose delivery was given up instead')
    .option('--json', 'the ids as JSON')
    .addHelpText(
      'after',
      examples('events resend 3c1f0c52-5b0f-4a44-8f6e-5f1d8f0a7f11', 'events resend --dead'),
    )
    .action(async (id, options) => {
      finish(await (await import('./events.js')).resend(id, options));
    });
}
