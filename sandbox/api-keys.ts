/** The sandbox's three API keys. They are created once for a data folder, so that scripts and browsers can go on using them after a restart. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createApiKey, verifyApiKey } from '../ledger/access/api-keys.js';
import { openDatabase, type Database } from '../ledger/db/database.js';

const texts = z.object({ submit: z.string(), operate: z.string(), approve: z.string() });
export type SandboxKeys = z.infer<typeof texts>;

/** Returns a key for each of the roles submit, operate and approve, and stores them in `api-keys.json` of the data folder. */
export async function sandboxKeys(databaseUrl: string, dataDir: string): Promise<SandboxKeys> {
  const file = join(dataDir, 'api-keys.json');
  const stored = await readKeys(file);
  const database = openDatabase(databaseUrl, { connections: 1 });
  try {
    const keys = {
      submit: await keyFor(database, 'submit', stored),
      operate: await keyFor(database, 'operate', stored),
      approve: await keyFor(database, 'approve', stored),
    };
    await writeFile(file, `${JSON.stringify(keys)}\n`, { mode: 0o600 });
    return keys;
  } finally {
    await database.close();
  }
}

/** Returns the key of the last start if it is valid in this database, else a new one. */
async function keyFor(
  database: Database,
  role: keyof SandboxKeys,
  stored: SandboxKeys | undefined,
): Promise<string> {
  if (stored !== undefined && (await verifyApiKey(database, stored[role])) !== null) return stored[role];
  return (await createApiKey(database, { name: `sandbox-${role}`, roles: [role] })).text.reveal();
}

async function readKeys(file: string): Promise<SandboxKeys | undefined> {
  try {
    return texts.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}
