/** Where the command line takes its settings from: the environment, or the sandbox that is up in this folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

const NAMES_A_SYSTEM = ['DATABASE_URL', 'REFUNDS_CONFIG', 'OPPWA_BASE_URL', 'OPPWA_ENTITY_ID'];

/**
 * A running sandbox leaves its variables in `REFUNDS_DATA_DIR` (`.data/env`). They count only where the environment names no system at
 * all: one variable from here and one from there would be a mixture that nobody meant.
 */
export function environment(env: NodeJS.ProcessEnv, note: (text: string) => void): NodeJS.ProcessEnv {
  if (NAMES_A_SYSTEM.some((name) => (env[name] ?? '') !== '')) return env;
  const path = join(env['REFUNDS_DATA_DIR'] ?? '.data', 'env');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return env;
  }
  note(`with the sandbox of ${path}`);
  return { ...env, ...parseEnv(text) };
}
