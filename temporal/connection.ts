/** The connection to Temporal as `@temporalio/envconfig` reads it: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, TLS, profiles. */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnection } from '@temporalio/worker';

/**
 * For a process that only asks. Connects with the first call that needs it, so reading the ledger works while Temporal is away.
 * Close `client.connection` when done.
 */
export function openClient(env: NodeJS.ProcessEnv): Client {
  const { connectionOptions, namespace } = configFrom(env);
  const connection = Connection.lazy(connectionOptions);
  return new Client({ connection, ...(namespace === undefined ? {} : { namespace }) });
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
