/** Measures how many refunds the API accepts and the worker completes per second on this machine, and checks that none is lost. */
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { Pool } from 'undici';
import { openRefundsClient, type OpenRefundsClient } from '../client/open.js';
import { isFinal } from '../domain/refund/states.js';
import { gatewayControl } from '../sandbox/control-client.js';
import { allRefunds, compareBooks } from '../sandbox/demo/books.js';
import { startSandbox, type Sandbox } from '../sandbox/stack.js';
import { printOnStderr } from '../sandbox/servers/progress.js';
import { readSettings } from '../settings/read.js';

const USAGE = `usage: npm run bench -- api [--seconds N] [--concurrency N] [--json]

  --seconds      how long refunds are requested; default 60
  --concurrency  requests at the same time; default 16
  --json         prints the figures as JSON on stdout
`;
/** Enough payments that two refunds rarely wait for the same payment's row. */
const PAYMENTS = 400;
/** An accepted refund that is not final after this time counts as lost. */
const DRAIN_WITHIN_MS = 10 * 60_000;

interface Figures {
  readonly cores: number;
  readonly seconds: number;
  readonly concurrency: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly acceptedPerSecond: number;
  /** Completed by the worker while requests were being sent. */
  readonly completedPerSecond: number;
  /** Measured from the first request until the last refund was final. */
  readonly completedPerSecondInAll: number;
  /** Accepted refunds divided by completed refunds, in the same seconds. */
  readonly acceptedToCompleted: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly drainSeconds: number;
  readonly lost: number;
  readonly booksDisagree: number;
}

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '60' },
      concurrency: { type: 'string', default: '16' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [seconds, concurrency] = [Number(values.seconds), Number(values.concurrency)];
  if (values.help || ![seconds, concurrency].every((value) => Number.isInteger(value) && value > 0)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'refunds-bench-'));
  // Under root, PostgreSQL runs as another user, which must be able to pass through this folder.
  await chmod(dataDir, 0o711);
  const settings = { REFUNDS_DATA_DIR: dataDir, REFUNDS_WORKER_PROFILE: 'standard', REFUNDS_PORT: '' };
  const sandbox = await startSandbox({ ...process.env, ...settings }, printOnStderr);
  try {
    const opened = openRefundsClient(readSettings(sandbox.env), sandbox.env);
    try {
      const figures = await measure(sandbox, opened, seconds, concurrency);
      process.stdout.write(`${values.json ? JSON.stringify(figures) : tableOf(figures)}\n`);
      return figures.lost === 0 && figures.booksDisagree === 0 ? 0 : 1;
    } finally {
      await opened.close();
    }
  } finally {
    await sandbox.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function measure(
  sandbox: Sandbox,
  opened: OpenRefundsClient,
  seconds: number,
  concurrency: number,
): Promise<Figures> {
  const gateway = gatewayControl(sandbox.gateway.url);
  printOnStderr(`  creating ${PAYMENTS} payments …`);
  const payments: string[] = [];
  for (let made = 0; made < PAYMENTS; made += 1) {
    const order = { type: 'DB', amount: '900000.00', currency: 'EUR' } as const;
    payments.push((await gateway.createPayment(order)).paymentId);
  }
  const api = new Pool(sandbox.api.url, { connections: concurrency });
  const accepted: string[] = [];
  const durations: number[] = [];
  let rejected = 0;

  async function requestRefund(index: number): Promise<void> {
    const begun = performance.now();
    const answer = await api.request({
      method: 'POST',
      path: '/v1/refunds',
      headers: {
        authorization: `Bearer ${sandbox.apiKeys.submit}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
      body: JSON.stringify({
        paymentId: payments[index % payments.length],
        amount: '1.00',
        currency: 'EUR',
        reason: 'order_cancelled',
      }),
    });
    await answer.body.dump();
    if (answer.statusCode !== 202) {
      rejected += 1;
      return;
    }
    durations.push(performance.now() - begun);
    accepted.push(String(answer.headers['location']).slice('/v1/refunds/'.length));
  }

  // The first refund of a payment queries the gateway for it, later ones do not. It is left out of the measurement.
  for (let first = 0; first < PAYMENTS; first += concurrency)
    await Promise.all(
      Array.from({ length: Math.min(concurrency, PAYMENTS - first) }, (_, more) =>
        requestRefund(first + more),
      ),
    );
  await untilDone(opened, accepted.length);
  const before = accepted.length;
  durations.length = 0;

  const begun = performance.now();
  const until = begun + seconds * 1_000;
  let next = 0;
  const clients = Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < until) await requestRefund((next += 1));
    }),
  );
  while (performance.now() < until) {
    await sleep(Math.min(5_000, Math.max(1, until - performance.now())));
    const done = (await completed(opened)) - before;
    printOnStderr(
      `  ${Math.round((performance.now() - begun) / 1_000)} s: ${accepted.length - before} accepted, ${done} completed`,
    );
  }
  const elapsed = (performance.now() - begun) / 1_000;
  const [requested, done] = [accepted.length - before, (await completed(opened)) - before];
  await clients;
  await api.close();

  await untilDone(opened, accepted.length);
  const inAll = (performance.now() - begun) / 1_000;
  printOnStderr("  comparing the ledger with the gateway's books …");
  const refunds = await allRefunds(opened.ledger);
  const ended = new Set(refunds.filter(({ state }) => isFinal(state)).map(({ id }) => id));
  const sorted = durations.toSorted((a, b) => a - b);
  return {
    cores: cpus().length,
    seconds,
    concurrency,
    accepted: accepted.length,
    rejected,
    acceptedPerSecond: requested / elapsed,
    completedPerSecond: done / elapsed,
    completedPerSecondInAll: (accepted.length - before) / inAll,
    acceptedToCompleted: requested / Math.max(1, done),
    p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    drainSeconds: inAll - elapsed,
    lost: accepted.filter((id) => !ended.has(id)).length,
    booksDisagree: compareBooks(refunds, await gateway.transactions()).length,
  };
}

async function untilDone(opened: OpenRefundsClient, wanted: number): Promise<void> {
  const until = performance.now() + DRAIN_WITHIN_MS;
  for (let last = -1; performance.now() < until;) {
    const done = await completed(opened);
    if (done >= wanted) return;
    if (done !== last) printOnStderr(`  ${wanted - done} refunds not completed yet …`);
    last = done;
    await sleep(1_000);
  }
}

async function completed({ database }: OpenRefundsClient): Promise<number> {
  const { count } = await database.db
    .selectFrom('refunds')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('state', '=', 'succeeded')
    .executeTakeFirstOrThrow();
  return Number(count);
}

function tableOf(figures: Figures): string {
  const table = new Table({ head: ['refunds', 'figure'], style: { head: [], border: [] } });
  const one = (value: number): string => value.toFixed(1);
  table.push(
    [`accepted by the API per second (${figures.concurrency} at a time)`, one(figures.acceptedPerSecond)],
    ['completed by the worker per second, meanwhile', one(figures.completedPerSecond)],
    ['accepted for each completed', figures.acceptedToCompleted.toFixed(2)],
    ['completed per second, until the last one', one(figures.completedPerSecondInAll)],
    ['response time of the API, p50 / p99, ms', `${one(figures.p50Ms)} / ${one(figures.p99Ms)}`],
    ['accepted / rejected', `${figures.accepted} / ${figures.rejected}`],
    ['accepted but not final (lost)', figures.lost],
    ["differences between the ledger and the gateway's books", figures.booksDisagree],
  );
  return `${table.toString()}\n${figures.seconds} s on ${figures.cores} cores, everything on this machine.`;
}
