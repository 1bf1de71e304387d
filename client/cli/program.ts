/** The grammar of the command line. What a command does is loaded when it is given, so that help is there at once. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { DECLARED_TYPES } from '../../domain/payment/declared-payment.js';
import { ROLES } from '../../domain/principal.js';
import { CORRECTION_OUTCOMES } from '../../domain/refund/correction.js';
import { REFUND_STATES } from '../../domain/refund/states.js';
import type { ExitCode } from './exit.js';
import { addMaintenanceCommands } from './maintenance-commands.js';

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

  asking(program.command('request'))
    .description('ask for a refund; one key is one refund, however often it is asked for')
    .option('--payment <id>', 'the debit, the authorisation or one capture, 32 hex (needed)')
    .option('--registration <id>', 'where a credit may go, instead of the registration of the payment')
    .addOption(
      new Option(
        '--payment-type <type>',
        'what was captured, so that the gateway is not queried first',
      ).choices(Object.keys(DECLARED_TYPES)),
    )
    .option('--payment-amount <amount>', 'how much was captured, in --currency')
    .option('--payment-registration <id>', 'the registration that paid')
    .addHelpText('after', HELP.request)
    .action(async (options) => {
      finish(await (await import('./request.js')).request('refund', options));
    });

  asking(program.command('credit'))
    .description('ask for a standalone credit, for money that no refund can carry')
    .option('--registration <id>', 'where it goes, 32 hex (needed)')
    .option(
      '--payment <id>',
      'the payment that it is counted against; without it a second person always has to approve',
    )
    .addHelpText('after', HELP.credit)
    .action(async (options) => {
      finish(await (await import('./request.js')).request('credit', options));
    });

  program
    .command('show')
    .description('one refund: every attempt and id, what was decided by whom, and what happened')
    .argument('<id>', ID)
    .option('--wide', 'all of it, though lines get longer than the terminal')
    .option('--json', 'as JSON')
    .action(async (id, options) => {
      finish(await (await import('./show.js')).show(id, options));
    });

  program
    .command('list')
    .description('refunds, newest first')
    .option('--payment <id>', 'only those of this payment or capture')
    .addOption(new Option('--state <state>', 'only those in this state').choices(REFUND_STATES))
    .addOption(new Option('--status <status>', 'only those with this status').choices(STATUSES))
    .option('--stuck', 'the queue: whatever waits for a person, oldest first, with its next step')
    .option('--limit <number>', 'at most so many; default 100', count)
    .option('--wide', 'all of it, though lines get longer than the terminal')
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
          ? 'let the credit be paid, or confirm the correction, that waits for a second person'
          : 'refuse what waits for a second person: a credit (the refund ends unpaid) or a correction',
      )
      .argument('<id>', ID)
      .option(
        '--instruction <id>',
        'what is decided about, as it was shown (needed); without it the one that waits is named',
      )
      .option('--by <name>', 'who decides; not who asked for the refund (needed)')
      .option('--reason <text>', 'why (needed)')
      .option('--ticket <id>', 'where it was discussed')
      .option('--yes', 'do not ask')
      .option('--json', 'the refund as JSON')
      .addHelpText('after', HELP[verb])
      .action(async (id, options) => {
        finish(await (await import('./decide.js')).decide(verb, id, options));
      });

  note(program.command('withdraw'), 'withdraws it')
    .description('end a refund of which nothing has left and nothing may have left')
    .addHelpText('after', HELP.withdraw)
    .action(async (id, options) => {
      finish(await (await import('./decide.js')).withdraw(id, options));
    });

  program
    .command('sync')
    .description('check with the gateway now what became of it; sends nothing')
    .argument('<id>', ID)
    .option('--by <name>', 'who looks; kept with the reason where both are given')
    .option('--reason <text>', 'why')
    .option('--ticket <id>', 'where it is discussed')
    .option('--json', 'the refund as JSON')
    .addHelpText('after', HELP.sync)
    .action(async (id, options) => {
      finish(await (await import('./decide.js')).sync(id, options));
    });

  note(program.command('link'), 'links it')
    .description('link a gateway transaction: it is what became of an attempt of this refund')
    .option('--gateway-id <id>', 'the transaction, 32 hex (needed)')
    .addHelpText('after', HELP.link)
    .action(async (id, options) => {
      finish(await (await import('./repair.js')).link(id, options));
    });

  note(program.command('correct'), 'signs it')
    .description('say what became of an attempt where the gateway cannot be asked; a second person confirms')
    .addOption(new Option('--outcome <outcome>', 'what became of it (needed)').choices(CORRECTION_OUTCOMES))
    .option('--evidence <text>', 'what shows it: letter, settlement line, ARN; no card numbers (needed)')
    .option('--reference <id>', 'which attempt, by its merchantTransactionId; default: the open one')
    .option('--case <reason>', 'which case is closed; default: all that only a person closes')
    .addHelpText('after', HELP.correct)
    .action(async (id, options) => {
      finish(await (await import('./repair.js')).correct(id, options));
    });

  note(program.command('change-destination'), 'changes it')
    .description('change the destination of the credit of a refund that waits for an operator')
    .option('--registration <id>', 'where the credit is to go, 32 hex (needed)')
    .addHelpText('after', HELP['change-destination'])
    .action(async (id, options) => {
      finish(await (await import('./repair.js')).changeDestination(id, options));
    });

  orders(program.command('replay').argument('[id]', `${ID}; without it, --case`), 'orders it')
    .description(
      'the cause is fixed: let one refund, or all in review for a reason, go on; nothing is sent twice',
    )
    .option('--case <reason>', 'every refund that is in review for this reason, instead of one')
    .option('--since <time>', 'with --case: only cases opened since then, as 10:00 or a date')
    .option('--dry-run', 'only say what would be done, with counts and sums; changes nothing')
    .option('--wide', 'all of it, though lines get longer than the terminal')
    .option('--restart', 'end the run that is alive, and start the next')
    .addHelpText('after', HELP.replay)
    .action(async (id, options) => {
      finish(await (await import('./replay.js')).replay(id, options));
    });

  addMaintenanceCommands(program, { finish, count, examples });
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
    .option('--wide', 'all of it, though lines get longer than the terminal')
    .option('--json', 'as JSON')
    .action(async (options) => {
      finish(await (await import('./keys.js')).list(options));
    });

  return program;
}

/** What every request for money takes. */
const asking = (command: Command) =>
  command
    .option('--amount <decimal>', "with the currency's own decimals: 12.30 (needed)")
    .option('--currency <code>', 'of the payment: EUR (needed)')
    .option('--reason <text>', 'why, for example goods_returned (needed)')
    .option('--order <id>', "the shop's order")
    .option('--entity <id>', 'the entity that pays, where it is not the default one')
    .option('--key <text>', 'one for each intent; default: a new one, which is printed')
    .option('--requested-by <name>', 'who asks, and so cannot approve; default: the user of this machine')
    .option('--wait [seconds]', 'stay until it has ended or a person is needed', seconds)
    .option('--yes', 'do not ask')
    .option('--json', 'the refund as JSON');

