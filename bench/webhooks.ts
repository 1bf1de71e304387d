/** How fast notices are acknowledged, and whether one is lost: so many a second, encrypted, to the API's own server on real PostgreSQL. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { sql } from 'kysely';
import { Pool } from 'undici';
import { openDatabase, type Database } from '../ledger/database.js';
import { startNodeProcess } from '../sandbox/node-process.js';
import { encryptWebhook } from '../sandbox/gateway/webhooks.js';
import { freePort } from '../sandbox/servers/free-port.js';
import { startPostgres } from '../sandbox/servers/postgres.js';

interface WebhookLoad {
  readonly perSecond: number;
  readonly seconds: number;
}

interface WebhookFigures {
  readonly sent: number;
  /** Answers that were not 2xx, or none. */
  readonly refused: number;
  /** Acknowledged, and not in the table. */
  readonly lost: number;
  readonly processed: number;
  /** Milliseconds from the moment at which it was to be sent, so that a queue at the sender counts. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

const ENTITY = '8ac7a4c79394bdc801939736f17e063d';
const EVERY_MS = 10;
const DRAIN_MS = 60_000;

const USAGE = `usage: npm run bench -- webhooks [--seconds N] [--rate N] [--json]

  --seconds  how long notices are sent; 60
  --rate     notices a second; 300
  --json     the figures as JSON on stdout
`;

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '60' },
      rate: { type: 'string', default: '300' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const load = { seconds: Number(values.seconds), perSecond: Number(values.rate) };
  if (values.help || !(load.seconds > 0) || !(load.perSecond > 0)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const figures = await measure(load, (line) => process.stderr.write(`  ${line}\n`));
  process.stdout.write(`${values.json ? JSON.stringify(figures) : tableOf(figures)}\n`);
  return figures.lost === 0 && figures.refused === 0 ? 0 : 1;
}

function tableOf({ sent, refused, lost, processed, p50, p95, p99, max }: WebhookFigures): string {
  const table = new Table({ head: ['notices', 'figure'], style: { head: [], border: [] } });
  table.push(
    ['sent / refused / lost', `${sent} / ${refused} / ${lost}`],
    ['processed', processed],
    ['answered, median / 95 / 99 of 100 / longest, ms', [p50, p95, p99, max].map(Math.round).join(' / ')],
  );
  return table.toString();
}

/** `say` is told how it goes, once a second. Needs no Temporal: the notices are about what nobody here knows. */
async function measure(
  { perSecond, seconds }: WebhookLoad,
  say: (line: string) => void,
): Promise<WebhookFigures> {
  const postgres = await startPostgres({ fsync: true });
  const key = randomBytes(32).toString('hex');
  const api = await startNodeProcess({
    name: 'API',
    entry: 'client/api/main.ts',
    env: {
      ...process.env,
      DATABASE_URL: postgres.url,
      REFUNDS_PORT: String(await freePort()),
      OPPWA_BASE_URL: 'http://127.0.0.1:1',
      OPPWA_ENTITY_ID: ENTITY,
      OPPWA_ACCESS_TOKEN: 'unused',
      OPPWA_WEBHOOK_KEY: key,
    },
    logFile: '/dev/null',
    say,
  });
  const database = openDatabase(postgres.url, { connections: 1 });
  const ready = api.ready();
  const url = typeof ready === 'object' && ready !== null && 'url' in ready ? String(ready.url) : '';
  const pool = new Pool(url, { connections: 64 });
  try {
    return await load({ perSecond, seconds }, key, pool, database, say);
  } finally {
    await pool.close();
    await database.close();
    await api.stop();
    await postgres.stop();
  }
}

async function load(
  { perSecond, seconds }: WebhookLoad,
  key: string,
  pool: Pool,
  database: Database,
  say: (line: string) => void,
): Promise<WebhookFigures> {
  const took: number[] = [];
  const total = perSecond * seconds;
  let refused = 0;
  let sent = 0;
  const answers: Promise<void>[] = [];

  async function send(dueAt: number): Promise<void> {
    const { headers, body } = encryptWebhook(key, JSON.stringify(notice()));
    try {
      const answer = await pool.request({ method: 'POST', path: '/webhooks/oppwa', headers, body });
      await answer.body.dump();
      if (answer.statusCode >= 300) refused += 1;
    } catch {
      refused += 1;
    }
    took.push(performance.now() - dueAt);
  }

  const begun = performance.now();
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) / 1_000) * perSecond));
    for (; sent < due; sent += 1) {
      answers.push(send(begun + ((sent + 1) / perSecond) * 1_000));
      if (sent % perSecond === 0)
        say(`${sent} of ${total} sent, ${took.length} answered, ${refused} refused`);
    }
    await pause(EVERY_MS);
  }
  await Promise.all(answers);

  const until = performance.now() + DRAIN_MS;
  let rows = await counts(database);
  while (rows.waiting > 0 && performance.now() < until) {
    await pause(100);
    rows = await counts(database);
  }
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return {
    sent,
    refused,
    lost: sent - refused - rows.all,
    processed: rows.all - rows.waiting,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
  };
}

async function counts({ db }: Database): Promise<{ readonly all: number; readonly waiting: number }> {
  const { rows } = await sql<{ every: bigint; waiting: bigint }>`
    SELECT count(*) AS every, count(*) FILTER (WHERE state = 'received') AS waiting FROM webhooks`.execute(
    db,
  );
  return { all: Number(rows[0]?.every ?? 0n), waiting: Number(rows[0]?.waiting ?? 0n) };
}

const hex = (): string => randomBytes(16).toString('hex');

/** Half are refunds that nobody here knows, which is the dearest look into the ledger; half are everyday payments. */
function notice(): object {
  const id = hex();
  return {
    type: 'PAYMENT',
    payload: {
      id,
      paymentType: id < '8' ? 'RF' : 'DB',
      paymentBrand: 'VISA',
      amount: '60.00',
      currency: 'EUR',
      merchantTransactionId: id.slice(0, 16).toUpperCase(),
      referencedId: hex(),
      result: { code: '000.100.110', description: 'Request successfully processed' },
      timestamp: new Date().toISOString(),
      shortId: '1234.5678.9012',
      channelName: 'bench',
      authentication: { entityId: ENTITY },
    },
  };
}
