/**
 * Searches for a card and its security code in every place where a server writes, after credits to the card over the HTTP API: one is paid,
 * one is declined, and the answer of one is lost. In each place a planted card is found.
 */
import { randomUUID } from 'node:crypto';
import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { isFinal } from '../../domain/refund/states.js';
import { readinessOf } from '../../client/readiness.js';
import { buildApi } from '../../server/api/server.js';
import { createLog } from '../../settings/log.js';
import { refundOf } from '../api/harness.js';
import { CHROMIUM, HOW_TO_GET_CHROMIUM, startChromium } from '../support/chromium.js';
import { textsIn } from '../support/leaks.js';
import { formsInFile, formsInFolder, formsInText, needlesOf } from './forms.js';
import { startServers } from './servers.js';

/** The card of the gateway's own sample of a credit. */
const CARD = {
  brand: 'VISA',
  number: '4200000000000000',
  holder: 'John Smith',
  expiryMonth: '02',
  expiryYear: '2034',
  cvv: '123',
};
const NEEDLES = needlesOf({ numbers: [CARD.number], codes: [CARD.cvv] });
const PLANTED = `card.number=${CARD.number}&card.cvv=${CARD.cvv}`;

const servers = await startServers();
afterAll(() => servers.close());
const { harness } = servers;
const { call, stack } = harness;
const { db } = stack.database;
const supervisor = await harness.newKey('supervisor', 'approve');

const cardRefs: string[] = [];
const refunds: string[] = [];

async function seal(): Promise<string> {
  const { status, body } = await call('POST', '/v1/cards', { body: CARD });
  expect(status).toBe(201);
  const { cardRef } = z.object({ cardRef: z.string() }).parse(body);
  cardRefs.push(cardRef);
  return cardRef;
}

async function credit(amount: string): Promise<string> {
  const cardRef = await seal();
  const asked = await call('POST', '/v1/credits', {
    headers: { 'idempotency-key': randomUUID() },
    body: { amount, currency: 'EUR', reason: 'goodwill', destination: { cardRef } },
  });
  expect(asked.status).toBe(202);
  const { id } = refundOf(asked);
  refunds.push(id);
  for await (const { approval } of stack.client.watch(id, { signal: AbortSignal.timeout(60_000) }))
    if (approval !== null) {
      const body = { instruction: approval.instruction, reason: 'agreed with the customer' };
      expect((await call('POST', `/v1/refunds/${id}/approve`, { key: supervisor, body })).status).toBe(200);
      break;
    }
  for await (const { state } of stack.client.watch(id, { signal: AbortSignal.timeout(60_000) }))
    if (isFinal(state) || state === 'manual_review') return state;
  throw new Error('unreachable');
}

/** Answers to wrong requests that hold the card, by their status. */
const errors = new Map<number, string>();

async function provokeErrors(): Promise<void> {
  const key = await harness.newKey('errors', 'submit', 'read', 'operate');
  const destroyed = await seal();
  await call('DELETE', `/v1/cards/${destroyed}`);
  const withoutCards = await buildApi({
    client: stack.client,
    ledger: stack.dependencies.ledger,
    database: stack.database,
    log: createLog({ role: 'api', to: { write: (line) => stack.logged.push(line) } }),
    requestsPerMinute: 1_000,
    readiness: readinessOf(stack.database, stack.temporal),
    limits: stack.limits,
  });
  const card = JSON.stringify(CARD);
  const requests: [number, string, string, string, Record<string, string>?][] = [
    [400, 'POST', '/v1/cards', card.slice(0, -1)],
    [400, 'POST', '/v1/cards', `{${card}`],
    [422, 'POST', `/v1/cards/${CARD.number}/cvv`, JSON.stringify({ cvv: CARD.cvv })],
    [404, 'POST', `/v1/cards/${randomUUID()}/cvv`, JSON.stringify({ cvv: CARD.cvv })],
    [404, 'POST', `/v1/${CARD.number}?${PLANTED}`, card],
    [409, 'POST', `/v1/cards/${destroyed}/cvv`, JSON.stringify({ cvv: CARD.cvv })],
    [413, 'POST', '/v1/cards', JSON.stringify({ ...CARD, extra: 'x'.repeat(300_000) })],
    [415, 'POST', '/v1/cards', PLANTED, { 'content-type': 'application/x-www-form-urlencoded' }],
    [422, 'POST', '/v1/cards', JSON.stringify({ ...CARD, brand: 'MASTER' })],
    [422, 'POST', '/v1/cards', JSON.stringify({ ...CARD, [CARD.number]: PLANTED })],
    [422, 'POST', '/v1/credits', card, { 'idempotency-key': randomUUID() }],
    [
      422,
      'POST',
      '/v1/credits',
      JSON.stringify({
        ...{ amount: '1.00', currency: 'EUR', destination: { cardRef: destroyed } },
        ...{ reason: PLANTED, orderId: CARD.number, metadata: { [CARD.number]: PLANTED } },
      }),
      { 'idempotency-key': CARD.number },
    ],
  ];
  const statuses: [number, number][] = [];
  for (const [expected, method, path, body, headers = {}] of requests) {
    const answer = await call(method, path, {
      key,
      body,
      headers: { 'x-request-id': CARD.number, ...headers },
    });
    statuses.push([expected, answer.status]);
    const text = JSON.stringify([[...answer.headers], answer.body]);
    errors.set(answer.status, `${errors.get(answer.status) ?? ''}${text}`);
  }
  expect(statuses.map(([, status]) => status)).toEqual(statuses.map(([expected]) => expected));
  const refused = await withoutCards.inject({
    ...{ method: 'POST', url: '/v1/cards', payload: card },
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  });
  expect(refused.statusCode).toBe(501);
  errors.set(501, refused.payload);
  await withoutCards.close();
}

