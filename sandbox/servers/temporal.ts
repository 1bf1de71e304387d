/** A Temporal development server on free ports. */
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
  /** Path of the CLI. Default: found or got by `findTemporal()`. */
  readonly binary?: string;
  /** SQLite file that survives a restart; five times slower than memory, which is the default. */
  readonly dbFilename?: string;
  /** Default false. */
  readonly ui?: boolean;
  /** Default `default`. */
  readonly namespace?: string;
  /** Default: free ones. Given where a server must come back at the address it had. */
  readonly port?: number;
  readonly uiPort?: number;
  /** False: not even the product's own are registered, as on a server that somebody else set up. Default true. */
  readonly ownSearchAttributes?: boolean;
  /** Registered beside the product's own. */
  readonly searchAttributes?: Readonly<Record<string, SearchAttributeKind>>;
  /** Added to, and stronger than, {@link DYNAMIC_CONFIG}. Values are JSON. */
  readonly dynamicConfig?: Readonly<Record<string, string>>;
  /** Where its log goes. Default: a temporary file, removed on stop. */
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
  /** Orderly, then by force. */
  stop(): Promise<void>;
  /** `SIGKILL`: what a test of crashes wants. */
  kill(): Promise<void>;
}

/** What workflows set and people search by. */
export const SEARCH_ATTRIBUTES = {
  RefundState: 'Keyword',
  RefundNeedsPerson: 'Bool',
  PaymentId: 'Keyword',
} as const satisfies Record<string, SearchAttributeKind>;

/**
 * The development server reads its one shard's queues 20 times a second, so every hop waits up to 50 ms; with these a
 * workflow of one activity went from 150 ms to 19 ms. Eager execution hands a worker its activity together with the
 * workflow task's answer, one hop less. Four partitions of each task queue are for clusters: in one process they only
 * forward to each other.
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
 * Starts `temporal server start-dev` and resolves when the namespace and every search attribute are there.
 *
 * @throws an `Error` with the end of the server's log when it ends early or is not ready in time.
 */
export async function startTemporal(options: TemporalOptions = {}): Promise<TemporalServer> {
  const binary = options.binary ?? (await findTemporal()).path;
  const scratch = options.logFile === undefined ? await mkdtemp(join(tmpdir(), 'temporal-')) : undefined;
  const logFile = options.logFile ?? join(scratch ?? tmpdir(), 'server.log');
  const forget = async (): Promise<void> => {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  };
  try {
    return await startOnFreePorts(binary, logFile, scratch, options, forget);
  } catch (error) {
    await forget();
    throw error;
  }
}

async function startOnFreePorts(
  binary: string,
  logFile: string,
  scratch: string | undefined,
  options: TemporalOptions,
  forget: () => Promise<void>,
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
        stop: () => server.stop().then(forget),
        kill: () => server.kill().then(forget),
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

/** Undefined when ready, else why not. An open port is not enough: the namespace and its attributes come later. */
async function untilReady(
  server: ServerProcess,
  port: number,
  namespace: string,
  options: TemporalOptions,
): Promise<string | undefined> {
  const within = options.readyWithinMs ?? 60_000;
  const deadline = performance.now() + within;
  const wanted = Object.keys(registered(options));
  // gRPC's own wait between two attempts to connect is a second, as long as the whole start takes.
  const channelArgs = { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 100 };
  const connection = Connection.lazy({ address: `${HOST}:${port}`, channelArgs });
  let last = 'no answer';
  try {
    for (;;) {
      const end = server.ended();
      if (end !== undefined) return `it ended with ${end}`;
      // What answers on the port may be somebody else's server: ours says itself that it has the port.
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
