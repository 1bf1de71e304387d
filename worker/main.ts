/** `npm run worker`: the production process that runs workflows and activities until it receives a signal to stop. */
import { Client } from '@temporalio/client';
import { Runtime, type NativeConnection } from '@temporalio/worker';
import { pause } from '../activities/pause.js';
import { machineClock } from '../gateway/http/clock.js';
import { createGateway } from '../gateway/oppwa/oppwa.js';
import { CardKeysWrong } from '../ledger/cards/key-checks.js';
import { openOpener } from '../ledger/cards/vault.js';
import { openDatabase, openTransaction } from '../ledger/db/database.js';
import { migrate } from '../ledger/db/migrate.js';
import { createLedger } from '../ledger/postgres.js';
import { createQueryBudget } from '../ledger/access/query-budget.js';
import { createReportingRecord } from '../ledger/access/reporting.js';
import { setEventsEnabled } from '../ledger/outbox/outbox.js';
import { createLog, type Log } from '../settings/log.js';
import { whenToStop } from '../settings/parent.js';
import { readSettings, SettingsError } from '../settings/read.js';
import { connectWorker } from '../temporal/connection.js';
import { provideSearchAttributes } from '../temporal/search-attributes.js';
import { taskQueues } from '../temporal/task-queues.js';
import { workflowBundle } from './bundle.js';
import { startDispatcher } from './events/dispatcher.js';
import { deliveryTimingsAt } from './events/retries.js';
import { PROFILES } from './profiles.js';
import { startRefundWorker } from './refund-worker.js';

async function main(log: Log): Promise<void> {
  const settings = readSettings(process.env);
  const { events, metricsPort } = settings;
  await migrate(settings.databaseUrl);
  const database = openDatabase(settings.databaseUrl, { connections: settings.databaseConnections });
  const gateway = createGateway({
    entities: settings.entities,
    refuseWhen: openTransaction,
    budget: createQueryBudget(database, settings.queriesPerSecond),
    reporting: createReportingRecord(database),
  });
  const cards = await openOpener(database, settings.cards).catch(async (error: unknown) => {
    await gateway.close();
    await database.close();
    throw error;
  });
  // From here on the process stays alive until the worker ends: what can fail by the settings comes before.
  Runtime.install({
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } },
      ...(metricsPort === undefined
        ? {}
        : { metrics: { prometheus: { bindAddress: `0.0.0.0:${metricsPort}` } } }),
    },
  });
  const { connection, namespace } = await connectWorker(process.env);
  const created = await provideSearchAttributes(new Client({ connection, namespace }));
  if (created.length > 0) log.warn('temporal.search_attributes_created', { count: created.length });
  const queues = taskQueues(settings.taskQueue);
  const ledger = createLedger(database);
  const worker = await startRefundWorker({
    connection,
    namespace,
    codec: settings.codec,
    bundle: await workflowBundle(settings.workflowBundlePath),
    queues,
    profile: PROFILES[settings.workerProfile],
    dependencies: {
      ledger,
      gateway,
      ...(cards === undefined ? {} : { cards }),
      defaultEntityId: settings.entities[0].id,
      hasEntity: (entityId) => settings.hosts.has(entityId),
      hasCardKeys: settings.cards !== undefined,
      now: machineClock,
      pause,
    },
    start: { configFor: settings.configFor, queryTaskQueue: queues.queries },
    database,
    ...(settings.maintenance === undefined ? {} : { maintenance: settings.maintenance }),
    log,
  });
  await setEventsEnabled(database, events !== undefined);
  const timings = deliveryTimingsAt(settings.timeScale);
  const dispatcher =
    events === undefined ? undefined : startDispatcher({ database, ledger, events, timings, log });
  log.info('worker.started', metricsPort === undefined ? {} : { port: metricsPort });
  process.stdout.write(
    `${JSON.stringify({ ready: true, role: 'worker', pid: process.pid, taskQueue: queues.refunds })}\n`,
  );
  whenToStop(() => {
    log.info('worker.stopping');
    worker.shutdown().catch(() => undefined);
  });
  try {
    await worker.done;
  } finally {
    await dispatcher?.stop();
    await closeAll(connection, gateway, database);
  }
  log.info('worker.stopped');
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

const log = createLog({ role: 'worker' });
main(log).catch((error: unknown) => {
  const isSetting = error instanceof SettingsError || error instanceof CardKeysWrong;
  if (isSetting) process.stderr.write(`${error.message}\n`);
  else {
    log.error('worker.failed', {}, error);
    process.stderr.write(`worker: ${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`);
  }
  process.exitCode = isSetting ? 2 : 1;
});
