/** The payload codec of the tests with real servers: off, or as `TEST_CODEC` says (`TEST_CODEC=required npm test`). */
import { createSecretKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CODEC_MODES, CODEC_OFF, type CodecSettings } from '../../temporal/codec/settings.js';

/** Known to every process of a test, so a process that a test starts reads what this one wrote. */
const KEY = Buffer.alloc(32, 'a key of the tests');
const KEY_ID = 'tests';

const mode = CODEC_MODES.find((one) => one === process.env['TEST_CODEC']) ?? 'off';

export const testCodec: CodecSettings =
  mode === 'off' ? CODEC_OFF : { mode, keys: [{ id: KEY_ID, key: createSecretKey(KEY) }] };

/** Returns the variables with which a process has the settings `codec`. */
export function codecEnv({ mode, keys }: CodecSettings): NodeJS.ProcessEnv {
  if (keys.length === 0) return { REFUNDS_CODEC: mode };
  const folder = join(tmpdir(), `codec-${process.pid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${keys.map(({ id }) => id).join('-')}.keys`);
  writeFileSync(file, keys.map(({ id, key }) => `${id}:${key.export().toString('base64')}\n`).join(''));
  return { REFUNDS_CODEC: mode, REFUNDS_CODEC_KEYS_FILE: file };
}
