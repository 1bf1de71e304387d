/** Opens the key provider that the settings describe. */
import { joinProviders, type CardKeySettings, type KeyProvider } from './key-provider.js';
import { localKeys } from './local-keys.js';

export async function openKeyProvider(settings: CardKeySettings): Promise<KeyProvider> {
  const providers: KeyProvider[] = [];
  if (settings.kmsKeyIds.length > 0) throw new Error('keys in AWS KMS are not supported yet');
  const [local, ...otherLocal] = settings.localKeys;
  if (local !== undefined) providers.push(localKeys([local, ...otherLocal]));
  const [first, ...others] = providers;
  if (first === undefined) throw new Error('no key seals cards');
  return joinProviders(first, ...others);
}
