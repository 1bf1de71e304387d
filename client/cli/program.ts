/** The commands of the command line with their options and help. A command's code is loaded when it runs, so that help appears at once. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { shownMessage } from '../../domain/card/shown-text.js';
import { DECLARED_TYPES } from '../../domain/payment/declared-payment.js';
import { ROLES } from '../../domain/principal.js';
import { CORRECTION_OUTCOMES } from '../../domain/refund/correction.js';
import { REFUND_STATES } from '../../domain/refund/states.js';
import type { ExitCode } from './exit.js';
import { addCardCommands } from './cards-commands.js';
import { addMaintenanceCommands } from './maintenance-commands.js';

const ID = 'the id of the refund';
const STATUSES = ['pending', 'succeeded', 'failed', 'canceled', 'review'] as const;

/** `finish` is given the exit code of the command that ran. */
export function createProgram(finish: (code: ExitCode) => void): Command {
  const program = new Command('oppwa-refunds')
    .description('Refunds through the OPPWA gateway: request them, watch them, operate them.')
    .addHelpText('after', HELP.program)
    // Inherited by every command: wrong use ends with exit code 2.
    .exitOverride()
    .showHelpAfterError('(--help shows how)')
    // Wrong values are repeated, but not a card number in the wrong place.
    .configureOutput({
      outputError: (text, write) => {
        write(`${shownMessage(text.trimEnd())}\n`);
      },
    });

  asking(program.command('request'))
    .description('request a refund; the same key is the same refund, however often it is requested')
    .option('--payment <id>', 'the debit, authorization or capture, 32 hex (needed)')
    .option('--registration <id>', 'the destination of a credit, instead of the registration of the payment')
    .option('--card <ref>', 'a sealed card as the destination of a credit; an operator has to approve it')
    .addOption(
      new Option(
        '--payment-type <type>',
        'the type of the captured payment, so that the gateway is not queried first',
      ).choices(Object.keys(DECLARED_TYPES)),
    )
    .option('--payment-amount <amount>', 'the captured amount, in --currency')
    .option('--payment-registration <id>', 'the registration that paid')
    .addHelpText('after', HELP.request)
    .action(async (options) => {
      finish(await (await import('./request.js')).request('refund', options));
    });

  asking(program.command('credit'))
    .description('request a standalone credit, for money that no refund can pay back')
    .option('--registration <id>', 'the destination, 32 hex (this or --card is needed)')
    .option('--card <ref>', 'a sealed card as the destination; another operator has to approve the credit')
    .option(
      '--payment <id>',
      'the payment that it counts against; without it another operator always has to approve',
    )
    .addHelpText('after', HELP.credit)
    .action(async (options) => {
      finish(await (await import('./request.js')).request('credit', options));
    });

  program
    .command('show')
    .description('one refund: attempts, ids, decisions of operators, timeline')
    .argument('<id>', ID)
    .option('--wide', 'show all columns and whole ids, in lines longer than the terminal')
    .option('--json', 'as JSON')
    .action(async (id, options) => {
      finish(await (await import('./show.js')).show(id, options));
    });

  program
    .command('list')
    .description('refunds, newest first')
    .option('--payment <id>', 'only refunds of this payment or capture')
    .addOption(new Option('--state <state>', 'only refunds in this state').choices(REFUND_STATES))
    .addOption(new Option('--status <status>', 'only refunds with this status').choices(STATUSES))
    .option('--stuck', 'the queue: refunds that wait for an operator, oldest first, each with its next step')
    .option('--limit <number>', 'the largest number of refunds; default 100', count)
    .option('--wide', 'show all columns and whole ids, in lines longer than the terminal')
    .option('--json', 'a list as JSON')
    .addHelpText('after', HELP.list)
    .action(async (options) => {
      finish(await (await import('./read.js')).list(options));
    });

  program
    .command('watch')
    .description('a line for each change, until the refund is final or needs an operator')
    .argument('<id>', ID)
    .option('--json', 'each line is the whole refund as JSON')
    .action(async (id, options) => {
      finish(await (await import('./read.js')).watch(id, options));
    });

  for (const verb of ['approve', 'reject'] as const)
    program
      .command(verb)
      .description(
        verb === 'approve'
          ? 'approve the credit or the correction that waits for another operator'
          : 'reject the credit (the refund ends unpaid) or the correction that waits for another operator',
      )
      .argument('<id>', ID)
      .option(
        '--instruction <id>',
        'the id of the credit or correction, as shown (needed); without it the one that waits is printed',
      )
      .option('--by <name>', 'the operator who decides; not the requester (needed)')
      .option('--reason <text>', 'the reason (needed)')
      .option('--ticket <id>', 'the ticket')
      .option('--yes', 'do not ask for confirmation')
      .option('--json', 'the refund as JSON')
      .addHelpText('after', HELP[verb])
      .action(async (id, options) => {
        finish(await (await import('./decide.js')).decide(verb, id, options));
      });

  note(program.command('withdraw'), 'withdraws it')
    .description('end a refund of which no money has left and none may have left')
    .addHelpText('after', HELP.withdraw)
    .action(async (id, options) => {
      finish(await (await import('./decide.js')).withdraw(id, options));
    });

  program
    .command('sync')
    .description('query the gateway for the outcome now; sends nothing')
    .argument('<id>', ID)
    .option('--by <name>', 'the operator; recorded with the reason where both are given')
    .option('--reason <text>', 'the reason')
    .option('--ticket <id>', 'the ticket')
    .option('--json', 'the refund as JSON')
    .addHelpText('after', HELP.sync)
    .action(async (id, options) => {
      finish(await (await import('./decide.js')).sync(id, options));
    });

  note(program.command('link'), 'links it')
    .description('link a gateway transaction to an attempt of this refund')
    .option('--gateway-id <id>', 'the transaction, 32 hex (needed)')
    .addHelpText('after', HELP.link)
    .action(async (id, options) => {
      finish(await (await import('./evidence.js')).link(id, options));
    });

  note(program.command('correct'), 'signs it')
    .description('record the outcome of an attempt that the gateway cannot show; another operator confirms')
    .addOption(new Option('--outcome <outcome>', 'the outcome (needed)').choices(CORRECTION_OUTCOMES))
    .option('--evidence <text>', 'the proof: letter, settlement line, ARN; no card numbers (needed)')
    .option('--reference <id>', 'the merchantTransactionId of the attempt; default: the open one')
    .option('--case <reason>', 'the case to close; default: all that only an operator closes')
    .addHelpText('after', HELP.correct)
    .action(async (id, options) => {
      finish(await (await import('./evidence.js')).correct(id, options));
    });

  note(program.command('change-destination'), 'changes it')
    .description('change the destination of the credit of a refund that waits for an operator')
    .option('--registration <id>', 'the new destination, 32 hex (this or --card is needed)')
    .option('--card <ref>', 'a sealed card as the new destination')
    .addHelpText('after', HELP['change-destination'])
    .action(async (id, options) => {
      finish(await (await import('./evidence.js')).changeDestination(id, options));
    });

  orders(program.command('replay').argument('[id]', `${ID}; without it, --case`), 'orders it')
    .description(
      'let one refund, or all in review for one reason, continue after the cause is fixed; nothing is sent twice',
    )
    .option('--case <reason>', 'every refund that is in review for this reason, instead of one')
    .option('--since <time>', 'with --case: only cases opened since then, as 10:00 or a date')
    .option('--dry-run', 'explain what would be done, with counts and sums; changes nothing')
    .option('--wide', 'show all columns and whole ids, in lines longer than the terminal')
    .option('--restart', 'terminate the run that is alive, and start the next')
    .addHelpText('after', HELP.replay)
    .action(async (id, options) => {
      finish(await (await import('./replay.js')).replay(id, options));
    });

  addMaintenanceCommands(program, { finish, count, examples });
  addCardCommands(program, { finish, examples });
  const keys = program.command('keys').description('API keys').exitOverride().addHelpText('after', HELP.keys);
  keys
    .command('create')
    .description('create a key; its text is printed once and stored nowhere')
    .option('--name <text>', 'the owner; refunds, idempotency keys and decisions carry this name (needed)')
    .addOption(new Option('--role <role...>', 'its roles; every role may read (needed)').choices(ROLES))
    .option('--json', 'as JSON, the text as `key`')
    .action(async (options) => {
      finish(await (await import('./keys.js')).create(options));
    });
  keys
    .command('revoke')
    .description('revoke a key for ever, from the next request on')
    .argument('<id>', 'the part of the key between its first two underscores')
    .option('--json', 'the key as JSON, without its text')
    .action(async (id, options) => {
      finish(await (await import('./keys.js')).revoke(id, options));
    });
  keys
    .command('list')
    .description('every key, without its text')
    .option('--wide', 'show all columns and whole ids, in lines longer than the terminal')
    .option('--json', 'as JSON')
    .action(async (options) => {
      finish(await (await import('./keys.js')).list(options));
    });

  return program;
}

