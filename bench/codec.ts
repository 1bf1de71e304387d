/** Measures refunds with encrypted payloads against refunds without, in turns on the same servers: latency, and processor time of worker and client. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openRefundsClient } from '../client/open.js';
import { startGatewayServer } from '../sandbox/gateway/server.js';
import { startNodeProcess } from '../sandbox/node-process.js';
import { startPostgres } from '../sandbox/servers/postgres.js';
import { startTemporal } from '../sandbox/servers/temporal.js';
import { workflowBundleIn } from '../sandbox/workflow-bundle.js';
import { readSettings } from '../settings/read.js';

const USAGE = `usage: npm run bench -- codec [--refunds N] [--rounds N]

  --refunds  refunds of one round, one after the other; default 100
  --rounds   rounds of each mode; default 3
`;
const ENTITY = '8ac7a4c9900000000000000000000001';
/** Ticks per second: Linux counts processor time in hundredths of a second. */
const TICKS = 100;
const MODES = ['off', 'required'] as const;
type Mode = (typeof MODES)[number];

interface Round {
  readonly latencies: readonly number[];
  readonly cpuMs: number;
}

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      refunds: { type: 'string', default: '100' },
      rounds: { type: 'string', default: '3' },
      help: { type: 'boolean', default: false },
    },
  });
  const [refunds, rounds] = [Number(values.refunds), Number(values.rounds)];
  if (values.help || !(refunds > 0) || !(rounds > 0)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const folder = await mkdtemp(join(tmpdir(), 'refunds-bench-'));
  const keys = join(folder, 'codec.keys');
  await writeFile(keys, `bench:${randomBytes(32).toString('base64')}\n`);
  const postgres = await startPostgres();
  const temporal = await startTemporal();
  const gateway = await startGatewayServer({ entities: [{ id: ENTITY, token: 'token' }] });
  const envFor = (mode: Mode): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    OPPWA_BASE_URL: gateway.url,
    OPPWA_ENTITY_ID: ENTITY,
    OPPWA_ACCESS_TOKEN: 'token',
    REFUNDS_QUERIES_PER_SECOND: '10000',
    REFUNDS_TASK_QUEUE: `codec-${mode}`,
    REFUNDS_SCHEDULES: 'off',
    REFUNDS_CODEC: mode,
    ...(mode === 'off' ? {} : { REFUNDS_CODEC_KEYS_FILE: keys }),
  });
  const bundle = await workflowBundleIn(folder);
  const open = async (mode: Mode) => {
    const env = envFor(mode);
    const worker = await startNodeProcess({
      name: `worker, codec ${mode}`,
      entry: 'worker/main.ts',
      env: { ...env, REFUNDS_WORKFLOW_BUNDLE: bundle },
      logFile: join(folder, `${mode}.log`),
      readyWithinMs: 300_000,
      print: (line) => process.stderr.write(`  ${line}\n`),
    });
    return { worker, ...openRefundsClient(readSettings(env), env) };
  };
  const opened = { off: await open('off'), required: await open('required') };

  async function round(mode: Mode, count: number): Promise<Round> {
    const { worker, client } = opened[mode];
    const pid = worker.pid();
    if (pid === undefined) throw new Error('the worker is not running');
    const own = process.cpuUsage();
    const before = await secondsOf(pid);
    const latencies: number[] = [];
    for (let done = 0; done < count; done += 1) {
      const { paymentId } = gateway.engine.createPayment({ type: 'DB', amount: 10_000n, currency: 'EUR' });
      const startedAt = performance.now();
      const { id } = await client.requestRefund({
        clientId: 'bench',
        idempotencyKey: randomUUID(),
        requestedBy: 'bench',
        request: { paymentId, amount: '100.00', currency: 'EUR', reason: 'goods_returned' },
      });
      await client.waitFor(id, 60_000);
      latencies.push(performance.now() - startedAt);
    }
    const used = process.cpuUsage(own);
    const cpuMs = ((await secondsOf(pid)) - before) * 1_000 + (used.user + used.system) / 1_000;
    return { latencies, cpuMs: cpuMs / count };
  }

  try {
    for (const mode of MODES) await round(mode, 20);
    const results = new Map<Mode, Round[]>(MODES.map((mode) => [mode, []]));
    for (let index = 0; index < rounds; index += 1)
      for (const mode of index % 2 === 0 ? MODES : [...MODES].reverse())
        results.get(mode)?.push(await round(mode, refunds));
    const figures = MODES.map((mode) => summary(results.get(mode) ?? []));
    for (const [index, { median, p99, cpuMs }] of figures.entries())
      process.stdout.write(
        `codec ${MODES[index] ?? ''}: median ${median.toFixed(1)} ms, 99 of 100 ${p99.toFixed(1)} ms, ${cpuMs.toFixed(1)} ms of CPU for each refund\n`,
      );
    const [off, required] = figures;
    if (off !== undefined && required !== undefined)
      process.stdout.write(
        `ratio required to off: median ${(required.median / off.median).toFixed(2)}, CPU ${(required.cpuMs / off.cpuMs).toFixed(2)}; ${rounds * refunds} refunds each; load average ${loadavg()[0]?.toFixed(1) ?? '?'} on ${cpus().length} cores\n`,
      );
    return 0;
  } finally {
    for (const one of Object.values(opened)) {
      await one.close();
      await one.worker.stop();
    }
    await gateway.close();
    await Promise.all([temporal.stop(), postgres.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}

function summary(rounds: readonly Round[]): { median: number; p99: number; cpuMs: number } {
  const sorted = rounds.flatMap(({ latencies }) => latencies).sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
  return {
    median: at(0.5),
    p99: at(0.99),
    cpuMs: rounds.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / Math.max(1, rounds.length),
  };
}

/** Returns the processor time of a process: user and system, the 14th and 15th field. */
async function secondsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
