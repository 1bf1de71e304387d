/** The connection to Temporal as `@temporalio/envconfig` reads it: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, TLS, profiles. */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';

/** For a process that only asks. Close `client.connection` when done. */
export async function connectClient(): Promise<Client> {
  const { connectionOptions, namespace } = loadClientConnectConfig({ configFileStrict: true });
  const connection = await Connection.connect(connectionOptions);
  return new Client({ connection, ...(namespace === undefined ? {} : { namespace }) });
}

/** For a worker. */
export async function connectWorker(): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connectionOptions, namespace } = loadClientConnectConfig({ configFileStrict: true });
  return { connection: await NativeConnection.connect(connectionOptions), namespace: namespace ?? 'default' };
}
