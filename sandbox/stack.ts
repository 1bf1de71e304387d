/** Everything that refunds need, on one machine: each part is ours unless a variable names another one. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { migrate } from '../ledger/db/migrate.js';
import { sandboxKeys, type SandboxKeys } from './api-keys.js';
import { SANDBOX_ENTITY, SANDBOX_TOKEN } from './gateway/process-settings.js';
import { startNodeProcess, type NodeProcess } from './node-process.js';
import { freePort, isFree } from './servers/free-port.js';
import { startPostgres } from './servers/postgres.js';
import { showing, type Say } from './servers/progress.js';
import { findTemporal } from './servers/temporal-binary.js';
import { startTemporal } from './servers/temporal.js';
import { workflowBundleIn } from './workflow-bundle.js';

/** A day becomes 17 seconds: every wait of the demonstration is still a wait. */
const TIME_SCALE = '0.0002';

export interface Sandbox {
  readonly temporal: string;
  readonly temporalUi: string | undefined;
  readonly database: string;
  /** The gateway that the worker talks to; `control` is there only when it is the simulated one. */
  readonly gateway: { readonly url: string; readonly control: boolean };
  readonly worker: NodeProcess;
  readonly api: { readonly url: string; readonly process: NodeProcess };
  readonly apiKeys: SandboxKeys;
  /** The environment that client, command line and worker share. */
  readonly env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

const readyLine = z.object({ url: z.string() });

/** Starts what is missing, shows what it waits for, and undoes what it started when something fails. */
export async function startSandbox(env: NodeJS.ProcessEnv, say: Say): Promise<Sandbox> {
  const dataDir = env['REFUNDS_DATA_DIR'] ?? '.data';
  await mkdir(dataDir, { recursive: true });
  const started: { name: string; stop: () => Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  try {
    // Before anything starts: the gateway has to know where its notices go, and the API where it listens.
    const port = await apiPort(env);
    const [temporal, database, gateway, bundle] = await Promise.all([
      theTemporal(env, started),
      theDatabase(env, dataDir, started),
      theGateway(env, dataDir, port, started, say),
      showing('workflow bundle', () => workflowBundleIn(dataDir)),
    ]);
    await migrate(database);
    const apiKeys = await sandboxKeys(database, dataDir);
    const shared: NodeJS.ProcessEnv = {
      ...env,
      DATABASE_URL: database,
      TEMPORAL_ADDRESS: temporal.address,
      ...(temporal.namespace === undefined ? {} : { TEMPORAL_NAMESPACE: temporal.namespace }),
      ...gateway.env,
      REFUNDS_DATA_DIR: dataDir,
      REFUNDS_PORT: String(port),
      ...(temporal.uiUrl === undefined ? {} : { REFUNDS_TEMPORAL_UI: temporal.uiUrl }),
    };
    const workerStarts = showing('worker', () =>
      startNodeProcess({
        name: 'worker',
        entry: 'worker/main.ts',
        env: { REFUNDS_WORKER_PROFILE: 'small', REFUNDS_WORKFLOW_BUNDLE: bundle, ...shared },
        logFile: join(dataDir, 'worker.log'),
        say,
      }),
    ).then((worker) => {
      started.push({ name: 'worker', stop: () => worker.stop() });
      return worker;
    });
    const apiStarts = showing('API', () =>
      startNodeProcess({
        name: 'API',
        entry: 'server/api/main.ts',
        // One person and their scripts: what a minute may bring is not the thing to try out here.
        env: { REFUNDS_REQUESTS_PER_MINUTE: '1000000', ...shared },
        logFile: join(dataDir, 'api.log'),
        say,
      }),
    ).then((api) => {
      started.push({ name: 'API', stop: () => api.stop() });
      return api;
    });
    // Both have ended or are known before anything is undone.
    await Promise.allSettled([workerStarts, apiStarts]);
    const [worker, api] = [await workerStarts, await apiStarts];
    const { url: apiUrl } = readyLine.parse(api.ready());
    for (const [name, text] of [
      ['env', envText(shared)],
      ['tour', tourText(apiUrl, gateway.url, apiKeys)],
    ] as const) {
      const file = join(dataDir, name);
      await writeFile(file, text, { mode: 0o600 });
      started.push({ name, stop: () => rm(file, { force: true }) });
    }
    return {
      temporal: temporal.address,
      temporalUi: temporal.uiUrl,
      database,
      gateway: { url: gateway.url, control: gateway.control },
      worker,
      api: { url: apiUrl, process: api },
      apiKeys,
      env: shared,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const API_PORT = 8080;

/** The port that was asked for, or the usual one, or any where that is taken: a sandbox is not what others connect to. */
async function apiPort(env: NodeJS.ProcessEnv): Promise<number> {
  const asked = env['REFUNDS_PORT'];
  if (asked !== undefined && asked !== '') return Number(asked);
  return (await isFree(API_PORT)) ? API_PORT : freePort();
}

const FOR_OTHERS = /^(DATABASE_URL|TEMPORAL_(ADDRESS|NAMESPACE)|OPPWA_[A-Z_]+|REFUNDS_[A-Z_]+)$/;

/** What the command line in another terminal needs to reach this sandbox; for its owner's eyes only. */
function envText(env: NodeJS.ProcessEnv): string {
  return Object.entries(env)
    .filter(([name, value]) => FOR_OTHERS.test(name) && value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
    .join('');
}

/** What a shell needs for the README's tour: where to ask, with which keys, and a way to read one field of an answer. */
function tourText(api: string, gateway: string, keys: SandboxKeys): string {
  return [
    `API=${api}`,
    `CONSOLE=${api}/console/`,
    `GATEWAY=${gateway}`,
    `SUBMIT=${keys.submit}`,
    `OPERATE=${keys.operate}`,
    `APPROVE=${keys.approve}`,
    `field() { node -pe 'JSON.parse(require("fs").readFileSync(0, "utf8"))[process.argv[1]]' "$1"; }`,
    '',
  ].join('\n');
}

type Started = { name: string; stop: () => Promise<void> }[];

async function theTemporal(
  env: NodeJS.ProcessEnv,
  started: Started,
): Promise<{ address: string; namespace?: string; uiUrl?: string }> {
  const address = env['TEMPORAL_ADDRESS'];
  if (address !== undefined && address !== '') return { address };
  const binary = await findTemporal();
  const server = await showing('Temporal server', () => startTemporal({ binary: binary.path, ui: true }));
  started.push({ name: 'Temporal', stop: () => server.stop() });
  return server;
}

async function theDatabase(env: NodeJS.ProcessEnv, dataDir: string, started: Started): Promise<string> {
  const url = env['DATABASE_URL'];
  if (url !== undefined && url !== '') return url;
  const server = await showing('PostgreSQL', () => startPostgres({ dataDir: join(dataDir, 'postgres') }));
  started.push({ name: 'PostgreSQL', stop: () => server.stop() });
  return server.url;
}

async function theGateway(
  env: NodeJS.ProcessEnv,
  dataDir: string,
  apiPort: number,
  started: Started,
  say: Say,
): Promise<{ url: string; control: boolean; env: NodeJS.ProcessEnv }> {
  const url = env['OPPWA_BASE_URL'];
  if (url !== undefined && url !== '') return { url, control: false, env: {} };
  const timeScale = env['REFUNDS_TIME_SCALE'] ?? TIME_SCALE;
  const webhookKey = env['OPPWA_WEBHOOK_KEY'] ?? randomBytes(32).toString('hex');
  const gateway = await showing('sandbox gateway', () =>
    startNodeProcess({
      name: 'sandbox gateway',
      entry: 'sandbox/gateway/main.ts',
      env: {
        ...env,
        REFUNDS_DATA_DIR: dataDir,
        REFUNDS_TIME_SCALE: timeScale,
        REFUNDS_SANDBOX_WEBHOOK_URL: `http://127.0.0.1:${apiPort}/webhooks/oppwa`,
        OPPWA_WEBHOOK_KEY: webhookKey,
      },
      say,
    }),
  );
  started.push({ name: 'sandbox gateway', stop: () => gateway.stop() });
  const ready = readyLine.parse(gateway.ready());
  return {
    url: ready.url,
    control: true,
    env: {
      OPPWA_BASE_URL: ready.url,
      OPPWA_ENTITY_ID: env['OPPWA_ENTITY_ID'] ?? SANDBOX_ENTITY,
      OPPWA_ACCESS_TOKEN: env['OPPWA_ACCESS_TOKEN'] ?? SANDBOX_TOKEN,
      OPPWA_WEBHOOK_KEY: webhookKey,
      REFUNDS_TIME_SCALE: timeScale,
      REFUNDS_CREDIT_APPROVAL_ABOVE: env['REFUNDS_CREDIT_APPROVAL_ABOVE'] ?? 'EUR:500.00',
    },
  };
}
