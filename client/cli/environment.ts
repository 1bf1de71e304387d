/** Reads the settings of the command line: from the environment, or from the sandbox that runs in this folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Either of these names a ledger: then the sandbox is not used. */
const LEDGER_VARIABLES = ['DATABASE_URL', 'REFUNDS_CONFIG'];
const GATEWAY = ['OPPWA_BASE_URL', 'OPPWA_ENTITY_ID'];

/**
 * Returns `env`, or `env` with the variables of a running sandbox, which stores them in `REFUNDS_DATA_DIR` (`.data/env`). They are used only
 * where the environment names no other ledger or gateway: the ledger of one system and the gateway of another must not be mixed.
 */
export function environment(env: NodeJS.ProcessEnv, note: (text: string) => void): NodeJS.ProcessEnv {
  if (LEDGER_VARIABLES.some((name) => (env[name] ?? '') !== '')) return env;
  const path = join(env['REFUNDS_DATA_DIR'] ?? '.data', 'env');
  let sandbox: NodeJS.Dict<string>;
  try {
    sandbox = parseEnv(readFileSync(path, 'utf8'));
  } catch {
    return env;
  }
  if (GATEWAY.some((name) => (env[name] ?? '') !== '' && env[name] !== sandbox[name])) return env;
  note(`using the sandbox of ${path}`);
  return { ...env, ...sandbox };
}