/** What every command about one refund takes. */
const note = (command: Command, who: string) => orders(command.argument('<id>', ID), who);

const orders = <Args extends unknown[]>(command: Command<Args>, who: string) =>
  command
    .option('--by <name>', `who ${who} (needed)`)
    .option('--reason <text>', 'why (needed)')
    .option('--ticket <id>', 'where it is discussed')
    .option('--yes', 'do not ask')
    .option('--json', 'as JSON');

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
  credit: examples(
    `credit --registration ${EXAMPLE_PAYMENT} --amount 12.30 --currency EUR --reason goodwill --order 4711`,
    `credit --registration ${EXAMPLE_PAYMENT} --payment ${EXAMPLE_PAYMENT} --amount 12.30 --currency EUR --reason goods_returned`,
  ),
  keys: examples(
    'keys create --name shop --role submit',
    'keys create --name alice --role operate approve',
    'keys revoke 3k9x0a7mq2bd',
  ),
  list: examples('list --stuck', 'list --status pending --json', `list --payment ${EXAMPLE_PAYMENT}`),
  approve: examples(
    `approve ${EXAMPLE_REFUND} --instruction ${EXAMPLE_PAYMENT} --by alice --reason "checked with the acquirer" --ticket PAY-12`,
  ),
  reject: examples(
    `reject ${EXAMPLE_REFUND} --instruction ${EXAMPLE_PAYMENT} --by alice --reason "paid by bank transfer"`,
  ),
  withdraw: examples(
    `withdraw ${EXAMPLE_REFUND} --by alice --reason "the customer keeps the goods" --ticket SHOP-7`,
  ),
  sync: examples(`sync ${EXAMPLE_REFUND} --by alice --reason "the customer called"`),
  link: examples(
    `link ${EXAMPLE_REFUND} --gateway-id ${EXAMPLE_PAYMENT} --by alice --reason "found in the portal" --ticket PAY-12`,
  ),
  correct: examples(
    `correct ${EXAMPLE_REFUND} --outcome succeeded --evidence "settlement of 3 November, line 17" --by alice --reason "gateway shows nothing" --ticket PAY-12`,
    `correct ${EXAMPLE_REFUND} --outcome failed --evidence "acquirer's letter of 4 November" --by alice --reason "never sent on" --yes`,
    `correct ${EXAMPLE_REFUND} --outcome case_closed --case paid_twice --evidence "40.00 came back, line 3" --by alice --reason settled`,
  ),
  'change-destination': examples(
    `change-destination ${EXAMPLE_REFUND} --registration ${EXAMPLE_PAYMENT} --by alice --reason "the card is closed" --ticket PAY-12`,
  ),
  replay: examples(
    `replay ${EXAMPLE_REFUND} --dry-run`,
    `replay ${EXAMPLE_REFUND} --by alice --reason "its run is gone"`,
    'replay --case configuration --since 10:00 --dry-run',
    'replay --case configuration --since 10:00 --by alice --reason "the token is valid again"',
    `replay ${EXAMPLE_REFUND} --restart --by alice --reason "hangs since the last release"`,
  ),
};

function seconds(text: string): number | true {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of seconds.');
  return Number(text);
}

function count(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
