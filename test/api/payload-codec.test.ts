/** The codec server: only signed-in people, only the allowed origins, each use on record, and Temporal's own command line. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { sql } from 'kysely';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { findTemporal } from '../../sandbox/servers/temporal-binary.js';
import { createPayloadCodec } from '../../temporal/codec/payload-codec.js';
import { refundWorkflowId } from '../../workflows/refund/contract.js';
import { codecWith, newKey } from '../codec/keys.js';
import { refundOf, startApi, type Call } from './harness.js';

const ORIGIN = 'https://temporal.example';
const { address, namespace } = inject('temporal');
const codec = codecWith('required', newKey('k2'), newKey('k1'));
const harness = await startApi({ codec, api: { payloadCodec: { codec, namespace, origins: [ORIGIN] } } });
afterAll(() => harness.close());
const ours = createPayloadCodec(codec, namespace);

const SECRET = 'a text of the customer';
const WORKFLOW = 'refund-1';
const answer = z.object({
  payloads: z.array(z.object({ metadata: z.record(z.string(), z.string()), data: z.string() })),
});
const jsonOf = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});
const plain = defaultPayloadConverter.toPayload(SECRET);
const encrypt = async (workflowId = WORKFLOW, by = ours) =>
  (await by.encode([plain], { type: 'workflow', namespace, workflowId })).map(jsonOf);

const decode = (payloads: readonly unknown[], call: Call = {}) =>
  harness.call('POST', '/codec/decode', { body: { payloads }, ...call });
const textsIn = (body: unknown): readonly string[] =>
  answer.parse(body).payloads.map(({ data }) => Buffer.from(data, 'base64').toString('utf8'));

const uses = async (): Promise<readonly Record<string, unknown>[]> => {
  const { rows } = await sql<Record<string, unknown>>`
    select principal, namespace, workflow_ids, payloads, at > now() - interval '5 minutes' as recent
    from payload_uses order by id`.execute(harness.stack.database.db);
  return rows;
};

describe('POST /codec/decode', () => {
  it('decodes for every role, and records who, when, how many and of which workflows', async () => {
    const before = (await uses()).length;
    const reader = await harness.newKey('anna', 'read');
    const { status, body } = await decode([...(await encrypt()), ...(await encrypt('refund-2'))], {
      key: reader,
      headers: { 'x-namespace': namespace },
    });
    expect(status).toBe(200);
    expect(textsIn(body)).toEqual([JSON.stringify(SECRET), JSON.stringify(SECRET)]);
    expect((await uses()).slice(before)).toEqual([
      {
        principal: 'anna',
        namespace,
        workflow_ids: ['refund-1', 'refund-2'],
        payloads: 2,
        recent: true,
      },
    ]);
    const lines = harness.logged.filter((line) => line.includes('codec.decoded'));
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(
      ['refund-1', 'refund-2'].map(
        (workflowId) => expect.objectContaining({ clientId: 'anna', workflowId, count: 1 }) as unknown,
      ),
    );
    expect(harness.logged.join()).not.toContain(SECRET);
  });

  it('passes payloads in the clear on, and records nothing', async () => {
    const before = await uses();
    const { status, body } = await decode([jsonOf(plain), {}]);
    expect([status, textsIn(body)]).toEqual([200, [JSON.stringify(SECRET), '']]);
    expect(await uses()).toEqual(before);
  });

  it('needs a key or token, and answers nothing without one', async () => {
    for (const key of [null, 'rk_000000000000_wrong']) {
      const { status, body } = await decode(await encrypt(), { key });
      expect(status).toBe(401);
      expect(JSON.stringify(body)).not.toContain(Buffer.from(SECRET).toString('base64').slice(4, 20));
    }
  });

  it.for([
    [
      'of an unknown key',
      () => encrypt(WORKFLOW, createPayloadCodec(codecWith('required', newKey('k9')), namespace)),
      'k9',
    ],
    [
      'of another namespace',
      async () =>
        (await ours.encode([plain], { type: 'workflow', namespace: 'other', workflowId: WORKFLOW })).map(
          jsonOf,
        ),
      'other',
    ],
    [
      'that was moved to another workflow',
      async () =>
        (await encrypt()).map(({ metadata, data }) => ({
          data,
          metadata: { ...metadata, 'workflow-id': Buffer.from('refund-3').toString('base64') },
        })),
      'k2',
    ],
    [
      'that is cut off',
      async () => (await encrypt()).map(({ metadata }) => ({ metadata, data: '' })),
      'short',
    ],
  ] as const)('answers 400 for a payload %s, and records nothing', async ([, make, named]) => {
    const before = await uses();
    const { status, body } = await decode([...(await encrypt()), ...(await make())]);
    expect([status, body]).toEqual([
      400,
      expect.objectContaining({
        code: 'payload_unreadable',
        detail: expect.stringContaining(named) as unknown,
      }),
    ]);
    expect(await uses()).toEqual(before);
  });

  it.for([
    ['no JSON', '{"payloads":', 400],
    ['no payloads', {}, 422],
    ['payloads that are no list', { payloads: {} }, 422],
    ['a payload that is a text', { payloads: ['x'] }, 422],
    ['data that is no base64', { payloads: [{ data: '%%' }] }, 422],
    ['metadata that is no text', { payloads: [{ metadata: { encoding: 1 } }] }, 422],
    ['a dangerous name', '{"payloads":[{"metadata":{"__proto__":"AA=="}}]}', 400],
    ['too many payloads', { payloads: Array.from({ length: 10_001 }, () => ({})) }, 422],
    ['a body that is too large', { payloads: [{ data: 'A'.repeat(8 * 1024 * 1024) }] }, 413],
  ] as const)('refuses %s', async ([, body, status]) => {
    expect((await harness.call('POST', '/codec/decode', { body })).status).toBe(status);
  });

  it('refuses a request for another namespace', async () => {
    expect((await decode(await encrypt(), { headers: { 'x-namespace': 'other' } })).status).toBe(400);
  });
});

it('encrypts nothing: a worker would believe it', async () => {
  const { status } = await harness.call('POST', '/codec/encode', {
    body: { payloads: [jsonOf(plain)] },
    headers: { 'x-workflow-id': WORKFLOW },
  });
  expect(status).toBe(404);
});

describe('a page of another origin', () => {
  const preflight = (origin: string) =>
    harness.call('OPTIONS', '/codec/decode', {
      key: null,
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-namespace',
      },
    });
  const allowed = ({ headers }: { readonly headers: Headers }) => headers.get('access-control-allow-origin');

  it('may call if its origin is listed, and can read a refusal', async () => {
    const answered = await preflight(ORIGIN);
    expect([answered.status, allowed(answered)]).toEqual([204, ORIGIN]);
    expect(answered.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(answered.headers.get('vary')).toMatch(/origin/iu);
    expect(allowed(await decode(await encrypt(), { headers: { origin: ORIGIN } }))).toBe(ORIGIN);
    const refused = await decode([], { key: null, headers: { origin: ORIGIN } });
    expect([refused.status, allowed(refused)]).toEqual([401, ORIGIN]);
  });

  it.for(['https://evil.example', 'null', 'http://temporal.example', `${ORIGIN}:8443`])(
    'may not call from %s',
    async (origin) => {
      expect(allowed(await preflight(origin))).toBeNull();
      expect(allowed(await decode(await encrypt(), { headers: { origin } }))).toBeNull();
    },
  );

  it('may call no other route', async () => {
    expect(allowed(await harness.call('GET', '/v1/me', { headers: { origin: ORIGIN } }))).toBeNull();
  });
});

describe('Temporal’s command line', () => {
  it('shows an encrypted history through the codec server, and only encrypted text without it', async () => {
    const { path } = await findTemporal();
    const { paymentId } = harness.stack.newPayment();
    const { id } = refundOf(await harness.ask(paymentId));
    await harness.stack.client.waitFor(id, 30_000);
    const auditor = await harness.newKey('auditor', 'read');
    const show = async (...more: readonly string[]): Promise<string> => {
      const args = ['workflow', 'show', '--address', address, '--namespace', namespace];
      const { stdout } = await promisify(execFile)(path, [
        ...[...args, '--workflow-id', refundWorkflowId(id), '--output', 'json', ...more],
      ]);
      return stdout;
    };
    const encrypted = await show();
    expect(encrypted).toContain(Buffer.from('binary/encrypted').toString('base64'));
    expect(encrypted).not.toContain('queryTaskQueue');
    const readable = await show(
      ...['--codec-endpoint', `${harness.url}/codec`, '--codec-auth', `Bearer ${auditor}`],
    );
    expect(
      readable + Buffer.from(readable.match(/"data": "([^"]+)"/u)?.[1] ?? '', 'base64').toString(),
    ).toContain('queryTaskQueue');
    expect(await uses()).toContainEqual(
      expect.objectContaining({ principal: 'auditor', workflow_ids: [refundWorkflowId(id)] }),
    );
  });
});
