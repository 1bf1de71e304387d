/** The sandbox's keys of cards. They are created once for a data folder, so that sealed cards open after a restart. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const NAMES = ['REFUNDS_CARDS_KEYS_FILE', 'REFUNDS_CARDS_FINGERPRINT_KEY_FILE'] as const;

/** Returns the variables that name the key files; none if the environment sets keys of its own. */
export async function sandboxCardKeys(
  env: NodeJS.ProcessEnv,
  dataDir: string,
): Promise<Partial<Record<(typeof NAMES)[number], string>>> {
  if ([...NAMES, 'REFUNDS_CARDS_KMS_KEY_ID'].some((name) => (env[name] ?? '') !== '')) return {};
  const [keys, fingerprint] = [join(dataDir, 'card-keys'), join(dataDir, 'card-fingerprint-key')];
  await createOnce(keys, newKeyLine());
  await createOnce(fingerprint, `${randomBytes(32).toString('base64')}\n`);
  return {
    REFUNDS_CARDS_KEYS_FILE: resolve(keys),
    REFUNDS_CARDS_FINGERPRINT_KEY_FILE: resolve(fingerprint),
  };
}

/** Returns a line of a key file, with a fresh key. */
export const newKeyLine = (): string => `sandbox:${randomBytes(32).toString('base64')}\n`;

/** Writes a file that only this user reads, unless it is there already. */
export async function createOnce(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
}
