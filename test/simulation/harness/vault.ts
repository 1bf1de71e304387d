/** Sealed cards of a simulated run: seals them for clients and operators, and opens them for activities with a key provider that may be away. */
import type { CardOpener, SealedCard } from '../../../domain/card/sealed-card.js';
import { Secret } from '../../../domain/secret.js';
import { insertCard, lockCard, readSealedCard, storeCvv } from '../../../ledger/cards/cards.js';
import { localKeys } from '../../../ledger/cards/local-keys.js';
import { openerOf, sealerOf, type CardSealer } from '../../../ledger/cards/seal.js';
import { v7 as uuid } from '../fake-uuid.js';
import type { ActivityContext } from './process.js';
import type { Harness } from './harness.js';

const DAY = 86_400_000;
const LIFE = { maxAgeMs: 90 * DAY, graceMs: 7 * DAY };
const KEY_BYTES = 32;
const PROVIDER = localKeys([{ id: 'simulated', key: new Secret(Buffer.alloc(KEY_BYTES, 7)) }]);
const FINGERPRINT_KEY = new Secret(Buffer.alloc(KEY_BYTES, 9));

/** Seals and opens cards. A mutant may replace either. */
export interface Cards {
  readonly sealer: CardSealer;
  readonly opener: CardOpener;
}

/** A card that was submitted to the gateway. */
export interface SubmittedCard {
  readonly reference: string;
  readonly number: string;
  readonly cvv: string | undefined;
}

export class Vault {
  readonly #harness: Harness;
  readonly #cards: Cards;
  /** Numbers by card, as they were sealed. */
  readonly numbers = new Map<string, string>();
  /** Every request to the gateway that carried a card. */
  readonly submitted: (SubmittedCard & { readonly hasKey: boolean })[] = [];
  /** Names of those that opened a card and are no activity. */
  readonly openedOutside: string[] = [];
  /** Virtual time until which the key provider cannot be reached. */
  unavailableUntil = 0;

  constructor(harness: Harness, replace: (cards: Cards) => Cards = (cards) => cards) {
    this.#harness = harness;
    this.#cards = replace({ sealer: sealerOf(PROVIDER, FINGERPRINT_KEY), opener: openerOf(PROVIDER) });
  }

  /** Seals a card as the API does for the client. Returns its reference. */
  async seal(withCvv: boolean): Promise<string> {
    const { random, database } = this.#harness;
    const cardRef = uuid();
    const number = luhn(`420000${random.between(100_000_000, 999_999_999)}`);
    const card = await this.#cards.sealer.seal(cardRef, {
      ...{ brand: 'VISA', number, holder: 'Jane Jones', expiryMonth: '12', expiryYear: '2030' },
      ...(withCvv ? { cvv: this.#newCvv() } : {}),
    });
    this.numbers.set(cardRef, number);
    await database.transaction((tx) => insertCard(tx, card, 'shop', LIFE));
    return cardRef;
  }

  /** Stores a new CVV, as the API does for an operator. */
  async giveCvv(cardRef: string): Promise<void> {
    const { database } = this.#harness;
    await database.transaction(async (tx) => {
      const card = await lockCard(tx, cardRef, 'update');
      if (card === undefined || card.destroyed_at !== null) return;
      await storeCvv(
        tx,
        cardRef,
        await this.#cards.sealer.sealCvv(cardRef, card.format_version, this.#newCvv()),
      );
    });
  }

  /** Returns the sealed card, for an observer. */
  sealedNow(cardRef: string): Promise<SealedCard | undefined> {
    return this.#harness.database.transaction(async (tx) => {
      const found = await readSealedCard(tx, cardRef);
      return found.kind === 'sealed' ? found.sealed : undefined;
    });
  }

  /** Returns the opener of one activity. */
  openerFor({ process, task }: ActivityContext): CardOpener {
    return {
      open: async (sealed) => {
        const { scheduler, random } = this.#harness;
        if (task === undefined) this.openedOutside.push(process.name);
        await process.pause(random.between(1, 30));
        if (scheduler.now < this.unavailableUntil) throw new Error('the key provider cannot be reached');
        return this.#cards.opener.open(sealed);
      },
    };
  }

  /** Records a request that reached the gateway. The key of its CVV must be destroyed by then. */
  arrived(card: SubmittedCard): void {
    const {
      attempts,
      card_registrations: registrations,
      card_keys: keys,
    } = this.#harness.database.tables.rows;
    const row = [...attempts, ...registrations].find((found) => found['reference'] === card.reference);
    const hasKey = keys.some((key) => key['card_id'] === row?.['card_id'] && key['field'] === 'cvv');
    this.submitted.push({ ...card, hasKey });
  }

  #cvvs = 0;

  /** Four digits, each once in a run, so that a CVV that is submitted twice shows. */
  #newCvv(): string {
    this.#cvvs += 1;
    return String(1_000 + this.#cvvs);
  }
}

/** Appends the check digit of ISO/IEC 7812. */
function luhn(digits: string): string {
  const sum = Array.from(digits)
    .toReversed()
    .map((digit, index) => Number(digit) * (index % 2 === 0 ? 2 : 1))
    .reduce((total, worth) => total + (worth > 9 ? worth - 9 : worth), 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}
