/** A sealed card, and the interface that opens it. Only the activity that submits a credit opens cards. */

/** Reasons for which the keys of a card are destroyed. */
export const CARD_ENDS = ['used', 'expired', 'registered', 'by_operator', 'key_lost'] as const;
export type CardEnd = (typeof CARD_ENDS)[number];

/** Ciphertext of one field of a card, with its wrapped data key. */
export interface SealedField {
  /** Nonce, AES-256-GCM ciphertext and tag. */
  readonly sealed: Uint8Array;
  /** Id of the key-encryption key that wrapped `wrapped`. */
  readonly kekId: string;
  readonly wrapped: Uint8Array;
}

/** A card as the ledger holds it: nothing of it opens without the key provider. */
export interface SealedCard {
  readonly cardRef: string;
  readonly formatVersion: number;
  readonly card: SealedField;
  /** Absent if the card was sealed without a CVV, or the CVV was destroyed. */
  readonly cvv: SealedField | null;
}

/** Billing and customer fields of a card, in the spelling of the API and of the gateway, whose form rules check their formats. */
export interface CardPayer {
  readonly billing?: {
    readonly street1?: string;
    readonly city?: string;
    readonly state?: string;
    readonly postcode?: string;
    readonly country?: string;
  };
  readonly customer?: {
    readonly givenName?: string;
    readonly surname?: string;
    readonly merchantCustomerId?: string;
    readonly email?: string;
    readonly phone?: string;
    readonly ip?: string;
    readonly birthDate?: string;
  };
}

/** Card data in the clear. Exists only in the handler that seals it and in the activity that submits it, never in a log, error or payload. */
export interface CardData extends CardPayer {
  readonly brand: string;
  readonly number: string;
  readonly holder: string;
  /** `01` to `12`. */
  readonly expiryMonth: string;
  /** Four digits. */
  readonly expiryYear: string;
  readonly cvv?: string;
}

/** An opened card. `reveal` makes the strings of one request; `destroy` overwrites the buffers. */
export interface OpenedCard {
  reveal(): CardData;
  destroy(): void;
}

/** Opens sealed cards with the configured key provider. */
export interface CardOpener {
  /** Throws `CardUnreadable` if key or ciphertext are wrong, and any other error if the key provider cannot be reached. */
  open(sealed: SealedCard): Promise<OpenedCard>;
}

/** Thrown when a card does not open: its key is lost or another one, or the ciphertext was changed. Holds no card data. */
export class CardUnreadable extends Error {
  override readonly name = 'CardUnreadable';
}
