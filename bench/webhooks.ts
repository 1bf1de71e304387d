/** Measures how fast the API acknowledges encrypted gateway notifications with a real PostgreSQL, and checks that none is lost. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { sql } from 'kysely';
import { openDatabase, type Database } from '../ledger/db/database.js';
import { startNodeProcess } from '../sandbox/node-process.js';
import { freePort } from '../sandbox/servers/free-port.js';
import { startPostgres } from '../sandbox/servers/postgres.js';
import { stallsBetween, watchDatabase, watchProcess, type Stall } from './stalls.js';
import { sendNotifications, warmUpSender, type Answered } from './webhook-load.js';

interface Wanted {
  readonly perSecond: number;
  readonly seconds: number;
  readonly diskMs: number;
}

interface WebhookFigures {
  /** The machine's load average before the start, caused by other programs. */
  readonly loadAverage: number;
  readonly cores: number;
  readonly sent: number;
  /** Notifications without a 2xx answer. */
  readonly rejected: number;
  /** Acknowledged, but not in the table. */
  readonly lost: number;
  readonly processed: number;
  /** Milliseconds from sending to the answer. */
  readonly answered: Spread;
  /** Milliseconds between the planned time and the sending. */
  readonly sentLate: Spread;
  readonly slowest: readonly Slow[];
}

interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

interface Slow {
  /** Seconds from the start of the run to its sending. */
  readonly second: number;
  readonly ms: number;
  readonly lateMs: number;
  /** The stalls between its sending and its answer. */
  readonly stalls: readonly string[];
}

const ENTITY = '8ac7a4c79394bdc801939736f17e063d';
const DRAIN_MS = 60_000;
const SLOWEST = 10;

