/** The options and help of `limits`, `verify` and `events`. */
import { InvalidArgumentError, Option, type Command } from '@commander-js/extra-typings';
import { isGatewayId, isRefundId } from '../../domain/ids.js';
import type { ExitCode } from './exit.js';

const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const;

interface Grammar {
  readonly finish: (code: ExitCode) => void;
  readonly count: (text: string) => number;
  readonly examples: (...lines: readonly string[]) => string;
}

export function addMaintenanceCommands(program: Command, { finish, count, examples }: Grammar): void {
  program
    .command('limits')
    .description('limits of credits without an approval, and what is used of them')
    .option('--entity <id>', 'only limits of this entity', id)
    .option('--currency <code>', 'only limits in this currency', currency)
    .option('--payment <id>', 'read the sum of this payment', id)
    .option('--registration <id>', 'read the sum of this destination', id)
    .option('--card <ref>', 'read the sum of this sealed card, instead of a registration', cardRef)
    .option('--requester <name>', 'read the sum of this requester, on all entities')
    .option('--wide', 'show all columns and whole ids, in lines longer than the terminal')
    .option('--json', 'a list as JSON')
    .addHelpText(
      'after',
      examples(
        'limits',
        'limits --currency EUR --payment 8ac7a4a18f6fcb2d018f70a1b2c3d4e5 --requester alice',
      ),
    )
    .action(async (options) => {
      finish(await (await import('./limits.js')).limits(options));
    });

  program
    .command('verify')
    .description('check the invariants I1 to I9 on the whole ledger')
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

function id(text: string): string {
  if (!isGatewayId(text)) throw new InvalidArgumentError('It must be 32 lowercase hexadecimal characters.');
  return text;
}

function cardRef(text: string): string {
  if (!isRefundId(text)) throw new InvalidArgumentError('It must be a UUID in lowercase.');
  return text;
}

function currency(text: string): string {
  if (!/^[A-Z]{3}$/.test(text)) throw new InvalidArgumentError('It must be three capital letters.');
  return text;
}