/** Adds the options of `request` and `credit`. */
const asking = (command: Command) =>
  command
    .option('--amount <decimal>', "with the currency's own decimals: 12.30 (needed)")
    .option('--currency <code>', 'of the payment: EUR (needed)')
    .option('--reason <text>', 'the reason, for example goods_returned (needed)')
    .option('--order <id>', 'the order id of the shop')
    .option('--entity <id>', 'the entity; default: the first one of the settings')
    .option('--key <text>', 'the idempotency key; default: a new one, which is printed')
    .option('--requested-by <name>', 'the requester, who cannot approve; default: the user of this machine')
    .option('--wait [seconds]', 'wait until the refund is final or needs an operator', seconds)
    .option('--yes', 'do not ask for confirmation')
    .option('--json', 'the refund as JSON');

/** Adds the id of a refund and the options of an operator's note. */
const note = (command: Command, who: string) => orders(command.argument('<id>', ID), who);

const orders = <Args extends unknown[]>(command: Command<Args>, who: string) =>
  command
    .option('--by <name>', `the operator who ${who} (needed)`)
    .option('--reason <text>', 'the reason (needed)')
    .option('--ticket <id>', 'the ticket')
    .option('--yes', 'do not ask for confirmation')
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

Exit codes: 0 done, 1 failed, 2 wrong use, 3 an operator is needed.
Settings come from the environment; without any, from the sandbox that runs in this folder.

On a terminal, tables fit its width; --wide shows all columns and whole ids. Into a pipe each row is one line with all
of it; COLUMNS sets a width there. NO_COLOR turns colors off.`,
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
