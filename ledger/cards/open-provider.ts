/** Opens the key provider that the settings describe. */
import { joinProviders, type CardKeySettings, type KeyProvider } from './key-provider.js';
import { localKeys } from './local-keys.js';

/** The client of AWS KMS is loaded only if a key of it is configured. */
export async function openKeyProvider(settings: CardKeySettings): Promise<KeyProvider> {
  const providers: KeyProvider[] = [];
  const [kms, ...otherKms] = settings.kmsKeyIds;
  if (kms !== undefined) {
    const { awsKms } = await import('./aws-kms.js');
    providers.push(awsKms([kms, ...otherKms]));
  }
  const [local, ...otherLocal] = settings.localKeys;
  if (local !== undefined) providers.push(localKeys([local, ...otherLocal]));
  const [first, ...others] = providers;
  if (first === undefined) throw new Error('no key seals cards');
  return joinProviders(first, ...others);
}
