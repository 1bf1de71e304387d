/** Starts Temporal, PostgreSQL, the gateway simulator, the worker and the API on one machine. An environment variable can replace each of the first three. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { migrate } from '../ledger/db/migrate.js';
import { sandboxKeys, type SandboxKeys } from './api-keys.js';
import { createOnce, newKeyLine, sandboxCardKeys } from './card-keys.js';
import { SANDBOX_ENTITY, SANDBOX_TOKEN } from './gateway/process-settings.js';
import { startNodeProcess, type NodeProcess } from './node-process.js';
import { freePort, isFree } from './servers/free-port.js';
import { startPostgres } from './servers/postgres.js';
import { withProgress, type Print } from './servers/progress.js';
import { findTemporal } from './servers/temporal-binary.js';
import { startTemporal } from './servers/temporal.js';
import { workflowBundleIn } from './workflow-bundle.js';

/** One day becomes 17 seconds: short enough to watch, long enough for each wait of the demonstration to be visible. */
const TIME_SCALE = '0.0002';

export interface Sandbox {
  readonly temporal: string;
  readonly temporalUi: string | undefined;
  readonly database: string;
  /** The gateway that the worker calls. `control` is true if it is the simulator, which has a control API. */
  readonly gateway: { readonly url: string; readonly control: boolean };
  readonly worker: NodeProcess;
  readonly api: { readonly url: string; readonly process: NodeProcess };
  readonly apiKeys: SandboxKeys;
  /** The environment variables that the client, the command line and the worker share. */
  readonly env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

const readyLine = z.object({ url: z.string() });

/** Starts each part that no variable names, shows the progress, and stops the started parts when one fails. */
export async function startSandbox(env: NodeJS.ProcessEnv, print: Print): Promise<Sandbox> {
  const dataDir = env['REFUNDS_DATA_DIR'] ?? '.data';
  await mkdir(dataDir, { recursive: true });
  const started: { name: string; stop: () => Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  try {
    // Chosen first: the gateway simulator sends its notifications to the port on which the API listens.
    const port = await apiPort(env);
    const [temporal, database, gateway, bundle] = await Promise.all([
      temporalServer(env, started),
      databaseUrl(env, dataDir, started),
      gatewayAccess(env, dataDir, port, started, print),
      withProgress('workflow bundle', () => workflowBundleIn(dataDir)),
    ]);
    await migrate(database);
    const apiKeys = await sandboxKeys(database, dataDir);
    const codec = await codecOf(env, dataDir);
    const shared: NodeJS.ProcessEnv = {
      ...env,
      ...(await sandboxCardKeys(env, dataDir)),
      DATABASE_URL: database,
      TEMPORAL_ADDRESS: temporal.address,
      ...(temporal.namespace === undefined ? {} : { TEMPORAL_NAMESPACE: temporal.namespace }),
      ...gateway.env,
      ...codec,
      REFUNDS_DATA_DIR: dataDir,
      REFUNDS_PORT: String(port),
      ...(temporal.uiUrl === undefined ? {} : { REFUNDS_TEMPORAL_UI: temporal.uiUrl }),
    };
    const workerStarts = withProgress('worker', () =>
      startNodeProcess({
        name: 'worker',
        entry: 'worker/main.ts',
        env: { REFUNDS_WORKER_PROFILE: 'small', REFUNDS_WORKFLOW_BUNDLE: bundle, ...shared },
        logFile: join(dataDir, 'worker.log'),
        print,
      }),
    ).then((worker) => {
      started.push({ name: 'worker', stop: () => worker.stop() });
      return worker;
    });
    const apiStarts = withProgress('API', () =>
      startNodeProcess({
        name: 'API',
        entry: 'server/api/main.ts',
        // The sandbox has one user; their scripts must not meet the limit of requests per minute.
        env: { REFUNDS_REQUESTS_PER_MINUTE: '1000000', ...shared },
        logFile: join(dataDir, 'api.log'),
        print,
      }),
    ).then((api) => {
      started.push({ name: 'API', stop: () => api.stop() });
      return api;
    });
    // If one of them fails, the other has started too by now, so that `stop` below knows both.
    await Promise.allSettled([workerStarts, apiStarts]);
    const [worker, api] = [await workerStarts, await apiStarts];
    const { url: apiUrl } = readyLine.parse(api.ready());
    for (const [name, text] of [
      ['env', envText(shared)],
      ['tour', tourText(apiUrl, gateway.url, apiKeys, shared)],
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

/** Returns `REFUNDS_PORT`, or else 8080, or else a free port where 8080 is in use. */
async function apiPort(env: NodeJS.ProcessEnv): Promise<number> {
  const configured = env['REFUNDS_PORT'];
  if (configured !== undefined && configured !== '') return Number(configured);
  return (await isFree(API_PORT)) ? API_PORT : freePort();
}

const SHARED_NAMES = /^(DATABASE_URL|TEMPORAL_[A-Z_]+|OPPWA_[A-Z_]+|REFUNDS_[A-Z_]+)$/;

/** Returns the variables that the command line needs to reach this sandbox. They hold secrets: only the owner may read the files. */
const variablesFor = (env: NodeJS.ProcessEnv): readonly (readonly [name: string, value: string])[] =>
  Object.entries(env).flatMap(([name, value]) =>
    SHARED_NAMES.test(name) && value !== undefined && value !== '' ? [[name, value] as const] : [],
  );

/** Returns the text of `.data/env`, which the command line reads when its environment names no ledger. */
const envText = (env: NodeJS.ProcessEnv): string =>
  variablesFor(env)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
    .join('');

/**
 * Returns the text of `.data/tour`, for a shell: the addresses and keys of this sandbox, the variables that the commands need in any folder,
 * and a function `field NAME` that prints one field of a JSON answer; `field a.0.b` prints one inside of it. The documents use it.
 */
function tourText(api: string, gateway: string, keys: SandboxKeys, env: NodeJS.ProcessEnv): string {
  const variables: readonly (readonly [name: string, value: string])[] = [
    ['API', api],
    ['CONSOLE', `${api}/console/`],
    ['GATEWAY', gateway],
    ['SUBMIT', keys.submit],
    ['OPERATE', keys.operate],
    ['APPROVE', keys.approve],
    ...variablesFor({ ...env, REFUNDS_DATA_DIR: resolve(env['REFUNDS_DATA_DIR'] ?? '.data') }),
  ];
  return [
    '# For a terminal of its own: what is started in it uses this sandbox.',
    ...variables.map(([name, value]) => `export ${name}=${quoted(value)}`),
    `field() { node -pe 'process.argv[1].split(".").reduce((value, name) => value?.[name], JSON.parse(require("fs").readFileSync(0, "utf8")))' "$1"; }`,
    '',
  ].join('\n');
}

/** For a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * Returns the variables of the payload codec. Payloads stay readable in Temporal's UI unless `REFUNDS_CODEC` asks for encryption; then the
 * sandbox makes a key of its own if none is given.
 */
async function codecOf(env: NodeJS.ProcessEnv, dataDir: string): Promise<NodeJS.ProcessEnv> {
  const mode = env['REFUNDS_CODEC'];
  if (mode === undefined || mode === '') return { REFUNDS_CODEC: 'off' };
  const given = env['REFUNDS_CODEC_KEYS_FILE'];
  if (mode === 'off' || (given !== undefined && given !== '')) return {};
  const file = resolve(dataDir, 'codec.keys');
  await createOnce(file, newKeyLine());
  return { REFUNDS_CODEC_KEYS_FILE: file };
}

type Started = { name: string; stop: () => Promise<void> }[];

/** Returns the address in `TEMPORAL_ADDRESS`, or starts a development server. */
async function temporalServer(
  env: NodeJS.ProcessEnv,
  started: Started,
): Promise<{ address: string; namespace?: string; uiUrl?: string }> {
  const address = env['TEMPORAL_ADDRESS'];
  if (address !== undefined && address !== '') return { address };
  const binary = await findTemporal();
  const server = await withProgress('Temporal server', () =>
    startTemporal({ binary: binary.path, ui: true }),
  );
  started.push({ name: 'Temporal', stop: () => server.stop() });
  return server;
}

/** Returns `DATABASE_URL`, or starts the embedded PostgreSQL on the data folder. */
async function databaseUrl(env: NodeJS.ProcessEnv, dataDir: string, started: Started): Promise<string> {
  const url = env['DATABASE_URL'];
  if (url !== undefined && url !== '') return url;
  const server = await withProgress('PostgreSQL', () =>
    startPostgres({ dataDir: join(dataDir, 'postgres') }),
  );
  started.push({ name: 'PostgreSQL', stop: () => server.stop() });
  return server.url;
}

/** Returns `OPPWA_BASE_URL`, or starts the gateway simulator. `env`: the variables with which the worker reaches it. */
async function gatewayAccess(
  env: NodeJS.ProcessEnv,
  dataDir: string,
  apiPort: number,
  started: Started,
  print: Print,
): Promise<{ url: string; control: boolean; env: NodeJS.ProcessEnv }> {
  const url = env['OPPWA_BASE_URL'];
  if (url !== undefined && url !== '') return { url, control: false, env: {} };
  const timeScale = env['REFUNDS_TIME_SCALE'] ?? TIME_SCALE;
  const webhookKey = env['OPPWA_WEBHOOK_KEY'] ?? randomBytes(32).toString('hex');
  const gateway = await withProgress('sandbox gateway', () =>
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
      print,
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