beforeAll(async () => {
  expect(await credit('100.00')).toBe('succeeded');
  stack.fault({ kind: 'reject', code: '800.100.152' }, { paymentType: 'CD', amount: '11.00' });
  expect(await credit('11.00')).not.toBe('succeeded');
  stack.fault({ kind: 'accept_then_drop' }, { paymentType: 'CD', amount: '12.00' });
  expect(await credit('12.00')).toBe('succeeded');
  await provokeErrors();
});

interface Searched {
  readonly found: readonly string[];
  /** Rows, files, lines or events that were read. */
  readonly read: number;
}
interface Place {
  readonly name: string;
  search(): Promise<Searched>;
  /** Writes the text to the place and returns the call that removes it. */
  plant(text: string): Promise<() => Promise<void>>;
}

const inTexts = (texts: readonly string[]): Searched => ({
  found: texts.flatMap((text) => formsInText(text, NEEDLES)),
  read: texts.filter((text) => text !== '').length,
});
const inFolder = async (folder: string): Promise<Searched> => {
  const { found, files } = await formsInFolder(folder, NEEDLES);
  return { found, read: files };
};
const pushed = (lines: string[]) => async (text: string) => {
  lines.push(text);
  return async () => void lines.splice(lines.indexOf(text), 1);
};

/** Returns the rows of every table, as `COPY` writes them. */
async function dump(): Promise<string[]> {
  const tables = await sql<{ schema: string; name: string }>`
    SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema <> 'information_schema'`.execute(db);
  const texts: string[] = [];
  for (const { schema, name } of tables.rows) {
    const { rows } = await sql<{ row: string }>`SELECT t::text AS row FROM ${sql.id(schema, name)} t`.execute(
      db,
    );
    texts.push(rows.map(({ row }) => row).join('\n'));
  }
  return texts;
}

async function postgresFolder(): Promise<string> {
  const { rows } = await sql<{ data_directory: string }>`SHOW data_directory`.execute(db);
  await sql`CHECKPOINT`.execute(db);
  return rows[0]?.data_directory ?? expect.fail('PostgreSQL has no folder');
}

async function plantRow(text: string): Promise<() => Promise<void>> {
  const note = (value: string | null) =>
    sql`UPDATE refunds SET order_id = ${value} WHERE id = ${refunds[0]}`.execute(db);
  await note(text);
  return async () => {
    await note(null);
  };
}

/** Returns each history as it is exported, and all of its texts with the bytes of payloads read as text. */
async function histories(): Promise<string[]> {
  const texts: string[] = [];
  for await (const { workflowId, runId } of stack.temporal.workflow.list()) {
    const history = await stack.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    texts.push(historyToJSON(history), [...textsIn(history)].join('\n'));
  }
  return texts;
}

async function plantWorkflow(text: string): Promise<() => Promise<void>> {
  const handle = await stack.temporal.workflow.start('anything', {
    ...{ workflowId: randomUUID(), taskQueue: randomUUID(), args: [{ text }] },
  });
  await expect
    .poll(histories, { timeout: 20_000 })
    .toContainEqual(expect.stringContaining(handle.workflowId));
  return async () => {
    await handle.terminate('a test');
  };
}

const textOf = async (url: string): Promise<string> => (await fetch(url)).text();
let plantedInMetrics = '';
const metrics = async () => [
  `${await textOf(`${harness.url}/metrics`)}\n${plantedInMetrics}`,
  await textOf(servers.workerMetrics),
];

