/** Fuzzes the environment of a process: it starts with sensible settings, or reports every problem and no secret. */
import { describe, expect, it } from 'vitest';
import { readSettings, SettingsError } from '../../settings/read.js';
import type { Settings } from '../../settings/settings.js';
import type { Random } from '../simulation/harness/random.js';
import { fuzz, holds, inTier } from './fuzz.js';
import { changed } from './mutations.js';

const TOKEN = 'OGFjN2E0Yzk5MDAwMDAwMDAwfHNlY3JldA==';
const PASSWORD = 'correct-horse';
const WEBHOOK_KEY = 'ab'.repeat(32);
const EVENTS_SECRET = `whsec_${'q6ur'.repeat(8)}`;
const SECRETS = [TOKEN, PASSWORD, WEBHOOK_KEY, EVENTS_SECRET];

const RIGHT: Readonly<Record<string, string>> = {
  DATABASE_URL: `postgresql://refunds:${PASSWORD}@db.example:5432/refunds`,
  REFUNDS_DATABASE_CONNECTIONS: '10',
  REFUNDS_QUERIES_PER_SECOND: '0.5',
  REFUNDS_TIME_SCALE: '1',
  REFUNDS_CREDIT_APPROVAL_ABOVE: 'EUR:500.00,JPY:80000',
  REFUNDS_METRICS_PORT: '9464',
  REFUNDS_CODEC: 'off',
  REFUNDS_PORT: '8080',
  REFUNDS_REQUESTS_PER_MINUTE: '6000',
  REFUNDS_EVENTS_URL: 'https://shop.example/hooks/refunds',
  REFUNDS_EVENTS_SECRET: EVENTS_SECRET,
  REFUNDS_EVENTS_KEPT_DAYS: '90',
  OPPWA_BASE_URL: 'https://eu-prod.oppwa.com',
  OPPWA_ENTITY_ID: '8ac7a4c79394bdc801939736f17e063d',
  OPPWA_ACCESS_TOKEN: TOKEN,
  OPPWA_WEBHOOK_KEY: WEBHOOK_KEY,
};

/** Values that are valid for another variable, or nearly valid. */
const texts: readonly [unknown, ...unknown[]] = [
  '',
  ...Object.values(RIGHT),
  '0',
  '1e3',
  '0.001',
  'Infinity',
  '-1',
  '65536',
  'EUR:1,EUR:2',
  'http://eu-prod.oppwa.com',
  'https://user:correct-horse@eu-prod.oppwa.com',
];

/** Returns an environment. It contains only text. */
function environment(random: Random): Record<string, string> {
  const env = { ...RIGHT };
  const names = Object.keys(RIGHT);
  for (let times = random.between(0, 3); times > 0; times -= 1) {
    const name = names[random.between(0, names.length - 1)] ?? '';
    const value = changed(random, env[name] ?? '', texts);
    if (typeof value === 'string') env[name] = value;
    else if (random.chance(0.5)) Reflect.deleteProperty(env, name);
  }
  return env;
}

function read(env: Record<string, string>): Settings | SettingsError {
  try {
    return readSettings(env);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
}

describe('settings', () => {
  it('are accepted within their bounds, or refused with a reason and without a secret', async () => {
    let taken = 0;
    let refused = 0;
    await fuzz(inTier(20_000), (random) => {
      const env = environment(random);
      const settings = read(env);
      if (settings instanceof SettingsError) {
        refused += 1;
        holds(settings.problems.length > 0, 'Refused without a reason.', env);
        holds(
          SECRETS.every((secret) => !settings.message.includes(secret)),
          'A secret is repeated.',
          [env, settings.message],
        );
        return;
      }
      taken += 1;
      const { queriesPerSecond, databaseConnections, timeScale, metricsPort, entities, api } = settings;
      holds(queriesPerSecond > 0 && queriesPerSecond <= 10_000, 'Queries out of bounds.', env);
      holds(databaseConnections >= 1 && databaseConnections <= 500, 'Connections out of bounds.', env);
      holds(metricsPort === undefined || (metricsPort >= 1 && metricsPort <= 65_535), 'Not a port.', env);
      holds(
        api.port >= 0 && api.port <= 65_535 && api.requestsPerMinute >= 1,
        'Not a port, or not a rate.',
        env,
      );
      for (const { id, baseUrl } of entities) {
        holds(/^[0-9a-f]{32}$/.test(id), 'Not an entity.', env);
        holds(
          new URL(baseUrl).protocol === 'https:' || /^http:..(?:localhost|127\.|\[::1\])/.test(baseUrl),
          'A token is sent unencrypted.',
          env,
        );
        holds(
          timeScale === 1 || settings.hosts.get(id) === 'test',
          'Time is shortened where money moves.',
          env,
        );
      }
      holds(
        SECRETS.every((secret) => secret === PASSWORD || !JSON.stringify(settings.entities).includes(secret)),
        'A secret prints itself.',
        env,
      );
    });
    expect(Math.min(taken, refused)).toBeGreaterThan(0);
  }, 600_000);
});
