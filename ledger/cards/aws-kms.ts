/** Key provider with keys in AWS KMS. Loaded only where a key of it is configured; region, endpoint and identity are read the AWS way. */
import { DecryptCommand, EncryptCommand, KMSClient, KMSServiceException } from '@aws-sdk/client-kms';
import { CardUnreadable } from '../../domain/card/sealed-card.js';
import { missingKey, type KeyContext, type KeyProvider } from './key-provider.js';

/** Errors that mean the key is gone, another one, or the wrapped key was changed: trying again changes nothing. */
const UNREADABLE: ReadonlySet<string> = new Set([
  'InvalidCiphertextException',
  'IncorrectKeyException',
  'NotFoundException',
  'DisabledException',
  'KMSInvalidStateException',
]);

/** Milliseconds for one request; the SDK tries three times. */
const REQUEST_TIMEOUT = 5_000;

/** Not secret: AWS shows the encryption context in its own logs. */
const contextOf = ({ cardRef, field, formatVersion }: KeyContext): Record<string, string> => ({
  purpose: 'oppwa-refunds card',
  cardRef,
  field,
  version: String(formatVersion),
});

/** The first key wraps. A process that only seals needs `kms:Encrypt` alone. */
export function awsKms(keyIds: readonly [string, ...string[]]): KeyProvider {
  const client = new KMSClient({
    requestHandler: { requestTimeout: REQUEST_TIMEOUT, connectionTimeout: REQUEST_TIMEOUT },
  });
  const [sealingKeyId] = keyIds;
  return {
    sealingKeyId,
    keyIds,
    checkValue: () => undefined,
    async wrap(dataKey, context) {
      const answer = await client.send(
        new EncryptCommand({
          KeyId: sealingKeyId,
          Plaintext: dataKey,
          EncryptionContext: contextOf(context),
        }),
      );
      if (answer.CiphertextBlob === undefined) throw new Error('AWS KMS answered without a ciphertext');
      return { kekId: sealingKeyId, wrapped: answer.CiphertextBlob };
    },
    async unwrap({ kekId, wrapped }, context) {
      if (!keyIds.includes(kekId)) throw missingKey(kekId);
      const command = new DecryptCommand({
        KeyId: kekId,
        CiphertextBlob: wrapped,
        EncryptionContext: contextOf(context),
      });
      const { Plaintext: plaintext } = await client.send(command).catch((error: unknown) => {
        if (error instanceof KMSServiceException && UNREADABLE.has(error.name))
          throw new CardUnreadable(`AWS KMS does not decrypt with the key ${kekId}: ${error.name}`);
        throw error;
      });
      if (plaintext === undefined) throw new Error('AWS KMS answered without a plaintext');
      const dataKey = Buffer.from(plaintext);
      plaintext.fill(0);
      return dataKey;
    },
  };
}
