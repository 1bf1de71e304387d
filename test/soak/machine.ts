/** Servers, workers and API of a soak run. Each may be killed, and restarts at the same address with its data. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGatewayServer, type GatewayServer } from '../../sandbox/gateway/server.js';
import { startNodeProcess, type NodeProcess } from '../../sandbox/node-process.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import { startPostgres } from '../../sandbox/servers/postgres.js';
import { findTemporal } from '../../sandbox/servers/temporal-binary.js';
import { startTemporal } from '../../sandbox/servers/temporal.js';
import { workflowBundleIn } from '../../sandbox/workflow-bundle.js';
import { formatAmount, storedMoney } from '../../domain/money/money.js';
import { migrate } from '../../ledger/db/migrate.js';
import { startClient, type Client } from './events-receiver.js';
import { APPROVAL_ABOVE } from './money.js';

/** A day becomes 35 seconds and the gateway's visibility lag 360 ms; windows that time real I/O keep their floors. */
const TIME_SCALE = '0.0004';
const WORKERS = 2;
const BACK_WITHIN_MS = 120_000;

export interface Machine {
  readonly gateway: GatewayServer;
  /** URL that receives the gateway's notifications, and the entity that they are about. */
  readonly webhooks: { readonly url: string; readonly entityId: string };
  /** Endpoint that receives the events of the refunds. */
  readonly client: Client;
  /** Environment of a worker of this machine, or of a client. */
  readonly env: NodeJS.ProcessEnv;
  readonly databaseUrl: string;
  /** Each connects to PostgreSQL under its own `name`. */
  readonly workers: readonly { readonly name: string; readonly process: NodeProcess }[];
  /** Connects to PostgreSQL as `api`. */
  readonly api: { readonly url: string; readonly process: NodeProcess };
  /** Sends SIGKILL, and restarts the server `downMs` later. */
  crashTemporal(downMs: number): Promise<void>;
  crashDatabase(downMs: number): Promise<void>;
  /** Resolves when every worker is ready and `/readyz` of the API answers 200. Throws if one does not come back. */
  allBack(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts everything in a temporary folder. If a part fails, stops the parts that have started. */
export async function startMachine(print: (line: string) => void): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'refunds-soak-'));
  // As root, PostgreSQL runs as a user of its own, which needs access.
  await chmod(folder, 0o711);
  const cleanUp: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const undo of cleanUp.splice(0).reverse()) await undo();
  };
  try {
    const { path: binary } = await findTemporal();
    const temporalOptions = { binary, dbFilename: join(folder, 'temporal.db'), port: await freePort() };
    // With fsync: without it PostgreSQL answers a commit before it is written, and a crash would lose it.
    const postgresOptions = { dataDir: join(folder, 'postgres'), port: await freePort() };
    const webhookKey = randomBytes(32).toString('hex');
    const entity = {
      id: randomBytes(16).toString('hex'),
      token: randomBytes(16).toString('hex'),
      webhookKey,
    };
    // Chosen before anything starts: the gateway posts its notifications there, also after the API restarts.
    const apiPort = await freePort();
    const apiUrl = `http://127.0.0.1:${apiPort}`;
    const webhooks = { url: `${apiUrl}/webhooks/oppwa`, entityId: entity.id };

    print('starting PostgreSQL, Temporal, the gateway, the API and two workers');
    let postgres = await startPostgres(postgresOptions);
    cleanUp.push(() => postgres.stop());
    let temporal = await startTemporal(temporalOptions);
    cleanUp.push(() => temporal.stop());
    const gateway = await startGatewayServer({
      entities: [entity],
      // Its first seven tries take three seconds; the next comes a day later, half a minute here.
      webhooks: { url: webhooks.url, timeFactor: Number(TIME_SCALE) },
    });
    cleanUp.push(() => gateway.close());
    const eventsSecret = `whsec_${randomBytes(32).toString('base64')}`;
    const client = await startClient(eventsSecret);
    cleanUp.push(() => client.close());
    await migrate(postgres.url);
    const bundle = await workflowBundleIn(folder);

    const codecKeys = join(folder, 'codec.keys');
    await writeFile(codecKeys, `soak:${randomBytes(32).toString('base64')}\n`);

    const env: NodeJS.ProcessEnv = {
      ...withoutSettings(process.env),
      DATABASE_URL: postgres.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      OPPWA_BASE_URL: gateway.url,
      OPPWA_ENTITY_ID: entity.id,
      OPPWA_ACCESS_TOKEN: entity.token,
      OPPWA_WEBHOOK_KEY: webhookKey,
      REFUNDS_TIME_SCALE: TIME_SCALE,
      REFUNDS_CREDIT_APPROVAL_ABOVE: [...APPROVAL_ABOVE]
        .map(([currency, minor]) => `${currency}:${formatAmount(storedMoney(minor, currency))}`)
        .join(','),
      REFUNDS_EVENTS_URL: client.url,
      REFUNDS_EVENTS_SECRET: eventsSecret,
      REFUNDS_CODEC: 'required',
      REFUNDS_CODEC_KEYS_FILE: codecKeys,
      REFUNDS_SCHEDULES: 'on',
      REFUNDS_WORKER_PROFILE: 'small',
      REFUNDS_WORKFLOW_BUNDLE: bundle,
    };
    // The processes are meant to die: their output is shown only if one does not come back.
    const lastOutput: string[] = [];
    const record = (line: string): void => {
      lastOutput.push(line);
      if (lastOutput.length > 20) lastOutput.shift();
    };
    const readyWithinMs = BACK_WITHIN_MS;
    const workers = await Promise.all(
      Array.from({ length: WORKERS }, async (_, index) => {
        const name = `worker-${index + 1}`;
        const options = { name, entry: 'worker/main.ts', env: { ...env, PGAPPNAME: name }, print: record };
        return { name, process: await startNodeProcess({ ...options, readyWithinMs }) };
      }),
    );
    cleanUp.push(async () => {
      await Promise.all(workers.map((worker) => worker.process.stop()));
    });
    const api = await startNodeProcess({
      name: 'api',
      entry: 'server/api/main.ts',
      env: {
        ...env,
        PGAPPNAME: 'api',
        REFUNDS_PORT: String(apiPort),
        // One client makes all requests here.
        REFUNDS_REQUESTS_PER_MINUTE: '1000000',
        REFUNDS_DATA_DIR: folder,
      },
      print: record,
      readyWithinMs,
    });
    cleanUp.push(() => api.stop());

    return {
      gateway,
      webhooks,
      client,
      env,
      databaseUrl: postgres.url,
      workers,
      api: { url: apiUrl, process: api },
      async crashTemporal(downMs) {
        await temporal.kill();
        await sleep(downMs);
        temporal = await startTemporal(temporalOptions);
      },
      async crashDatabase(downMs) {
        await postgres.kill();
        await sleep(downMs);
        postgres = await startPostgres(postgresOptions);
      },
      async allBack() {
        const deadline = performance.now() + BACK_WITHIN_MS;
        const back = async (name: string, isBack: () => boolean | Promise<boolean>): Promise<void> => {
          while (!(await isBack())) {
            if (performance.now() > deadline)
              throw new Error(`${name} did not come back:\n${lastOutput.join('\n')}`);
            await sleep(100);
          }
        };
        for (const { name, process: worker } of workers) await back(name, () => worker.pid() !== undefined);
        await back('api', () => isReady(apiUrl));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function isReady(apiUrl: string): Promise<boolean> {
  try {
    const { ok } = await fetch(`${apiUrl}/readyz`, { signal: AbortSignal.timeout(5_000) });
    return ok;
  } catch {
    return false;
  }
}

/** Removes the settings of the shell from which the run was started. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(DATABASE_URL|TEMPORAL_(?!CLI)|OPPWA_|REFUNDS_|PG)/.test(name)),
  );
}
