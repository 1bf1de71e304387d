/** Settings of the payload codec: `REFUNDS_CODEC` and `REFUNDS_CODEC_KEYS_FILE`. The replay tool reads only these. */
import { createSecretKey } from 'node:crypto';
import { CODEC_MODES, CODEC_OFF, type CodecKey, type CodecSettings } from '../temporal/codec/settings.js';
import { readKeyLines } from './key-file.js';
import type { Reading, SettingsProblem } from './problems.js';
import { readText } from './read-text.js';

const MODE_EXAMPLE = 'required';
const FILE_EXAMPLE =
  '/run/secrets/codec.keys, with a line from: echo "2026-11:$(openssl rand -base64 32)"; the first line encrypts';

/**
 * `isProduction`: an entity is on a live host, or `NODE_ENV` is `production`. Then the default is `required`, else `off`. Keys that are
 * configured decrypt in every mode.
 */
export function readCodec(
  variable: (name: string) => string | undefined,
  isProduction: boolean,
): Reading<CodecSettings> {
  const text = variable('REFUNDS_CODEC') ?? (isProduction ? 'required' : 'off');
  const mode = CODEC_MODES.find((one) => one === text);
  const keys = readKeys(variable('REFUNDS_CODEC_KEYS_FILE'));
  const problems: SettingsProblem[] = keys.ok ? [] : [...keys.problems];
  if (mode === undefined)
    problems.push({
      variable: 'REFUNDS_CODEC',
      problem: `must be one of ${CODEC_MODES.join(', ')}`,
      example: MODE_EXAMPLE,
    });
  else if (mode !== 'off' && keys.ok && keys.value.length === 0)
    problems.push(
      fileProblem(
        variable('REFUNDS_CODEC') === undefined
          ? 'is missing: in production Temporal stores payloads encrypted only, unless REFUNDS_CODEC=off'
          : `is missing: REFUNDS_CODEC=${mode} needs a key`,
      ),
    );
  return mode === undefined || !keys.ok || problems.length > 0
    ? { ok: false, problems }
    : { ok: true, value: mode === 'off' && keys.value.length === 0 ? CODEC_OFF : { mode, keys: keys.value } };
}

function readKeys(path: string | undefined): Reading<readonly CodecKey[]> {
  if (path === undefined) return { ok: true, value: [] };
  const text = readText(path);
  if (text === undefined) return { ok: false, problems: [fileProblem('names a file that cannot be read')] };
  const { keys, wrong } = readKeyLines(text);
  const problems = wrong.map(({ line, why }) =>
    fileProblem(
      `: line ${line} of its file ${why === 'malformed' ? 'must be id:key, with 32 bytes in base64' : 'has an id that another line has'}`,
    ),
  );
  if (keys.length === 0 && problems.length === 0) problems.push(fileProblem('names a file without a key'));
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, value: keys.map(({ id, key }) => ({ id, key: createSecretKey(key) })) };
}

const fileProblem = (problem: string): SettingsProblem => ({
  variable: 'REFUNDS_CODEC_KEYS_FILE',
  problem,
  example: FILE_EXAMPLE,
});
