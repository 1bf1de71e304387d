/** Where the command line takes its settings from: the environment, or the sandbox that is up in this folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Either of these says where the ledger is, and then the sandbox is not meant. */
const ELSEWHERE = ['DATABASE_URL', 'REFUNDS_CONFIG'];
const GATEWAY = ['OPPWA_BASE_URL', 'OPPWA_ENTITY_ID'];

/**
 * A running sandbox leaves its variables in `REFUNDS_DATA_DIR` (`.data/env`). They count only where the environment says nothing else: a
 * ledger from here and a gateway from there would be a mixture that nobody meant.
 */
export function environment(env: NodeJS.ProcessEnv, note: (text: string) => void): NodeJS.ProcessEnv {
  if (ELSEWHERE.some((name) => (env[name] ?? '') !== '')) return env;
  const path = join(env['REFUNDS_DATA_DIR'] ?? '.data', 'env');
  let sandbox: NodeJS.Dict<string>;
  try {
    sandbox = parseEnv(readFileSync(path, 'utf8'));
  } catch {
    return env;
  }
  if (GATEWAY.some((name) => (env[name] ?? '') !== '' && env[name] !== sandbox[name])) return env;
  note(`with the sandbox of ${path}`);
  return { ...env, ...sandbox };
}
