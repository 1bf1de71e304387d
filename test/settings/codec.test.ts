/** Settings of the payload codec: required in production, keys from a file, every problem named and no key shown. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSettings, SettingsError } from '../../settings/read.js';

const ENV = {
  DATABASE_URL: 'postgresql://refunds@db.example:5432/refunds',
  OPPWA_BASE_URL: 'https://eu-test.oppwa.com',
  OPPWA_ENTITY_ID: '8ac7a4c79394bdc801939736f17e063d',
  OPPWA_ACCESS_TOKEN: 'token',
};
const LIVE = { ...ENV, OPPWA_BASE_URL: 'https://eu-prod.oppwa.com' };
const KEY = Buffer.alloc(32, 7).toString('base64');
const OTHER = Buffer.alloc(32, 8).toString('base64');

const folder = mkdtempSync(join(tmpdir(), 'codec-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
function keysFile(content: string): { readonly REFUNDS_CODEC_KEYS_FILE: string } {
  const path = join(folder, 'codec.keys');
  writeFileSync(path, content);
  return { REFUNDS_CODEC_KEYS_FILE: path };
}

const problemsOf = (env: NodeJS.ProcessEnv): readonly string[] => {
  try {
    readSettings(env);
  } catch (error) {
    if (error instanceof SettingsError)
      return error.problems.map(({ variable, problem }) => `${variable} ${problem}`);
    throw error;
  }
  return [];
};

describe('the payload codec', () => {
  it('is off by default outside of production', () => {
    expect(readSettings(ENV).codec).toEqual({ mode: 'off', keys: [] });
  });

  it.for([
    ['on a live host', LIVE],
    ['with NODE_ENV=production', { ...ENV, NODE_ENV: 'production' }],
  ] as const)('is required by default %s, and needs a key', ([, env]) => {
    expect(problemsOf(env)).toEqual([
      'REFUNDS_CODEC_KEYS_FILE is missing: in production Temporal stores payloads encrypted only, unless REFUNDS_CODEC=off',
    ]);
    expect(readSettings({ ...env, ...keysFile(`a:${KEY}`) }).codec.mode).toBe('required');
    expect(readSettings({ ...env, REFUNDS_CODEC: 'off' }).codec.mode).toBe('off');
  });

  it('takes the keys in the order of the file, with comments and empty lines', () => {
    const { codec } = readSettings({
      ...ENV,
      ...keysFile(`# since December\r\n2026-12:${KEY}\r\n\n 2026-11:${OTHER} \n`),
      REFUNDS_CODEC: 'accept-plaintext',
    });
    expect(codec.mode).toBe('accept-plaintext');
    expect(codec.keys.map(({ id, key }) => [id, key.export().toString('base64')])).toEqual([
      ['2026-12', KEY],
      ['2026-11', OTHER],
    ]);
  });

  it('keeps its keys when it is off: they decrypt', () => {
    expect(readSettings({ ...ENV, ...keysFile(`a:${KEY}`) }).codec).toMatchObject({
      mode: 'off',
      keys: [{ id: 'a' }],
    });
  });

  it('names an unknown mode, and a mode without a key', () => {
    expect(problemsOf({ ...ENV, REFUNDS_CODEC: 'on' })).toEqual([
      'REFUNDS_CODEC must be one of off, accept-plaintext, required',
    ]);
    expect(problemsOf({ ...ENV, REFUNDS_CODEC: 'accept-plaintext' })).toEqual([
      'REFUNDS_CODEC_KEYS_FILE is missing: REFUNDS_CODEC=accept-plaintext needs a key',
    ]);
    expect(problemsOf({ ...ENV, REFUNDS_CODEC_KEYS_FILE: join(folder, 'absent') })).toEqual([
      'REFUNDS_CODEC_KEYS_FILE names a file that cannot be read',
    ]);
  });

  it.for([
    ['a key that is too short', `a:${KEY}\nb:${Buffer.alloc(31, 7).toString('base64')}`, 'line 2'],
    ['a key that is no base64', `a:${KEY.replace('=', '*')}`, 'line 1'],
    ['a key without an id', `:${KEY}`, 'line 1'],
    ['a line without a colon', KEY, 'line 1'],
    ['an id with a space', `a b:${KEY}`, 'line 1'],
    ['an id twice', `a:${KEY}\na:${OTHER}`, 'line 2 of its file has an id that another line has'],
    ['no key', '# none\n', 'without a key'],
  ] as const)('refuses a file with %s, and does not show it', ([, content, place]) => {
    const problems = problemsOf({ ...ENV, ...keysFile(content), REFUNDS_CODEC: 'required' });
    expect(problems.join()).toContain(place);
    expect(problems.join()).not.toContain(KEY.slice(0, 12));
  });
});
