/** The options and help of `cards`. */
import type { Command } from '@commander-js/extra-typings';
import { looksLikeCard } from '../../domain/card/card-number.js';
import type { ExitCode } from './exit.js';

interface Grammar {
  readonly finish: (code: ExitCode) => void;
  readonly examples: (...lines: readonly string[]) => string;
}

const REF = 'the reference of the card';

/** Returns what is wrong if arguments hold card data: other processes and the shell's history see arguments. Repeats none of them. */
export function cardInArguments([command, ...others]: readonly string[]): string | undefined {
  if (command !== 'cards') return undefined;
  const isCard = (argument: string): boolean =>
    looksLikeCard(argument) || /^--?(?:number|pan|card|cvv|cvc|holder|expiry)/i.test(argument);
  return others.some(isCard)
    ? 'card data must not be an argument: the shell keeps arguments in its history, and other processes see them. `cards add` asks for the fields without showing them, or reads JSON from standard input. Consider this card as exposed.'
    : undefined;
}

export function addCardCommands(program: Command, { finish, examples }: Grammar): void {
  const cards = program
    .command('cards')
    .description('sealed cards: destinations of credits')
    .exitOverride()
    .addHelpText(
      'after',
      examples(
        'cards add',
        'cards add --json < card.json',
        'cards rewrap',
        'cards purge --lost-key k1 --yes',
      ),
    );
  cards
    .command('add')
    .description('seal a card: asks for its fields without showing them, or reads JSON from standard input')
    .option('--json', 'the reference, brand, last four digits and end as JSON')
    .action(async (options) => {
      finish(await (await import('./cards.js')).add(options));
    });
  cards
    .command('cvv')
    .description('give a card a new CVV, after the one before was used; asks for it without showing it')
    .argument('<ref>', REF)
    .option('--json', 'the card as JSON')
    .action(async (ref, options) => {
      finish(await (await import('./cards.js')).renewCvv(ref, options));
    });
  cards
    .command('show')
    .description('a card: brand, last four digits, its end, and the refunds that name it')
    .argument('<ref>', REF)
    .option('--json', 'as JSON')
    .action(async (ref, options) => {
      finish(await (await import('./cards.js')).show(ref, options));
    });
  cards
    .command('destroy')
    .description('destroy the keys of a card; refused while a refund with it is not final')
    .argument('<ref>', REF)
    .option('--by <name>', 'the operator; default: the user of this machine')
    .option('--yes', 'do not ask for confirmation')
    .option('--json', 'the card as JSON')
    .action(async (ref, options) => {
      finish(await (await import('./cards.js')).destroy(ref, options));
    });
  cards
    .command('rewrap')
    .description(
      'wrap the keys of all cards with the first key of the settings; can be interrupted and run again',
    )
    .option('--json', 'the counts as JSON')
    .action(async (options) => {
      finish(await (await import('./cards.js')).rewrapAll(options));
    });
  cards
    .command('purge')
    .description('destroy the keys of cards whose time is over; the schedule does this every hour')
    .option('--lost-key <id>', 'instead: destroy the cards that this lost key sealed')
    .option('--by <name>', 'the operator; default: the user of this machine')
    .option('--yes', 'do not ask for confirmation')
    .option('--json', 'the counts as JSON')
    .action(async (options) => {
      finish(await (await import('./cards.js')).purge(options));
    });
}