const USAGE = `usage: npm run bench -- webhooks [--seconds N] [--rate N] [--json]

  --seconds  how long notifications are sent; default 60
  --rate     notifications per second; default 300
  --disk-ms  milliseconds added to each write of the database to its disk, up to 100; default 0
  --json     prints the figures as JSON on stdout
`;

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '60' },
      rate: { type: 'string', default: '300' },
      'disk-ms': { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const load = {
    seconds: Number(values.seconds),
    perSecond: Number(values.rate),
    diskMs: Number(values['disk-ms']),
  };
  if (values.help || !(load.seconds > 0) || !(load.perSecond > 0) || !(load.diskMs >= 0)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const figures = await measure(load, (line) => process.stderr.write(`  ${line}\n`));
  process.stdout.write(`${values.json ? JSON.stringify(figures) : tableOf(figures)}\n`);
  return figures.lost === 0 && figures.rejected === 0 ? 0 : 1;
}

function tableOf(figures: WebhookFigures): string {
  const { sent, rejected, lost, processed, answered, sentLate, slowest } = figures;
  const spread = ({ p50, p95, p99, max }: Spread): string =>
    [p50, p95, p99, max].map((ms) => ms.toFixed(0)).join(' / ');
  const table = new Table({ head: ['notifications', 'figure'], style: { head: [], border: [] } });
  table.push(
    ['load average before the start / processors', `${figures.loadAverage.toFixed(2)} / ${figures.cores}`],
    ['sent / rejected / lost', `${sent} / ${rejected} / ${lost}`],
    ['processed', processed],
    ['response time, p50 / p95 / p99 / max, ms', spread(answered)],
    ['delay of the sender, the same, ms', spread(sentLate)],
  );
  const slow = slowest.map(
    ({ second, ms, lateMs, stalls }) =>
      `  ${second.toFixed(2)} s: ${ms.toFixed(0)} ms (sent ${lateMs.toFixed(0)} ms late); ${stalls.join('; ') || 'no stall'}`,
  );
  return [table.toString(), 'The slowest, with the stalls meanwhile:', ...slow].join('\n');
}

/** Passes the progress to `print` once a second. Needs no Temporal server: no notification is of a refund in the ledger. */
async function measure(
  { perSecond, seconds, diskMs }: Wanted,
  print: (line: string) => void,
): Promise<WebhookFigures> {
  const loadAverage = loadavg()[0] ?? 0;
  const folder = await mkdtemp(join(tmpdir(), 'refunds-bench-'));
  const stallsFile = join(folder, 'stalls.json');
  const postgres = await startPostgres({ fsync: true });
  const key = randomBytes(32).toString('hex');
  const api = await startNodeProcess({
    name: 'API',
    entry: 'bench/watched-api.ts',
    env: {
      ...process.env,
      BENCH_STALLS: stallsFile,
      DATABASE_URL: postgres.url,
      REFUNDS_PORT: String(await freePort()),
      OPPWA_BASE_URL: 'http://127.0.0.1:1',
      OPPWA_ENTITY_ID: ENTITY,
      OPPWA_ACCESS_TOKEN: 'unused',
      OPPWA_WEBHOOK_KEY: key,
    },
    logFile: '/dev/null',
    print,
  });
  const database = openDatabase(postgres.url, { connections: 2 });
  const ready = api.ready();
  const url = typeof ready === 'object' && ready !== null && 'url' in ready ? String(ready.url) : '';
  try {
    const load = { perSecond, seconds, key, entityId: ENTITY };
    await warmUpSender(load);
    // A new cluster would otherwise write its first checkpoint during the measurement.
    await sql`CHECKPOINT`.execute(database.db);
    await slowDown(database, diskMs);
    const own = watchProcess('sender');
    const stopped = new AbortController();
    const ofDatabase = watchDatabase(database, stopped.signal);
    const begun = performance.timeOrigin + performance.now();
    const answered = await sendNotifications(url, load, print);
    stopped.abort();
    const stalls = [...own, ...(await ofDatabase)];
    const rows = await drained(database);
    await api.stop();
    stalls.push(...(JSON.parse(await readFile(stallsFile, 'utf8')) as readonly Stall[]));
    const rejected = answered.filter(({ isAcknowledged }) => !isAcknowledged).length;
    return {
      loadAverage,
      cores: cpus().length,
      sent: answered.length,
      rejected,
      lost: answered.length - rejected - rows.all,
      processed: rows.all - rows.waiting,
      answered: spreadOf(answered.map(({ ms }) => ms)),
      sentLate: spreadOf(answered.map(({ lateMs }) => lateMs)),
      slowest: slowestOf(answered, stalls, begun),
    };
  } finally {
    await database.close();
    await api.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Makes each commit wait `diskMs` longer for the disk. PostgreSQL's `commit_delay` does this if `commit_siblings` is 0. */
async function slowDown({ db }: Database, diskMs: number): Promise<void> {
  const microseconds = Math.min(100_000, Math.round(diskMs * 1_000));
  await sql`ALTER SYSTEM SET commit_siblings = 0`.execute(db);
  await sql`ALTER SYSTEM SET commit_delay = ${sql.lit(microseconds)}`.execute(db);
  await sql`SELECT pg_reload_conf()`.execute(db);
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

function slowestOf(answered: readonly Answered[], stalls: readonly Stall[], begun: number): readonly Slow[] {
  return answered
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, SLOWEST)
    .toSorted((a, b) => a.sentAt - b.sentAt)
    .map(({ sentAt, ms, lateMs }) => ({
      second: (sentAt - begun) / 1_000,
      ms,
      lateMs,
      stalls: stallsBetween(stalls, sentAt, sentAt + ms),
    }));
}

/** Returns the counts when no notification waits for processing, or after a minute. */
async function drained(database: Database): Promise<{ readonly all: number; readonly waiting: number }> {
  const until = performance.now() + DRAIN_MS;
  for (;;) {
    const rows = await counts(database);
    if (rows.waiting === 0 || performance.now() >= until) return rows;
    await pause(100);
  }
}

async function counts({ db }: Database): Promise<{ readonly all: number; readonly waiting: number }> {
  const { rows } = await sql<{ every: bigint; waiting: bigint }>`
    SELECT count(*) AS every, count(*) FILTER (WHERE state = 'received') AS waiting FROM webhooks`.execute(
    db,
  );
  return { all: Number(rows[0]?.every ?? 0n), waiting: Number(rows[0]?.waiting ?? 0n) };
}
