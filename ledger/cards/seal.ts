/** Seals and opens cards: a fresh AES-256-GCM key for each card and another one for its CVV, wrapped by the key provider. */
import { createHmac, randomBytes } from 'node:crypto';
import {
  CardUnreadable,
  type CardData,
  type CardOpener,
  type OpenedCard,
  type SealedCard,
  type SealedField,
} from '../../domain/card/sealed-card.js';
import type { Secret } from '../../domain/secret.js';
import { decrypt, encrypt, KEY_BYTES } from './aes.js';
import { boundTo, type KeyContext, type KeyProvider } from './key-provider.js';

/** Version of the sealed form, bound to each ciphertext. */
export const FORMAT_VERSION = 1;

/** A sealed card with the columns that people see of it. */
export interface NewCard {
  readonly cardRef: string;
  readonly brand: string;
  readonly last4: string;
  readonly initials: string;
  /** HMAC of the number, in hex. */
  readonly fingerprint: string;
  readonly formatVersion: number;
  readonly card: SealedField;
  readonly cvv: SealedField | null;
}

/** Seals cards. It cannot open any. */
export interface CardSealer {
  seal(cardRef: string, card: CardData): Promise<NewCard>;
  /** Seals a new CVV for a card that was sealed before. */
  sealCvv(cardRef: string, formatVersion: number, cvv: string): Promise<SealedField>;
}

export function sealerOf(
  provider: Pick<KeyProvider, 'wrap'>,
  fingerprintKey: Secret<Uint8Array>,
): CardSealer {
  const sealField = async (text: string, context: KeyContext): Promise<SealedField> => {
    const dataKey = randomBytes(KEY_BYTES);
    const clear = Buffer.from(text, 'utf8');
    try {
      const sealed = encrypt(dataKey, clear, boundTo(context));
      return { sealed, ...(await provider.wrap(dataKey, context)) };
    } finally {
      clear.fill(0);
      dataKey.fill(0);
    }
  };
  const sealCvv: CardSealer['sealCvv'] = (cardRef, formatVersion, cvv) =>
    sealField(cvv, { cardRef, field: 'cvv', formatVersion });
  return {
    sealCvv,
    async seal(cardRef, { cvv, ...card }) {
      const context = { cardRef, formatVersion: FORMAT_VERSION };
      return {
        cardRef,
        brand: card.brand,
        last4: card.number.slice(-4),
        initials: initialsOf(card.holder),
        fingerprint: fingerprintOf(fingerprintKey, card.number),
        formatVersion: FORMAT_VERSION,
        card: await sealField(JSON.stringify(card), { ...context, field: 'card' }),
        cvv: cvv === undefined ? null : await sealCvv(cardRef, FORMAT_VERSION, cvv),
      };
    },
  };
}

export function openerOf(provider: Pick<KeyProvider, 'unwrap'>): CardOpener {
  const openField = async (field: SealedField, context: KeyContext): Promise<Buffer> => {
    const dataKey = await provider.unwrap(field, context);
    try {
      const clear = decrypt(dataKey, field.sealed, boundTo(context));
      if (clear === undefined)
        throw new CardUnreadable(`card ${context.cardRef} does not open: its row was changed`);
      return clear;
    } finally {
      dataKey.fill(0);
    }
  };
  return {
    async open({ cardRef, formatVersion, card, cvv }: SealedCard) {
      const clear = await openField(card, { cardRef, formatVersion, field: 'card' });
      try {
        const code =
          cvv === null ? undefined : await openField(cvv, { cardRef, formatVersion, field: 'cvv' });
        return openedCard(clear, code);
      } catch (error) {
        clear.fill(0);
        throw error;
      }
    },
  };
}

function openedCard(clear: Buffer, code: Buffer | undefined): OpenedCard {
  let isDestroyed = false;
  return {
    reveal() {
      if (isDestroyed) throw new Error('the card was destroyed');
      const card: unknown = JSON.parse(clear.toString('utf8'));
      if (!isCardData(card)) throw new CardUnreadable('the card was sealed in another form');
      return code === undefined ? card : { ...card, cvv: code.toString('utf8') };
    },
    destroy() {
      isDestroyed = true;
      clear.fill(0);
      code?.fill(0);
    },
  };
}

/** The tag proves that `seal` wrote the text, so only its form is checked, not each field. */
const isCardData = (card: unknown): card is CardData =>
  typeof card === 'object' && card !== null && 'number' in card && 'holder' in card && 'brand' in card;

/** Returns a value that is equal for equal numbers and cannot be found out without the key. */
export const fingerprintOf = (key: Secret<Uint8Array>, number: string): string =>
  createHmac('sha256', key.reveal()).update(`oppwa-refunds card number ${number}`).digest('hex');

/** Returns the first letters of the first and the last part of a name. */
export function initialsOf(holder: string): string {
  const letters = holder
    .split(/[\s.,'’-]+/u)
    .flatMap((part) => /\p{L}/u.exec(part.normalize('NFC'))?.[0].toUpperCase() ?? []);
  const [first = '', ...others] = letters;
  return `${first}${others.at(-1) ?? ''}`;
}