/** Returns the pages of the console as a browser shows them. */
async function pages(): Promise<string[]> {
  const chromium = await startChromium();
  try {
    const page = await (await chromium.open()).newPage();
    await page.goto(`${harness.url}/console/`);
    await page
      .getByLabel('API key or token')
      .fill(await harness.newKey(`browser-${randomUUID()}`, 'read', 'operate', 'submit'));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Queue' }).waitFor();
    const texts: string[] = [];
    for (const path of ['', 'refunds', 'credit', ...refunds.map((id) => `refunds/${id}`)]) {
      await page.goto(`${harness.url}/console/${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      // The stream of updates stays open, so the network is never idle.
      await page.waitForTimeout(1_000);
      texts.push(await page.content());
    }
    return texts;
  } finally {
    await chromium.close();
  }
}

const errorTexts: string[] = [];
const gatewayTexts: string[] = [];
const PLACES: readonly Place[] = [
  { name: 'all tables', search: async () => inTexts(await dump()), plant: plantRow },
  {
    name: 'the write-ahead log',
    search: async () => inFolder(join(await postgresFolder(), 'pg_wal')),
    plant: plantRow,
  },
  { name: 'exported histories', search: async () => inTexts(await histories()), plant: plantWorkflow },
  { name: "Temporal's database file", search: () => inFolder(servers.temporalFolder), plant: plantWorkflow },
  {
    name: 'log lines of the worker',
    search: async () => inTexts(servers.workerLines),
    plant: pushed(servers.workerLines),
  },
  {
    name: 'log lines of the API',
    search: async () => inTexts([...harness.logged, ...stack.logged]),
    plant: pushed(stack.logged),
  },
  {
    name: 'metrics of the API and the worker',
    search: async () => inTexts(await metrics()),
    plant: async (text) => {
      plantedInMetrics = text;
      return async () => void (plantedInMetrics = '');
    },
  },
  {
    name: 'bodies and headers of errors',
    search: async () => inTexts([...errors.values(), ...errorTexts]),
    plant: pushed(errorTexts),
  },
  {
    name: 'answers about refunds and cards',
    search: async () => {
      const paths = [
        ...refunds.flatMap((id) => [`/v1/refunds/${id}`, `/v1/refunds/${id}/timeline`]),
        ...cardRefs.map((id) => `/v1/cards/${id}`),
        '/v1/refunds',
      ];
      const answers = await Promise.all(paths.map((path) => call('GET', path)));
      expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
      return inTexts(answers.map(({ body }) => JSON.stringify(body)));
    },
    plant: plantRow,
  },
  {
    name: 'files of the console',
    search: () => inFolder(servers.consoleFiles),
    plant: async (text) => {
      const file = join(servers.consoleFiles, `${randomUUID()}.txt`);
      await writeFile(file, text);
      return () => rm(file);
    },
  },
  {
    name: "the gateway's log of requests and its books",
    search: async () =>
      inTexts([
        JSON.stringify(stack.gateway.requests()),
        JSON.stringify(stack.gateway.engine.transactions(), (_name, value: unknown) =>
          typeof value === 'bigint' ? String(value) : value,
        ),
        ...gatewayTexts,
      ]),
    plant: pushed(gatewayTexts),
  },
  {
    name: "the gateway's journal",
    search: async () => ({ found: await formsInFile(servers.journal, NEEDLES), read: 1 }),
    plant: async (text) => {
      await appendFile(servers.journal, text);
      return async () => undefined;
    },
  },
];

const counts: string[] = [];
it.each(PLACES)('$name: neither the card nor its code is found', async ({ name, search }) => {
  const { found, read } = await search();
  counts.push(`${name}: ${read} read`);
  expect(found).toEqual([]);
  expect(read).toBeGreaterThan(0);
});

it.skipIf(CHROMIUM === undefined)(
  `pages of the console have neither the card nor its code (needs Chromium: ${HOW_TO_GET_CHROMIUM})`,
  async () => {
    expect(inTexts(await pages()).found).toEqual([]);
    const remove = await plantRow(PLANTED);
    try {
      expect(inTexts(await pages()).found).toContain('card 1');
    } finally {
      await remove();
    }
  },
);

it.each(PLACES)('a card and a code that are planted in $name are found', async ({ search, plant }) => {
  const remove = await plant(PLANTED);
  try {
    const found = (await search()).found.join('\n');
    expect(found).toContain('card 1');
    expect(found).toContain('code 1');
  } finally {
    await remove();
  }
});

it('searched every status of wrong requests', () => {
  console.log(`Searched for ${NEEDLES.length} forms:\n${counts.join('\n')}`);
  expect([...errors.keys()].sort()).toEqual([400, 404, 409, 413, 415, 422, 501]);
});
