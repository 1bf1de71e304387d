/** Measures the memory and processor time of an idle worker that serves one entity, and of one that serves hundreds. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startNodeProcess } from '../sandbox/node-process.js';
import { startPostgres } from '../sandbox/servers/postgres.js';
import { startTemporal } from '../sandbox/servers/temporal.js';

const USAGE = `usage: npm run bench -- entities [--count N] [--seconds N]

  --count    entities; default 300
  --seconds  how long the idle worker is measured; default 30
`;
/** Ticks per second: Linux counts processor time in hundredths of a second. */
const TICKS = 100;
const SETTLE_MS = 10_000;

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: 'string', default: '300' },
      seconds: { type: 'string', default: '30' },
      help: { type: 'boolean', default: false },
    },
  });
  const [count, seconds] = [Number(values.count), Number(values.seconds)];
  if (values.help || !(count > 0) || !(seconds > 0)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  for (const entities of [1, count]) {
    const { mib, percent } = await measure(entities, seconds);
    process.stdout.write(
      `${entities} entities: ${mib.toFixed(0)} MiB resident, ${percent.toFixed(1)} % of one core while idle\n`,
    );
  }
  process.stdout.write(`load average ${loadavg()[0]?.toFixed(1) ?? '?'} on ${cpus().length} cores\n`);
  return 0;
}

async function measure(count: number, seconds: number): Promise<{ mib: number; percent: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'refunds-bench-'));
  const config = join(folder, 'entities.json');
  await writeFile(
    config,
    JSON.stringify({
      entities: Array.from({ length: count }, (_, at) => ({
        id: (at + 1).toString(16).padStart(32, '0'),
        baseUrl: 'http://127.0.0.1:1',
        accessToken: 'unused',
      })),
    }),
  );
  const postgres = await startPostgres();
  const temporal = await startTemporal();
  const worker = await startNodeProcess({
    name: 'worker',
    entry: 'worker/main.ts',
    env: {
      ...process.env,
      DATABASE_URL: postgres.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      REFUNDS_CONFIG: config,
      REFUNDS_SCHEDULES: 'off',
    },
    logFile: join(folder, 'worker.log'),
    readyWithinMs: 300_000,
    print: (line) => process.stderr.write(`  ${line}\n`),
  });
  try {
    await pause(SETTLE_MS);
    const pid = worker.pid();
    if (pid === undefined) throw new Error('the worker is not running');
    const before = await secondsOf(pid);
    await pause(seconds * 1_000);
    const percent = ((await secondsOf(pid)) - before) / (seconds / 100);
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const kib = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
    return { mib: kib / 1024, percent };
  } finally {
    await worker.stop();
    await temporal.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns the processor seconds that a process has used so far. */
async function secondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // Fields 14 and 15 are user and system time. The process name in brackets, field 2, may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
