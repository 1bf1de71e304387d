/** Settings of outgoing events: accepted, or refused with every problem and without a secret. */
import { describe, expect, it } from 'vitest';
import { readSettings, SettingsError } from '../../settings/read.js';

const ENV = {
  DATABASE_URL: 'postgresql://refunds@db.example:5432/refunds',
  OPPWA_BASE_URL: 'https://eu-test.oppwa.com',
  OPPWA_ENTITY_ID: '8ac7a4c79394bdc801939736f17e063d',
  OPPWA_ACCESS_TOKEN: 'token',
};
const URL_OF_SHOP = 'https://shop.example/hooks?x=1';
const secretOf = (bytes: number): string => `whsec_${Buffer.alloc(bytes, 5).toString('base64')}`;

function refused(env: NodeJS.ProcessEnv): SettingsError {
  try {
    readSettings({ ...ENV, ...env });
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('events', () => {
  it('are not sent without an address', () => {
    expect(readSettings(ENV).events).toBeUndefined();
    expect(
      readSettings({ ...ENV, REFUNDS_EVENTS_URL: ' ', REFUNDS_EVENTS_SECRET: '' }).events,
    ).toBeUndefined();
  });

  it.each([24, 32, 64])('are sent to an address, signed with %i bytes', (bytes) => {
    const { events } = readSettings({
      ...ENV,
      REFUNDS_EVENTS_URL: URL_OF_SHOP,
      REFUNDS_EVENTS_SECRET: secretOf(bytes),
    });
    expect(events?.url).toBe(URL_OF_SHOP);
    expect(events?.secrets.map((secret) => secret.reveal())).toEqual([Buffer.alloc(bytes, 5)]);
    expect(JSON.stringify(events)).not.toContain(secretOf(bytes));
  });

  it('are signed with both secrets while one is replaced', () => {
    const { events } = readSettings({
      ...ENV,
      REFUNDS_EVENTS_URL: 'http://127.0.0.1:3000/hooks',
      REFUNDS_EVENTS_SECRET: `${secretOf(32)}, ${secretOf(24)}`,
    });
    expect(events?.secrets.map((secret) => secret.reveal().length)).toEqual([32, 24]);
  });

  it('are stored for ninety days after delivery, or for the configured days', () => {
    const reported = { ...ENV, REFUNDS_EVENTS_URL: URL_OF_SHOP, REFUNDS_EVENTS_SECRET: secretOf(32) };
    expect(readSettings(reported).events?.keptMs).toBe(90 * 86_400_000);
    expect(readSettings({ ...reported, REFUNDS_EVENTS_KEPT_DAYS: '7' }).events?.keptMs).toBe(7 * 86_400_000);
    for (const days of ['0', '1.5', '-1', 'always', '10000'])
      expect(
        refused({ ...reported, REFUNDS_EVENTS_KEPT_DAYS: days }).problems.map(({ variable }) => variable),
        days,
      ).toEqual(['REFUNDS_EVENTS_KEPT_DAYS']);
  });

  it.each([
    ['no address', undefined, secretOf(32), ['REFUNDS_EVENTS_URL']],
    ['no secret', URL_OF_SHOP, undefined, ['REFUNDS_EVENTS_SECRET']],
    ['http beyond this machine', 'http://shop.example/', secretOf(32), ['REFUNDS_EVENTS_URL']],
    ['a password in the address', 'https://a:b@shop.example/', secretOf(32), ['REFUNDS_EVENTS_URL']],
    ['no address at all', 'shop', secretOf(32), ['REFUNDS_EVENTS_URL']],
    ['a short secret', URL_OF_SHOP, secretOf(23), ['REFUNDS_EVENTS_SECRET']],
    ['a long secret', URL_OF_SHOP, secretOf(65), ['REFUNDS_EVENTS_SECRET']],
    ['a secret without its prefix', URL_OF_SHOP, secretOf(32).slice(6), ['REFUNDS_EVENTS_SECRET']],
    ['a secret that is no base64', URL_OF_SHOP, `${secretOf(32)}x`, ['REFUNDS_EVENTS_SECRET']],
    [
      'three secrets',
      URL_OF_SHOP,
      [secretOf(24), secretOf(32), secretOf(33)].join(','),
      ['REFUNDS_EVENTS_SECRET'],
    ],
    ['everything wrong', 'ftp://x', 'x', ['REFUNDS_EVENTS_URL', 'REFUNDS_EVENTS_SECRET']],
  ])('are refused with %s', (_what, url, secret, names) => {
    const error = refused({
      ...(url === undefined ? {} : { REFUNDS_EVENTS_URL: url }),
      ...(secret === undefined ? {} : { REFUNDS_EVENTS_SECRET: secret }),
    });
    expect(error.problems.map(({ variable }) => variable)).toEqual(names);
    if (secret !== undefined && secret.length > 8) expect(error.message).not.toContain(secret.slice(6, 30));
  });
});

describe('the schedules', () => {
  it('sweep every minute and audit every hour, and are limited to a bearable rate', () => {
    expect(readSettings(ENV).maintenance).toMatchObject({ sweepEvery: 60_000, auditEvery: 3_600_000 });
    expect(readSettings({ ...ENV, REFUNDS_TIME_SCALE: '0.0002' }).maintenance).toMatchObject({
      sweepEvery: 5_000,
      sweep: { patience: { quiet: 2_000 } },
    });
    expect(readSettings({ ...ENV, REFUNDS_SCHEDULES: 'off' }).maintenance).toBeUndefined();
  });

  it.each([
    ['REFUNDS_SCHEDULES', 'no'],
    ['REFUNDS_METRICS_PORT', '0'],
    ['REFUNDS_METRICS_PORT', '65536'],
    ['REFUNDS_METRICS_PORT', '9464x'],
  ])('%s=%s is refused', (name, value) => {
    expect(refused({ [name]: value }).problems.map(({ variable }) => variable)).toEqual([name]);
  });
});
