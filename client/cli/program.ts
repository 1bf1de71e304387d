/** The grammar of the command line. What a command does is loaded when it is given, so that help is there at once. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { ROLES } from '../../domain/principal.js';
import { REFUND_STATES } from '../../domain/states.js';
import type { ExitCode } from './exit.js';
import { addUpkeepCommands } from './upkeep-commands.js';

const ID = 'the id of the refund';
const STATUSES = ['pending', 'succeeded', 'failed', 'canceled', 'review'] as const;

/** `finish` is given the exit code of the command that ran. */
export function createProgram(finish: (code: ExitCode) => void): Command {
  const program = new Command('oppwa-refunds')
    .description('Refunds through the OPPWA gateway: ask for them, follow them, decide about them.')
    .addHelpText('after', HELP.program)
    // Inherited by every command: a mistake of use ends with 2, as every other wrong use.
    .exitOverride()
    .showHelpAfterError('(--help shows how)');

  program
    .command('request')
    .description('ask for a refund; one key is one refund, however often it is asked for')
    .option('--payment <id>', 'the debit, the authorisation or one capture, 32 hex (needed)')
    .option('--amount <decimal>', "with the currency's own decimals: 12.30 (needed)")
    .option('--currency <code>', 'of the payment: EUR (needed)')
    .option('--reason <text>', 'why, for example goods_returned (needed)')
    .option('--order <id>', "the shop's order")
    .option('--registration <id>', 'where a credit may go, instead of the registration of the payment')
    .option('--entity <id>', 'the entity of the payment, where it is not the default one')
    .option('--key <text>', 'one for each intent; default: a new one, which is printed')
    .option('--requested-by <name>', 'who asks, and so cannot approve; default: the user of this machine')
    .option('--wait [seconds]', 'stay until it has ended or a person is needed', seconds)
    .option('--yes', 'do not ask')
    .option('--json', 'the refund as JSON')
    .addHelpText('after', HELP.request)
    .action(async (options) => {
      finish(await (await import('./request.js')).request(options));
    });

  program
    .command('show')
    .description('one refund, with every attempt and every id')
    .argument('<id>', ID)
    .option('--json', 'as JSON')
    .action(async (id, options) => {
      finish(await (await import('./read.js')).show(id, options));
    });

  program
    .command('list')
    .description('refunds, newest first')
    .option('--payment <id>', 'only those of this payment or capture')
    .addOption(new Option('--state <state>', 'only those in this state').choices(REFUND_STATES))
    .addOption(new Option('--status <status>', 'only those with this status').choices(STATUSES))
    .option('--stuck', 'only those that wait for a person')
    .option('--limit <number>', 'at most so many; default 100', count)
    .option('--json', 'a list as JSON')
    .addHelpText('after', HELP.list)
    .action(async (options) => {
      finish(await (await import('./read.js')).list(options));
    });

  program
    .command('watch')
    .description('a line for each change, until it has ended or a person is needed')
    .argument('<id>', ID)
    .option('--json', 'each line the whole refund as JSON')
    .action(async (id, options) => {
      finish(await (await import('./read.js')).watch(id, options));
    });

  for (const verb of ['approve', 'reject'] as const)
    program
      .command(verb)
      .description(
        verb === 'approve'
          ? 'let the credit be paid that waits for a second person'
          : 'refuse the credit that waits for a second person; the refund ends unpaid',
      )
      .argument('<id>', ID)
      .option('--by <name>', 'who decides; not who asked for the refund (needed)')
      .option('--reason <text>', 'why (needed)')
      .option('--ticket <id>', 'where it was discussed')
      .option('--yes', 'do not ask')
      .option('--json', 'the refund as JSON')
      .addHelpText('after', HELP[verb])
      .action(async (id, options) => {
        finish(await (await import('./decide.js')).decide(verb, id, options));
      });

  program
    .command('withdraw')
    .description('end a refund of which nothing has left and nothing may have left')
    .argument('<id>', ID)
    .option('--by <name>', 'who withdraws it (needed)')
    .option('--reason <text>', 'why (needed)')
    .option('--yes', 'do not ask')
    .option('--json', 'the refund as JSON')
    .addHelpText('after', HELP.withdraw)
    .action(async (id, options) => {
      finish(await (await import('./decide.js')).withdraw(id, options));
    });

  program
    .command('resolve')
    .description('look at the gateway now what became of it; sends nothing')
    .argument('<id>', ID)
    .option('--json', 'the refund as JSON')
    .action(async (id, options) => {
      finish(await (await import('./decide.js')).resolve(id, options));
    });

  addUpkeepCommands(program, { finish, count, examples });
  const keys = program
    .command('keys')
    .description('who may speak to the HTTP API')
    .exitOverride()
    .addHelpText('after', HELP.keys);
  keys
    .command('create')
    .description('a new key; its text is printed once and kept nowhere')
    .option('--name <text>', 'the owner: refunds, idempotency keys and decisions carry it (needed)')
    .addOption(new Option('--role <role...>', 'what it may do; every role may read (needed)').choices(ROLES))
    .option('--json', 'as JSON, the text as `key`')
    .action(async (options) => {
      finish(await (await import('./keys.js')).create(options));
    });
  keys
    .command('revoke')
    .description('end a key for good, from the next request on')
    .argument('<id>', 'the part of the key between its first two underscores')
    .option('--json', 'the key as JSON, without its text')
    .action(async (id, options) => {
      finish(await (await import('./keys.js')).revoke(id, options));
    });
  keys
    .command('list')
    .description('every key, without its text')
    .option('--json', 'as JSON')
    .action(async (options) => {
      finish(await (await import('./keys.js')).list(options));
    });

  return program;
}

const EXAMPLE_PAYMENT = '8ac7a4a18f6fcb2d018f70a1b2c3d4e5';
const EXAMPLE_REFUND = '0199b0a4-7c1e-7f3a-9d52-2f6f1c1f4b11';

const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ oppwa-refunds ${line}`).join('\n')}`;

const HELP = {
  program: `${examples(
    `request --payment ${EXAMPLE_PAYMENT} --amount 12.30 --currency EUR --reason goods_returned`,
    'list --stuck',
    `watch ${EXAMPLE_REFUND}`,
  )}

Exit codes: 0 done, 1 failed, 2 wrong use, 3 a person is needed.
Settings come from the environment; without any, from the sandbox that is up in this folder.`,
  request: examples(
    `request --payment ${EXAMPLE_PAYMENT} --amount 12.30 --currency EUR --reason goods_returned --order 4711`,
    `request --payment ${EXAMPLE_PAYMENT} --amount 1000 --currency JPY --reason duplicate --key order-4711 --wait 60 --yes --json`,
  ),
  keys: examples(
    'keys create --name shop --role submit',
    'keys create --name alice --role operate approve',
    'keys revoke 3k9x0a7mq2bd',
  ),
  list: examples('list --stuck', 'list --status pending --json', `list --payment ${EXAMPLE_PAYMENT}`),
  approve: examples(
    `approve ${EXAMPLE_REFUND} --by alice --reason "checked with the acquirer" --ticket PAY-12`,
  ),
  reject: examples(`reject ${EXAMPLE_REFUND} --by alice --reason "paid by bank transfer"`),
  withdraw: examples(`withdraw ${EXAMPLE_REFUND} --by alice --reason "the customer keeps the goods"`),
};

function seconds(text: string): number | true {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of seconds.');
  return Number(text);
}

function count(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
