/** Keys of cards for tests, in files of their own, as processes read them. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../domain/secret.js';
import type { LocalKey } from '../../ledger/cards/key-provider.js';

/** Returns a new key with this id. */
export const newKey = (id: string): LocalKey => ({ id, key: new Secret(randomBytes(32)) });

export interface CardKeyFiles {
  readonly key: LocalKey;
  readonly fingerprintKey: Secret<Buffer>;
  readonly env: NodeJS.ProcessEnv;
  /** Both keys in base64, to look for in places where they must not be. */
  readonly texts: readonly string[];
  remove(): Promise<void>;
}

export async function cardKeyFiles(key: LocalKey = newKey('test')): Promise<CardKeyFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'card-keys-'));
  const fingerprintKey = new Secret(randomBytes(32));
  const [keys, fingerprint] = [join(folder, 'keys'), join(folder, 'fingerprint')];
  const texts = [key.key, fingerprintKey].map((secret) => secret.reveal().toString('base64'));
  await writeFile(keys, `${key.id}:${texts[0] ?? ''}\n`, { mode: 0o600 });
  await writeFile(fingerprint, `${texts[1] ?? ''}\n`, { mode: 0o600 });
  return {
    key,
    fingerprintKey,
    env: { REFUNDS_CARDS_KEYS_FILE: keys, REFUNDS_CARDS_FINGERPRINT_KEY_FILE: fingerprint },
    texts,
    remove: () => rm(folder, { recursive: true }),
  };
}
