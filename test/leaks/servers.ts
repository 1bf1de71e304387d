/** Starts real servers of which every file can be read: PostgreSQL and Temporal with a folder each, a worker process, the API and the gateway's journal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { migrate } from '../../ledger/db/migrate.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import { startPostgres } from '../../sandbox/servers/postgres.js';
import { startTemporal } from '../../sandbox/servers/temporal.js';
import { programArguments } from '../../sandbox/program.js';
import { consoleFolder } from '../../server/api/console.js';
import { startApi, type ApiHarness } from '../api/harness.js';

export interface Servers {
  readonly harness: ApiHarness;
  /** Folder of Temporal's database file. */
  readonly temporalFolder: string;
  /** The gateway's journal. */
  readonly journal: string;
  /** Folder of the console's built files. */
  readonly consoleFiles: string;
  /** All output of the worker. */
  readonly workerLines: string[];
  readonly workerMetrics: string;
  close(): Promise<void>;
}

export async function startServers(): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'refunds-places-'));
  const [temporalFolder, journal] = [join(folder, 'temporal'), join(folder, 'gateway', 'journal')];
  await mkdir(temporalFolder);
  const [postgres, temporal, consoleFiles, port] = await Promise.all([
    startPostgres(),
    startTemporal({ dbFilename: join(temporalFolder, 'temporal.db') }),
    consoleFolder('.data'),
    freePort(),
  ]);
  await migrate(postgres.url);
  const harness = await startApi({
    worker: false,
    databaseUrl: postgres.url,
    temporal,
    gatewayJournal: journal,
    api: { console: { folder: consoleFiles, namespace: temporal.namespace } },
  });
  const child = spawn(process.execPath, programArguments('worker/main.ts'), {
    env: {
      ...harness.stack.env,
      REFUNDS_WORKER_PROFILE: 'small',
      REFUNDS_QUERIES_PER_SECOND: '1000',
      REFUNDS_METRICS_PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const workerLines: string[] = [];
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => workerLines.push(line));
  return {
    harness,
    temporalFolder,
    journal,
    consoleFiles,
    workerLines,
    workerMetrics: `http://127.0.0.1:${port}/metrics`,
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      try {
        await harness.close();
      } finally {
        await Promise.all([postgres.stop(), temporal.stop()]);
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
