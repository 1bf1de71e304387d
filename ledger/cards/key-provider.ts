/** Key providers: they wrap the data keys of cards with key-encryption keys, which the database never holds. */
import { CardUnreadable } from '../../domain/card/sealed-card.js';
import type { Secret } from '../../domain/secret.js';

export type CardField = 'card' | 'cvv';

/** Names the place of a wrapped key. It is bound to the ciphertext: a key opens in its own place only. It is not secret. */
export interface KeyContext {
  readonly cardRef: string;
  readonly field: CardField;
  readonly formatVersion: number;
}

export interface WrappedKey {
  readonly kekId: string;
  readonly wrapped: Uint8Array;
}

/** Wraps with the first key, unwraps with all of them. Keys have ids, so that one can replace another. */
export interface KeyProvider {
  /** Id of the key that wraps. */
  readonly sealingKeyId: string;
  /** Ids of all keys that unwrap, the wrapping one included. */
  readonly keyIds: readonly string[];
  /** Returns a value that shows whether a key is still the same one; undefined if the provider's own ids show it. */
  checkValue(kekId: string): Uint8Array | undefined;
  wrap(dataKey: Uint8Array, context: KeyContext): Promise<WrappedKey>;
  /** Throws `CardUnreadable` if the key is missing or another one, or the text was changed. Any other error: the provider cannot be reached. */
  unwrap(key: WrappedKey, context: KeyContext): Promise<Buffer>;
}

/** A key-encryption key of the settings. */
export interface LocalKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Secret<Buffer>;
}

/** Keys of the settings, at least one. Keys of a KMS seal before those of a file. */
export interface CardKeySettings {
  /** Ids or ARNs of keys in AWS KMS; the first seals. */
  readonly kmsKeyIds: readonly string[];
  /** Keys from a file; the first seals if there is no KMS key. */
  readonly localKeys: readonly LocalKey[];
}

/** Returns the text that is bound to a ciphertext of a card: to its card, field and version. */
export const boundTo = ({ cardRef, field, formatVersion }: KeyContext): Buffer =>
  Buffer.from(JSON.stringify(['oppwa-refunds card', cardRef, field, formatVersion]), 'utf8');

/** Joins providers: the first one wraps, each one unwraps what its keys wrapped. */
export function joinProviders(first: KeyProvider, ...others: readonly KeyProvider[]): KeyProvider {
  const all = [first, ...others];
  const of = (kekId: string): KeyProvider | undefined => all.find(({ keyIds }) => keyIds.includes(kekId));
  return {
    sealingKeyId: first.sealingKeyId,
    keyIds: all.flatMap(({ keyIds }) => keyIds),
    checkValue: (kekId) => of(kekId)?.checkValue(kekId),
    wrap: (dataKey, context) => first.wrap(dataKey, context),
    async unwrap(key, context) {
      const provider = of(key.kekId);
      if (provider === undefined) throw missingKey(key.kekId);
      return provider.unwrap(key, context);
    },
  };
}

/** Returns the error for a key that no provider has. */
export const missingKey = (kekId: string): CardUnreadable =>
  new CardUnreadable(`the key-encryption key ${kekId} is not configured`);
