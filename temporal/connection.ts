/** The connection to Temporal as `@temporalio/envconfig` reads it: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, TLS, profiles. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnection } from '@temporalio/worker';

export interface OpenClient {
  readonly temporal: Client;
  /** Calls that wait for another try fail first: five seconds at most. */
  readonly close: () => Promise<void>;
}

/** For a process that only asks. Connects with the first call that needs it, so reading the ledger works while Temporal is away. */
export function openClient(env: NodeJS.ProcessEnv): OpenClient {
  const { connectionOptions, namespace } = configFrom(env);
  const retries = defaultGrpcRetryOptions();
  let isClosing = false;
  let lastRetryAt = 0;
  const connection = Connection.lazy({
    ...connectionOptions,
    interceptors: [
      makeGrpcRetryInterceptor({
        retryableDecider: (attempt, status) => !isClosing && retries.retryableDecider(attempt, status),
        delayFunction: (attempt, status) => {
          const delay = retries.delayFunction(attempt, status);
          lastRetryAt = Math.max(lastRetryAt, performance.now() + delay);
          return delay;
        },
      }),
    ],
  });
  return {
    temporal: new Client({ connection, ...(namespace === undefined ? {} : { namespace }) }),
    async close() {
      isClosing = true;
      // The SDK's timer of a retry outlives the connection, and ends the process where it finds it closed: the last one first.
      const left = lastRetryAt - performance.now();
      if (left > 0) await sleep(left + 10);
      await connection.close();
    },
  };
}

/** For a worker. */
export async function connectWorker(
  env: NodeJS.ProcessEnv,
): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connectionOptions, namespace } = configFrom(env);
  // Loaded here, because a process that only asks has no use for the worker's native part.
  const { NativeConnection } = await import('@temporalio/worker');
  return { connection: await NativeConnection.connect(connectionOptions), namespace: namespace ?? 'default' };
}

function configFrom(env: NodeJS.ProcessEnv) {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return loadClientConnectConfig({ configFileStrict: true, overrideEnvVars });
}
