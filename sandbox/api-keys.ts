/** The sandbox's three keys: made once for a data folder, then the same at every start, so that scripts and browsers keep theirs. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createApiKey, verifyApiKey } from '../ledger/access/api-keys.js';
import { openDatabase, type Database } from '../ledger/db/database.js';

const texts = z.object({ submit: z.string(), operate: z.string(), approve: z.string() });
export type SandboxKeys = z.infer<typeof texts>;

export async function sandboxKeys(databaseUrl: string, dataDir: string): Promise<SandboxKeys> {
  const file = join(dataDir, 'api-keys.json');
  const known = await readKeys(file);
  const database = openDatabase(databaseUrl, { connections: 1 });
  try {
    const keys = {
      submit: await keyFor(database, 'submit', known),
      operate: await keyFor(database, 'operate', known),
      approve: await keyFor(database, 'approve', known),
    };
    await writeFile(file, `${JSON.stringify(keys)}\n`, { mode: 0o600 });
    return keys;
  } finally {
    await database.close();
  }
}

/** The one of the last start, where this database knows it too. */
async function keyFor(
  database: Database,
  role: keyof SandboxKeys,
  known: SandboxKeys | undefined,
): Promise<string> {
  if (known !== undefined && (await verifyApiKey(database, known[role])) !== null) return known[role];
  return (await createApiKey(database, { name: `sandbox-${role}`, roles: [role] })).text.reveal();
}

async function readKeys(file: string): Promise<SandboxKeys | undefined> {
  try {
    return texts.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}
