/** Key provider with keys from a file of the settings. */
import { createHmac } from 'node:crypto';
import { CardUnreadable } from '../../domain/card/sealed-card.js';
import { decrypt, encrypt } from './aes.js';
import { boundTo, missingKey, type KeyProvider, type LocalKey } from './key-provider.js';

/** Bytes of a check value: enough to tell two keys apart. */
const CHECK_BYTES = 8;

/** The first key wraps. */
export function localKeys(keys: readonly [LocalKey, ...LocalKey[]]): KeyProvider {
  const byId = new Map(keys.map(({ id, key }) => [id, key]));
  const [sealing] = keys;
  return {
    sealingKeyId: sealing.id,
    keyIds: keys.map(({ id }) => id),
    checkValue(kekId) {
      const key = byId.get(kekId);
      return key === undefined ? undefined : checkValueOf(key.reveal());
    },
    wrap: async (dataKey, context) => ({
      kekId: sealing.id,
      wrapped: encrypt(sealing.key.reveal(), dataKey, boundTo(context)),
    }),
    async unwrap({ kekId, wrapped }, context) {
      const key = byId.get(kekId);
      if (key === undefined) throw missingKey(kekId);
      const dataKey = decrypt(key.reveal(), wrapped, boundTo(context));
      if (dataKey === undefined)
        throw new CardUnreadable(
          `the data key does not open with the key-encryption key ${kekId}: the key is another one, or the row was changed`,
        );
      return dataKey;
    },
  };
}

/** Returns a value that is equal for equal keys and tells nothing else about them. */
export const checkValueOf = (key: Uint8Array): Buffer =>
  createHmac('sha256', key).update('oppwa-refunds key check').digest().subarray(0, CHECK_BYTES);
