/** Opens the keys of cards for one process: for the API a sealer, for the worker an opener. */
import type { CardOpener } from '../../domain/card/sealed-card.js';
import type { Secret } from '../../domain/secret.js';
import type { Database } from '../db/database.js';
import { checkKeys } from './key-checks.js';
import type { CardKeySettings, KeyProvider } from './key-provider.js';
import { openKeyProvider } from './open-provider.js';
import { openerOf, sealerOf, type CardSealer } from './seal.js';

export interface VaultSettings {
  readonly keys: CardKeySettings;
  readonly fingerprintKey: Secret<Uint8Array>;
}

export interface Vault {
  readonly provider: KeyProvider;
  readonly sealer: CardSealer;
  readonly opener: CardOpener;
}

/** Throws `CardKeysWrong` if the keys are not those that sealed the cards. Undefined without settings: cards are off. */
async function openVault(
  database: Database,
  settings: VaultSettings | undefined,
): Promise<Vault | undefined> {
  if (settings === undefined) {
    await checkKeys(database, undefined);
    return undefined;
  }
  const { fingerprintKey } = settings;
  const provider = await openKeyProvider(settings.keys);
  await checkKeys(database, { provider, fingerprintKey });
  return { provider, sealer: sealerOf(provider, fingerprintKey), opener: openerOf(provider) };
}

/** For the API: seals cards, and cannot open any. */
export const openSealer = async (
  database: Database,
  settings: VaultSettings | undefined,
): Promise<CardSealer | undefined> => (await openVault(database, settings))?.sealer;

/** For the worker: opens cards. */
export const openOpener = async (
  database: Database,
  settings: VaultSettings | undefined,
): Promise<CardOpener | undefined> => (await openVault(database, settings))?.opener;

/** For the command line, which wraps keys again. */
export const openKeys = async (
  database: Database,
  settings: VaultSettings | undefined,
): Promise<KeyProvider | undefined> => (await openVault(database, settings))?.provider;
