/** Settings of a process: accepted, or refused with every problem and without a secret. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, DEFAULT_TIMINGS } from '../../domain/refund/config.js';
import { readSettings, SettingsError } from '../../settings/read.js';

const TOKEN = 'OGFjN2E0Yzk5MDAwMDAwMDAwfHNlY3JldA==';
const PASSWORD = 'correct-horse';
const ENTITY = '8ac7a4c79394bdc801939736f17e063d';
const OTHER = '8ac7a4c79394bdc801939736f17e063e';
const LIVE = 'https://eu-prod.oppwa.com';
const ENV = {
  DATABASE_URL: `postgresql://refunds:${PASSWORD}@db.example:5432/refunds`,
  OPPWA_BASE_URL: 'https://eu-test.oppwa.com',
  OPPWA_ENTITY_ID: ENTITY,
  OPPWA_ACCESS_TOKEN: TOKEN,
  // Not the default on a live host: see codec.test.ts.
  REFUNDS_CODEC: 'off',
};

const folder = mkdtempSync(join(tmpdir(), 'settings-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}
const withFile = (content: unknown): NodeJS.ProcessEnv => ({
  DATABASE_URL: ENV.DATABASE_URL,
  REFUNDS_CODEC: 'off',
  REFUNDS_CONFIG: file('config.json', content),
});

function refused(env: NodeJS.ProcessEnv): SettingsError {
  try {
    readSettings(env);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}
const namesOf = (error: SettingsError): string[] => error.problems.map(({ variable }) => variable);

describe('settings', () => {
  it('have defaults for everything but the database and the gateway', () => {
    const settings = readSettings(ENV);
    expect(settings).toMatchObject({
      databaseUrl: ENV.DATABASE_URL,
      databaseConnections: 10,
      queriesPerSecond: 0.5,
      taskQueue: 'refunds',
      workerProfile: 'standard',
      workflowBundlePath: undefined,
      api: { host: '127.0.0.1', port: 8080, requestsPerMinute: 6000, tokens: undefined },
    });
    expect(settings.configFor(ENTITY).timings).toEqual(DEFAULT_TIMINGS);
    expect(settings.configFor(ENTITY).policy).toMatchObject({ creditEnabled: true, partialReversal: false });
    expect(settings.entities[0].accessToken.reveal()).toBe(TOKEN);
    expect(settings.hosts.get(ENTITY)).toBe('test');
  });

  it('do not show a token when they are printed', () => {
    const settings = readSettings(ENV);
    expect(inspect(settings, { depth: 9 })).not.toContain(TOKEN);
    expect(JSON.stringify(settings)).not.toContain(TOKEN);
  });

  it('accept tokens only if issuer, audience and keys are all set', () => {
    const tokens = {
      REFUNDS_JWT_ISSUER: 'https://login.example',
      REFUNDS_JWT_AUDIENCE: 'refunds',
      REFUNDS_JWT_JWKS_URL: 'https://login.example/keys',
    };
    expect(readSettings({ ...ENV, ...tokens }).api.tokens).toEqual({
      issuer: 'https://login.example',
      audience: 'refunds',
      keysUrl: 'https://login.example/keys',
    });
    for (const name of Object.keys(tokens))
      expect(namesOf(refused({ ...ENV, ...tokens, [name]: '' }))).toEqual([name]);
    expect(
      namesOf(refused({ ...ENV, ...tokens, REFUNDS_JWT_JWKS_URL: 'http://login.example/keys' })),
    ).toEqual(['REFUNDS_JWT_JWKS_URL']);
  });

  it.each(['REFUNDS_PORT=65536', 'REFUNDS_PORT=http', 'REFUNDS_HOST=a b', 'REFUNDS_REQUESTS_PER_MINUTE=0'])(
    'refuse %s',
    (assignment) => {
      const [name = '', value] = assignment.split('=');
      expect(namesOf(refused({ ...ENV, [name]: value }))).toEqual([name]);
    },
  );

  it('treat an empty variable as absent', () => {
    expect(
      readSettings({ ...ENV, OPPWA_TEST_MODE: '', REFUNDS_TIME_SCALE: ' ' }).entities[0].testMode,
    ).toBeUndefined();
  });

  it('read the limits above which a credit needs a second approver as minor units of each currency', () => {
    const { policy } = readSettings({
      ...ENV,
      REFUNDS_CREDIT_APPROVAL_ABOVE: 'EUR:500.00, JPY:80000,KWD:1.234',
    }).configFor(ENTITY);
    expect(policy.creditApprovalAbove).toEqual({ EUR: '50000', JPY: '80000', KWD: '1234' });
  });

  it('read the limits up to which one operator may correct alone, which by default is never', () => {
    expect(readSettings(ENV).configFor(ENTITY).policy.correctionAloneUpTo).toEqual({});
    const { policy } = readSettings({ ...ENV, REFUNDS_CORRECTION_ALONE_UP_TO: 'EUR:20.00' }).configFor(
      ENTITY,
    );
    expect(policy.correctionAloneUpTo).toEqual({ EUR: '2000' });
  });

  it('scale time, and the rate of queries with it', () => {
    const settings = readSettings({ ...ENV, REFUNDS_TIME_SCALE: '0.001' });
    expect(settings.configFor(ENTITY).timings.visibilityLag).toBe(900);
    expect(settings.queriesPerSecond).toBe(500);
    expect(
      readSettings({ ...ENV, REFUNDS_TIME_SCALE: '0.001', REFUNDS_QUERIES_PER_SECOND: '3' }).queriesPerSecond,
    ).toBe(3);
  });

  it.each([
    ['https://eu-test.oppwa.com', 'test'],
    ['https://test.oppwa.com/', 'test'],
    ['https://sandbox-card.peachpayments.com', 'test'],
    ['https://test.vr-pay-ecommerce.de', 'test'],
    ['http://127.0.0.1:9000', 'test'],
    ['http://localhost:9000', 'test'],
    ['http://[::1]:9000', 'test'],
    [LIVE, 'live'],
    ['https://eu-test.oppwa.com.example.org', 'live'],
    ['https://unknown.example.org', 'live'],
  ])('call %s a %s host', (url, kind) => {
    expect(readSettings({ ...ENV, OPPWA_BASE_URL: url }).hosts.get(ENTITY)).toBe(kind);
  });

  it('accept that a reseller’s host is for tests, and then a test mode and faster clocks', () => {
    const reseller = { ...ENV, OPPWA_BASE_URL: 'https://uat.reseller.example', OPPWA_TEST_MODE: 'EXTERNAL' };
    expect(namesOf(refused(reseller))).toEqual(['OPPWA_TEST_MODE']);
    const settings = readSettings({ ...reseller, OPPWA_HOST_KIND: 'test', REFUNDS_TIME_SCALE: '0.5' });
    expect(settings.hosts.get(ENTITY)).toBe('test');
    expect(settings.entities[0].testMode).toBe('EXTERNAL');
    const file = {
      id: ENTITY,
      baseUrl: 'https://uat.reseller.example',
      accessToken: TOKEN,
      hostKind: 'test',
    };
    expect(readSettings(withFile({ entities: [file] })).hosts.get(ENTITY)).toBe('test');
  });

  it.each([
    ['https://eu-prod.oppwa.com', 'test'],
    ['https://oppwa.com', 'test'],
    ['https://card.peachpayments.com', 'test'],
    ['https://vr-pay-ecommerce.de.', 'test'],
    ['https://eu-test.oppwa.com', 'live'],
    ['https://uat.reseller.example', 'staging'],
  ])('do not believe that %s is %s', (url, kind) => {
    expect(namesOf(refused({ ...ENV, OPPWA_BASE_URL: url, OPPWA_HOST_KIND: kind }))).toEqual([
      'OPPWA_HOST_KIND',
    ]);
  });

  it('may declare the near end of a tunnel live', () => {
    const tunnel = { ...ENV, OPPWA_BASE_URL: 'http://127.0.0.1:9000', OPPWA_HOST_KIND: 'live' };
    expect(readSettings(tunnel).hosts.get(ENTITY)).toBe('live');
    expect(namesOf(refused({ ...tunnel, OPPWA_TEST_MODE: 'EXTERNAL' }))).toEqual(['OPPWA_TEST_MODE']);
  });

  it.each(['', '/', '//', '/v1', '/v1/', '/v3', '/v1//'])(
    'take the gateway’s address with %j at its end for the host alone',
    (end) => {
      const { entities } = readSettings({ ...ENV, OPPWA_BASE_URL: `https://EU-test.oppwa.com${end}` });
      expect(entities[0].baseUrl).toBe('https://eu-test.oppwa.com');
    },
  );

  it.each(['/v1/payments', '/v1/payments/', '/x', '/v1/v1', '/v1?a=1', '?a=1', '#a', '/V1x'])(
    'refuse the gateway’s address with %j at its end',
    (end) => {
      const error = refused({ ...ENV, OPPWA_BASE_URL: `https://eu-test.oppwa.com${end}` });
      expect(namesOf(error)).toEqual(['OPPWA_BASE_URL']);
    },
  );
});

describe('wrong settings', () => {
  it('are named all at once, each with an example', () => {
    const error = refused({ REFUNDS_TIME_SCALE: '2', REFUNDS_WORKER_PROFILE: 'huge' });
    expect(namesOf(error).toSorted()).toEqual([
      'DATABASE_URL',
      'OPPWA_ACCESS_TOKEN',
      'OPPWA_BASE_URL',
      'OPPWA_ENTITY_ID',
      'REFUNDS_TIME_SCALE',
      'REFUNDS_WORKER_PROFILE',
    ]);
    for (const { variable, problem, example } of error.problems)
      expect(error.message).toContain(`${variable} ${problem}. Example: ${example}`);
  });

  it.each([
    ['DATABASE_URL', `mysql://refunds:${PASSWORD}@db/refunds`],
    ['DATABASE_URL', `postgresql://refunds:${PASSWORD}@db`],
    ['DATABASE_URL', PASSWORD],
    ['REFUNDS_DATABASE_CONNECTIONS', '0'],
    ['REFUNDS_DATABASE_CONNECTIONS', '2.5'],
    ['REFUNDS_QUERIES_PER_SECOND', '0'],
    ['REFUNDS_QUERIES_PER_SECOND', '-1'],
    ['REFUNDS_TIME_SCALE', '0'],
    ['REFUNDS_TIME_SCALE', '1.1'],
    ['REFUNDS_TIME_SCALE', '1e-3'],
    ['REFUNDS_TASK_QUEUE', 'a queue'],
    ['REFUNDS_CORRECTION_ALONE_UP_TO', 'EUR'],
    ['REFUNDS_CREDIT_APPROVAL_ABOVE', 'EUR'],
    ['REFUNDS_CREDIT_APPROVAL_ABOVE', 'EUR:500:1'],
    ['REFUNDS_CREDIT_APPROVAL_ABOVE', 'EUR:500.0'],
    ['REFUNDS_CREDIT_APPROVAL_ABOVE', 'EUR:0.00'],
    ['REFUNDS_CREDIT_APPROVAL_ABOVE', 'XXX:5.00'],
    ['REFUNDS_CREDIT_APPROVAL_ABOVE', 'EUR:5.00,EUR:6.00'],
    ['REFUNDS_CREDIT_LIMIT_PER_PAYMENT', 'EUR'],
    ['REFUNDS_CREDIT_LIMIT_PER_ENTITY', 'EUR:0.00'],
    ['REFUNDS_CREDIT_LIMIT_WINDOW_HOURS', '0'],
    ['REFUNDS_CREDIT_LIMIT_WINDOW_HOURS', '24h'],
    ['REFUNDS_CREDIT_LIMIT_WINDOW_HOURS', '8761'],
    ['OPPWA_ENTITY_ID', ENTITY.toUpperCase()],
    ['OPPWA_BASE_URL', 'http://eu-test.oppwa.com'],
    ['OPPWA_BASE_URL', `https://user:${PASSWORD}@eu-test.oppwa.com`],
    ['OPPWA_BASE_URL', 'eu-test.oppwa.com'],
    ['OPPWA_ACCESS_TOKEN', `${TOKEN} ${TOKEN}`],
    ['OPPWA_TEST_MODE', 'internal'],
  ])('%s=%s is refused by its name', (name, value) => {
    const error = refused({ ...ENV, [name]: value });
    expect(namesOf(error)).toEqual([name]);
    expect(error.message).not.toContain(TOKEN);
    expect(error.message).not.toContain(PASSWORD);
  });

  it('include a test mode on a live host', () => {
    expect(namesOf(refused({ ...ENV, OPPWA_BASE_URL: LIVE, OPPWA_TEST_MODE: 'EXTERNAL' }))).toEqual([
      'OPPWA_TEST_MODE',
    ]);
  });

  it('include faster clocks on a live host', () => {
    expect(namesOf(refused({ ...ENV, OPPWA_BASE_URL: LIVE, REFUNDS_TIME_SCALE: '0.5' }))).toEqual([
      'REFUNDS_TIME_SCALE',
    ]);
    expect(readSettings({ ...ENV, OPPWA_BASE_URL: LIVE, REFUNDS_TIME_SCALE: '1' }).hosts.get(ENTITY)).toBe(
      'live',
    );
  });
});

describe('a file of entities', () => {
  const first = {
    id: ENTITY,
    baseUrl: 'https://eu-test.oppwa.com',
    accessToken: TOKEN,
    testMode: 'EXTERNAL',
  };

  it('gives each entity its host, its token and its policy', () => {
    file('token', `${TOKEN}-2\n`);
    const second = {
      id: OTHER,
      baseUrl: LIVE,
      accessTokenFile: 'token',
      capabilities: { credit: false, partialReversal: true },
    };
    const settings = readSettings(withFile({ entities: [first, second] }));
    expect(
      settings.entities.map(({ id, testMode, accessToken }) => [id, testMode, accessToken.reveal()]),
    ).toEqual([
      [ENTITY, 'EXTERNAL', TOKEN],
      [OTHER, undefined, `${TOKEN}-2`],
    ]);
    expect(settings.configFor(ENTITY).policy).toMatchObject({ creditEnabled: true, partialReversal: false });
    expect(settings.configFor(OTHER).policy).toMatchObject({ creditEnabled: false, partialReversal: true });
    expect([...settings.hosts.values()]).toEqual(['test', 'live']);
  });

  it('gives each entity its own policy, and the common values for the rest', () => {
    const policy = {
      creditApprovalAbove: 'EUR:50.00',
      creditAfterIssuerDecline: 'operator',
      creditWhenRefundNotEnabled: 'approval',
      softRetries: 2,
      maxSubmissions: 5,
      creditLimitPerPayment: 'EUR:40.00',
      creditLimitPerDestination: 'EUR:60.00',
      creditLimitWindowHours: 48,
    };
    const second = { ...first, id: OTHER, policy };
    const settings = readSettings({
      ...withFile({ entities: [first, second] }),
      REFUNDS_CREDIT_APPROVAL_ABOVE: 'EUR:500.00,USD:500.00',
      REFUNDS_CORRECTION_ALONE_UP_TO: 'EUR:20.00',
      REFUNDS_CREDIT_LIMIT_PER_DESTINATION: 'EUR:600.00',
      REFUNDS_CREDIT_LIMIT_PER_REQUESTER: 'EUR:2000.00',
      REFUNDS_CREDIT_LIMIT_PER_ENTITY: 'EUR:9000.00',
      REFUNDS_CREDIT_LIMIT_WINDOW_HOURS: '12',
    });
    expect(settings.configFor(ENTITY).policy).toEqual({
      ...DEFAULT_POLICY,
      creditApprovalAbove: { EUR: '50000', USD: '50000' },
      creditLimitPerDestination: { EUR: '60000' },
      creditLimitPerRequester: { EUR: '200000' },
      creditLimitPerEntity: { EUR: '900000' },
      creditLimitWindowHours: 12,
      correctionAloneUpTo: { EUR: '2000' },
    });
    expect(settings.configFor(OTHER).policy).toEqual({
      ...DEFAULT_POLICY,
      creditApprovalAbove: { EUR: '5000' },
      correctionAloneUpTo: { EUR: '2000' },
      creditAfterIssuerDecline: 'operator',
      creditWhenRefundNotEnabled: 'approval',
      softRetries: 2,
      maxSubmissions: 5,
      creditLimitPerPayment: { EUR: '4000' },
      creditLimitPerDestination: { EUR: '6000' },
      creditLimitPerRequester: { EUR: '200000' },
      creditLimitPerEntity: { EUR: '900000' },
      creditLimitWindowHours: 48,
    });
  });

  it('allows no credits for an entity that it does not name', () => {
    const { policy } = readSettings(withFile({ entities: [first] })).configFor(OTHER);
    expect(policy).toMatchObject({ creditEnabled: false, partialReversal: false });
  });

  it.each([
    ['no JSON', `{"entities": ${TOKEN}`, ['REFUNDS_CONFIG']],
    ['no entity', { entities: [] }, ['REFUNDS_CONFIG']],
    [
      'nothing in an entity',
      { entities: [null] },
      ['REFUNDS_CONFIG entities[0]', 'REFUNDS_CONFIG entities[0].accessToken'],
    ],
    ['an unknown field', { entities: [{ ...first, token: TOKEN }] }, ['REFUNDS_CONFIG entities[0]']],
    [
      'a policy that it cannot have',
      { entities: [{ ...first, policy: { softRetries: -1, creditApprovalAbove: 'EUR:1.234' } }] },
      [
        'REFUNDS_CONFIG entities[0].policy.creditApprovalAbove',
        'REFUNDS_CONFIG entities[0].policy.softRetries',
      ],
    ],
    [
      'an unknown policy',
      { entities: [{ ...first, policy: { alwaysCredit: true } }] },
      ['REFUNDS_CONFIG entities[0].policy'],
    ],
    ['one entity twice', { entities: [first, first] }, ['REFUNDS_CONFIG entities[1].id']],
    [
      'two tokens',
      { entities: [{ ...first, accessTokenFile: 'token' }] },
      ['REFUNDS_CONFIG entities[0].accessTokenFile'],
    ],
    [
      'a test mode on a live host',
      { entities: [{ ...first, baseUrl: LIVE }] },
      ['REFUNDS_CONFIG entities[0].testMode'],
    ],
    [
      'a token file that is not there',
      { entities: [{ ...first, accessToken: undefined, accessTokenFile: 'nowhere' }] },
      ['REFUNDS_CONFIG entities[0].accessTokenFile'],
    ],
  ])('is refused with %s', (_what, content, names) => {
    const error = refused(withFile(content));
    expect(namesOf(error)).toEqual(names);
    expect(error.message).not.toContain(TOKEN);
  });

  it('cannot be combined with the variables of one entity', () => {
    expect(namesOf(refused({ ...ENV, REFUNDS_CONFIG: file('config.json', { entities: [first] }) }))).toEqual([
      'REFUNDS_CONFIG',
    ]);
  });

  it('must exist', () => {
    expect(
      namesOf(refused({ DATABASE_URL: ENV.DATABASE_URL, REFUNDS_CONFIG: join(folder, 'nowhere.json') })),
    ).toEqual(['REFUNDS_CONFIG']);
  });
});

describe('webhook keys', () => {
  const [KEY, BEFORE] = ['a1'.repeat(32), 'B2'.repeat(32)];
  const keysOf = (env: NodeJS.ProcessEnv, entity = ENTITY): readonly string[] | undefined =>
    readSettings(env)
      .webhookKeys.get(entity)
      ?.map((key) => key.reveal());

  it('are none, one, or the new one and the old one', () => {
    expect(keysOf(ENV)).toEqual([]);
    expect(keysOf({ ...ENV, OPPWA_WEBHOOK_KEY: KEY })).toEqual([KEY]);
    expect(keysOf({ ...ENV, OPPWA_WEBHOOK_KEY: `${KEY}, ${BEFORE}` })).toEqual([KEY, BEFORE]);
  });

  it('are set with each entity of a file, directly or in a file of their own', () => {
    const entity = { baseUrl: ENV.OPPWA_BASE_URL, accessToken: TOKEN };
    file('webhook-key', `${KEY}\n${BEFORE}\n`);
    const env = withFile({
      entities: [
        { id: ENTITY, ...entity, webhookKey: KEY },
        { id: OTHER, ...entity, webhookKeyFile: 'webhook-key' },
      ],
    });
    expect(keysOf(env)).toEqual([KEY]);
    expect(keysOf(env, OTHER)).toEqual([KEY, BEFORE]);
  });

  it.each([KEY.slice(1), `${KEY}0`, `${KEY},short`, 'x'.repeat(64), ','])(
    'of another form are refused, and not repeated',
    (wrong) => {
      const error = refused({ ...ENV, OPPWA_WEBHOOK_KEY: wrong });
      expect(namesOf(error)).toEqual(['OPPWA_WEBHOOK_KEY']);
      if (wrong.length > 1) expect(error.message).not.toContain(wrong);
    },
  );

  it('cannot be set twice, nor in a file that does not exist', () => {
    const entity = { id: ENTITY, baseUrl: ENV.OPPWA_BASE_URL, accessToken: TOKEN };
    for (const wrong of [{ webhookKey: KEY, webhookKeyFile: 'webhook-key' }, { webhookKeyFile: 'nowhere' }])
      expect(namesOf(refused(withFile({ entities: [{ ...entity, ...wrong }] })))).toEqual([
        'REFUNDS_CONFIG entities[0].webhookKeyFile',
      ]);
  });

  it('do not show when settings are printed', () => {
    const settings = readSettings({ ...ENV, OPPWA_WEBHOOK_KEY: KEY });
    expect(inspect(settings, { depth: 9 })).not.toContain(KEY);
  });
});
