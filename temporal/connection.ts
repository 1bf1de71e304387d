/** Connections to Temporal, configured as `@temporalio/envconfig` reads it: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, TLS, profiles. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnection } from '@temporalio/worker';
import { dataConverter } from './codec/data-converter.js';
import type { CodecSettings } from './codec/settings.js';

export interface OpenClient {
  readonly temporal: Client;
  /** Closes the connection. Waits for calls that wait for a retry to fail: five seconds at most. */
  readonly close: () => Promise<void>;
}

/** Opens a client for a process that runs no workflows. Connects with its first call, so the ledger can be read while Temporal is unavailable. */
export function openClient(env: NodeJS.ProcessEnv, codec: CodecSettings): OpenClient {
  const { connectionOptions, namespace = 'default' } = configFrom(env);
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
    temporal: new Client({ connection, namespace, dataConverter: dataConverter(codec, namespace) }),
    async close() {
      isClosing = true;
      // The SDK's retry timer outlives the connection and crashes the process if it finds it closed. Wait for the last timer first.
      const left = lastRetryAt - performance.now();
      if (left > 0) await sleep(left + 10);
      await connection.close();
    },
  };
}

/** Connects a worker. */
export async function connectWorker(
  env: NodeJS.ProcessEnv,
): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connectionOptions, namespace } = configFrom(env);
  // Loaded here: other processes do not need the worker's native library.
  const { NativeConnection } = await import('@temporalio/worker');
  return { connection: await NativeConnection.connect(connectionOptions), namespace: namespace ?? 'default' };
}

function configFrom(env: NodeJS.ProcessEnv) {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return loadClientConnectConfig({ configFileStrict: true, overrideEnvVars });
}
