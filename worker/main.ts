/** `npm run worker`: the production process that runs workflows and activities until it is told to stop. */
import { Runtime, type NativeConnection } from '@temporalio/worker';
import { createGateway } from '../gateway/oppwa.js';
import { openDatabase, openTransaction } from '../ledger/database.js';
import { migrate } from '../ledger/migrate.js';
import { createLedger } from '../ledger/postgres.js';
import { whenToStop } from '../settings/parent.js';
import { readSettings, SettingsError } from '../settings/read.js';
import { connectWorker } from '../temporal/connection.js';
import { taskQueues } from '../temporal/task-queues.js';
import { workflowBundle } from './bundle.js';
import { PROFILES } from './profiles.js';
import { startRefundWorker } from './refund-worker.js';

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  Runtime.install({
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
  });
  await migrate(settings.databaseUrl);
  const database = openDatabase(settings.databaseUrl, { connections: settings.databaseConnections });
  const gateway = createGateway({ entities: settings.entities, refuseWhen: openTransaction });
  const { connection, namespace } = await connectWorker(process.env);
  const queues = taskQueues(settings.taskQueue);
  const worker = await startRefundWorker({
    connection,
    namespace,
    bundle: await workflowBundle(settings.workflowBundlePath),
    queues,
    profile: PROFILES[settings.workerProfile],
    dependencies: {
      ledger: createLedger(database),
      gateway,
      defaultEntityId: settings.entities[0].id,
      hostOf: (entityId) => settings.hosts.get(entityId) ?? 'live',
      now: () => performance.now(),
    },
    start: { planFor: settings.planFor, lookUpTaskQueue: queues.lookUps },
    entityIds: settings.entities.map(({ id }) => id),
    lookUpsPerSecond: settings.lookUpsPerSecond,
  });
  process.stdout.write(
    `${JSON.stringify({ ready: true, role: 'worker', pid: process.pid, taskQueue: queues.refunds })}\n`,
  );
  whenToStop(() => void worker.shutdown());
  await worker.done;
  await closeAll(connection, gateway, database);
}

async function closeAll(
  connection: NativeConnection,
  gateway: { close(): Promise<void> },
  database: { close(): Promise<void> },
): Promise<void> {
  await connection.close();
  await gateway.close();
  await database.close();
}

main().catch((error: unknown) => {
  process.stderr.write(
    error instanceof SettingsError
      ? `${error.message}\n`
      : `worker: ${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`,
  );
  process.exitCode = error instanceof SettingsError ? 2 : 1;
});
