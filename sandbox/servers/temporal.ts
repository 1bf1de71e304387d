/** Starts and stops a Temporal development server on free ports. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { freePort } from './free-port.js';
import { lastLines, spawnServer, type ServerProcess } from './server-process.js';
import { findTemporal } from './temporal-binary.js';

export type SearchAttributeKind = 'Bool' | 'Datetime' | 'Double' | 'Int' | 'Keyword' | 'KeywordList' | 'Text';

export interface TemporalOptions {
  /** Path of the CLI. Default: the result of `findTemporal()`. */
  readonly binary?: string;
  /** SQLite file whose data survives a restart. Default: in memory, which is five times faster. */
  readonly dbFilename?: string;
  /** Default false. */
  readonly ui?: boolean;
  /** Default `default`. */
  readonly namespace?: string;
  /** Default: a free port. Set it where a restarted server must have the same address. */
  readonly port?: number;
  /** The same, for the UI. */
  readonly uiPort?: number;
  /** Registers {@link SEARCH_ATTRIBUTES}. Default true. False imitates a server that was set up without them. */
  readonly ownSearchAttributes?: boolean;
  /** Registered in addition. */
  readonly searchAttributes?: Readonly<Record<string, SearchAttributeKind>>;
  /** Added to {@link DYNAMIC_CONFIG}, which it overrides. Values are JSON. */
  readonly dynamicConfig?: Readonly<Record<string, string>>;
  /** The log file. Default: a temporary file, removed on stop. */
  readonly logFile?: string;
  /** Milliseconds until it must be ready. Default 60,000. */
  readonly readyWithinMs?: number;
}

export interface TemporalServer {
  /** `127.0.0.1:port`, gRPC. */
  readonly address: string;
  readonly namespace: string;
  readonly port: number;
  readonly uiUrl?: string;
  readonly pid: number;
  /** Sends `SIGTERM`, and `SIGKILL` after ten seconds. */
  stop(): Promise<void>;
  /** Sends `SIGKILL`, for tests of crashes. */
  kill(): Promise<void>;
}

/** The search attributes that workflows set and that operators filter by in Temporal's UI. */
export const SEARCH_ATTRIBUTES = {
  RefundState: 'Keyword',
  RefundNeedsOperator: 'Bool',
  PaymentId: 'Keyword',
} as const satisfies Record<string, SearchAttributeKind>;

/**
 * Settings that make the development server fast. By default it polls the queues of its one shard 20 times a second, so
 * each step waits up to 50 ms; with these values a workflow of one activity takes 19 ms instead of 150 ms. Eager execution
 * returns the activity to the worker with the response to the workflow task, which saves one step. The default of four
 * partitions for each task queue is for clusters: in one process the partitions only forward to each other.
 */
export const DYNAMIC_CONFIG: Readonly<Record<string, string>> = {
  'history.transferProcessorMaxPollRPS': '2000',
  'history.timerProcessorMaxPollRPS': '2000',
  'system.enableActivityEagerExecution': 'true',
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
};

const HOST = '127.0.0.1';
const ATTEMPTS = 5;

/**
 * Starts `temporal server start-dev` and resolves when the namespace and all search attributes exist.
 *
 * @throws an `Error` with the end of the server's log when it ends early or is not ready in time.
 */
export async function startTemporal(options: TemporalOptions = {}): Promise<TemporalServer> {
  const binary = options.binary ?? (await findTemporal()).path;
  const scratch = options.logFile === undefined ? await mkdtemp(join(tmpdir(), 'temporal-')) : undefined;
  const logFile = options.logFile ?? join(scratch ?? tmpdir(), 'server.log');
  const removeScratch = async (): Promise<void> => {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  };
  try {
    return await startOnFreePorts(binary, logFile, scratch, options, removeScratch);
  } catch (error) {
    await removeScratch();
    throw error;
  }
}

async function startOnFreePorts(
  binary: string,
  logFile: string,
  scratch: string | undefined,
  options: TemporalOptions,
  removeScratch: () => Promise<void>,
): Promise<TemporalServer> {
  const namespace = options.namespace ?? 'default';
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const uiPort = options.ui === true ? (options.uiPort ?? (await freePort())) : undefined;
    const server = await spawnServer({
      name: 'Temporal',
      command: binary,
      args: argumentsFor(options, namespace, port, uiPort),
      logFile,
      stopSignal: 'SIGTERM',
      ...(scratch === undefined ? {} : { scratch }),
    });
    const problem = await untilReady(server, port, namespace, options);
    if (problem === undefined) {
      return {
        address: `${HOST}:${port}`,
        namespace,
        port,
        pid: server.pid,
        ...(uiPort === undefined ? {} : { uiUrl: `http://${HOST}:${uiPort}` }),
        stop: () => server.stop().then(removeScratch),
        kill: () => server.kill().then(removeScratch),
      };
    }
    const log = server.log();
    await server.kill();
    if (attempt === ATTEMPTS || !/address already in use|can't set port|port .* in use/iu.test(log)) {
      throw new Error(
        `The Temporal server did not start: ${problem}. The end of its log:\n${lastLines(log)}`,
      );
    }
    await sleep(100);
  }
}

function argumentsFor(
  options: TemporalOptions,
  namespace: string,
  port: number,
  uiPort: number | undefined,
): readonly string[] {
  const attributes = Object.entries(registered(options));
  const config = Object.entries({ ...DYNAMIC_CONFIG, ...options.dynamicConfig });
  return [
    ...['server', 'start-dev', '--ip', HOST, '--port', String(port), '--namespace', namespace],
    ...['--log-level', 'warn', '--log-format', 'json'],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch']),
    ...(options.dbFilename === undefined ? [] : ['--db-filename', options.dbFilename]),
    ...attributes.flatMap(([name, kind]) => ['--search-attribute', `${name}=${kind}`]),
    ...config.flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
  ];
}

const registered = ({ ownSearchAttributes = true, searchAttributes }: TemporalOptions) => ({
  ...(ownSearchAttributes ? SEARCH_ATTRIBUTES : {}),
  ...searchAttributes,
});

/**
 * Returns undefined when the server is ready, else the reason why it is not. An open port is not enough: the namespace
 * and its search attributes appear later.
 */
async function untilReady(
  server: ServerProcess,
  port: number,
  namespace: string,
  options: TemporalOptions,
): Promise<string | undefined> {
  const within = options.readyWithinMs ?? 60_000;
  const deadline = performance.now() + within;
  const wanted = Object.keys(registered(options));
  // gRPC waits a second between two attempts to connect, which is as long as the whole start takes.
  const channelArgs = { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 100 };
  const connection = Connection.lazy({ address: `${HOST}:${port}`, channelArgs });
  let last = 'no answer';
  try {
    for (;;) {
      const end = server.ended();
      if (end !== undefined) return `it ended with ${end}`;
      // Another server may answer on this port. The log of our server shows that it has bound the port.
      const bound = new RegExp(`Server:\\s+\\S+:${port}\\b`, 'u').test(server.log());
      if (performance.now() > deadline) return `not ready after ${within / 1_000} s (${last})`;
      try {
        if (!bound) throw new Error('it has not opened its port');
        await connection.withDeadline(Date.now() + 2_000, async () => {
          await connection.workflowService.describeNamespace({ namespace });
          const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
          const missing = wanted.filter((name) => !(name in customAttributes));
          if (missing.length > 0) throw new Error(`search attributes missing: ${missing.join(', ')}`);
        });
        return undefined;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
        await sleep(50);
      }
    }
  } finally {
    await connection.close();
  }
}
