/** The grammar of `verify` and `events`. */
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
    .description('check now that the whole ledger holds: I1 to I8, slice by slice')
    .option('--wide', 'all of it, though lines get longer than the terminal')
    .option('--json', 'the report as JSON')
    .addHelpText('after', `${examples('verify', 'verify --json')}\n\nExit code 1 where something is wrong.`)
    .action(async (options) => {
      finish(await (await import('./verify.js')).verify(options));
    });

  const events = program.command('events').description('what is told to REFUNDS_EVENTS_URL');
  events
    .command('list')
    .description('events, newest first, and whether they have arrived')
    .option('--refund <id>', 'only those of this refund')
    .addOption(new Option('--state <state>', 'only those in this state').choices(DELIVERY_STATES))
    .option('--limit <number>', 'at most so many; default 100', count)
    .option('--wide', 'all of it, though lines get longer than the terminal')
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
    .description('send events again, under the ids that they have')
    .argument('[id]', 'the id of the event')
    .option('--refund <id>', 'all of this refund instead')
    .option('--dead', 'all that were given up instead')
    .option('--json', 'the ids as JSON')
    .addHelpText(
      'after',
      examples('events resend 3c1f0c52-5b0f-4a44-8f6e-5f1d8f0a7f11', 'events resend --dead'),
    )
    .action(async (id, options) => {
      finish(await (await import('./events.js')).resend(id, options));
    });
}
