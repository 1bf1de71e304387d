/** The commands `cards add`, `cvv`, `show`, `destroy`, `rewrap` and `purge`. */
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { purgeCards, purgeLostKey } from '../../ledger/cards/purge-cards.js';
import { rewrap } from '../../ledger/cards/rewrap.js';
import { openKeys, openSealer } from '../../ledger/cards/vault.js';
import { createCards, destroyCardByHand, showCard, type Card, type Cards } from '../cards.js';
import { confirm } from './confirm.js';
import { EXIT, WrongUse, type ExitCode } from './exit.js';
import { CLIENT } from './request.js';
import { run, type OutputOptions, type Session } from './session.js';

interface ByOptions extends OutputOptions {
  readonly by?: string | undefined;
  readonly yes?: true | undefined;
}

/** Field and label, in the order of the questions. */
const FIELDS = [
  ['number', 'Card number'],
  ['holder', 'Name on the card'],
  ['expiryMonth', 'Expiry month (01 to 12)'],
  ['expiryYear', 'Expiry year (four digits)'],
  ['brand', 'Brand, such as VISA (empty if the number decides it)'],
  ['cvv', 'CVV (empty for none)'],
] as const;

export function add(options: OutputOptions): Promise<ExitCode> {
  return run(options, async (session) => {
    const cards = await cardsOf(session);
    const card = await cards.add(CLIENT, await readFields(FIELDS));
    session.print(card, () => `${card.cardRef}  ${card.brand} ${card.last4}, until ${card.expiresAt}`);
    return EXIT.done;
  });
}

export function renewCvv(ref: string, options: OutputOptions): Promise<ExitCode> {
  return run(options, async (session) => {
    const cards = await cardsOf(session);
    const card = await cards.renewCvv(ref, await readFields([['cvv', 'CVV']]));
    session.print(card, () => cardText(card));
    return EXIT.done;
  });
}

export function show(ref: string, options: OutputOptions): Promise<ExitCode> {
  return run(options, async ({ database, print }) => {
    const card = await showCard(database, ref);
    print(card, () => cardText(card));
    return EXIT.done;
  });
}

export function destroy(
  ref: string,
  { by = userInfo().username, yes, ...options }: ByOptions,
): Promise<ExitCode> {
  return run(options, async ({ database, print }) => {
    const before = await showCard(database, ref);
    await confirm([`destroys the keys of ${before.brand} ${before.last4} for ever`], yes === true);
    const card = await destroyCardByHand(database, ref, by);
    print(card, () => cardText(card));
    return EXIT.done;
  });
}

/** Ends with 1 if keys are left that do not open. */
export function rewrapAll(options: OutputOptions): Promise<ExitCode> {
  return run(options, async ({ database, settings, print, note }) => {
    const provider = (await openKeys(database, settings.cards)) ?? off();
    const done = await rewrap(database, provider, ({ rewrapped, left }) => {
      note(`${rewrapped} keys wrapped again, ${left} left`);
    });
    print(done, () => `${done.rewrapped} keys wrapped with ${provider.sealingKeyId}, ${done.left} left`);
    return done.left === 0 ? EXIT.done : EXIT.failed;
  });
}

export function purge({
  lostKey,
  by = userInfo().username,
  yes,
  ...options
}: ByOptions & { readonly lostKey?: string | undefined }): Promise<ExitCode> {
  return run(options, async ({ database, print }) => {
    if (lostKey === undefined) {
      const purged = await purgeCards(database);
      print(
        purged,
        () => `destroyed: ${purged.cvvs} CVVs, ${purged.expired} expired and ${purged.used} used cards`,
      );
      return EXIT.done;
    }
    await confirm([`destroys every card that the key ${lostKey} sealed, for ever`], yes === true);
    const destroyed = await purgeLostKey(database, lostKey, by);
    print({ destroyed }, () => `destroyed: ${destroyed} cards of the lost key`);
    return EXIT.done;
  });
}

async function cardsOf({ database, settings }: Session): Promise<Cards> {
  const sealer = (await openSealer(database, settings.cards)) ?? off();
  const { graceMs, maxAgeMs } = settings.cards ?? off();
  return createCards({
    database,
    sealer,
    graceMs,
    maxAgeMs,
    isLive: [...settings.hosts.values()].includes('live'),
  });
}

function off(): never {
  throw new WrongUse([
    {
      field: 'REFUNDS_CARDS_KEYS_FILE',
      code: 'missing',
      message:
        'or REFUNDS_CARDS_KMS_KEY_ID is missing, with REFUNDS_CARDS_FINGERPRINT_KEY_FILE: no key seals cards',
    },
  ]);
}

/** Asks for the fields without showing them, or reads them as JSON if standard input is no terminal. */
async function readFields(fields: readonly (readonly [name: string, label: string])[]): Promise<unknown> {
  if (!process.stdin.isTTY) {
    try {
      const read: unknown = JSON.parse(await readAll(process.stdin));
      return read;
    } catch {
      // The parser's own message repeats a part of the text.
      throw new WrongUse([{ field: '(standard input)', code: 'invalid', message: 'must be a JSON object' }]);
    }
  }
  const silent = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true, historySize: 0 });
  try {
    const answers: [string, string][] = [];
    for (const [name, label] of fields) {
      process.stderr.write(`${label}: `);
      const answer = (await terminal.question('')).trim();
      process.stderr.write('\n');
      answers.push([name, name === 'number' ? answer.replaceAll(/[ -]/g, '') : answer]);
    }
    return Object.fromEntries(answers.filter(([, answer]) => answer !== ''));
  } finally {
    terminal.close();
  }
}

function cardText({ cardRef, brand, last4, cvv, expiresAt, destroyed, refunds }: Card): string {
  return [
    `${cardRef}  ${brand} ${last4}`,
    `CVV: ${cvv}`,
    destroyed === null
      ? `until ${expiresAt}`
      : `destroyed ${destroyed.at} by ${destroyed.by}: ${destroyed.why}`,
    ...refunds.map(({ id, state }) => `refund ${id}: ${state}`),
  ].join('\n');
}
