/** Opens the client from settings: the connections to PostgreSQL, the gateway and Temporal, closed together. */
import type { Client } from '@temporalio/client';
import type { Dependencies } from '../activities/dependencies.js';
import { pause } from '../activities/pause.js';
import type { StartSettings } from '../domain/refund/config.js';
import { machineClock } from '../gateway/http/clock.js';
import { createGateway } from '../gateway/oppwa/oppwa.js';
import { openDatabase, openTransaction, type Database } from '../ledger/db/database.js';
import type { Ledger } from '../ledger/ledger.js';
import { createLedger } from '../ledger/postgres.js';
import { createQueryBudget } from '../ledger/access/query-budget.js';
import { createReportingRecord } from '../ledger/access/reporting.js';
import type { Settings } from '../settings/settings.js';
import { openClient } from '../temporal/connection.js';
import { taskQueues, type TaskQueues } from '../temporal/task-queues.js';
import { readCreditLimits, type CreditLimitsView, type LimitsQuery } from './credit-limits.js';
import { readinessOf } from './readiness.js';
import { createRefundsClient, type RefundsClient } from './refunds-client.js';

/** The parts that the notification processor needs. */
export interface NotificationParts {
  readonly database: Database;
  readonly dependencies: Pick<Dependencies, 'ledger' | 'gateway'>;
  readonly temporal: Client;
  readonly start: StartSettings;
  readonly queues: TaskQueues;
}

export interface OpenRefundsClient {
  readonly client: RefundsClient;
  /** For reading only: the workflow's activities write. */
  readonly ledger: Ledger;
  readonly database: Database;
  readonly readiness: ReturnType<typeof readinessOf>;
  /** Reads the limits of credits without an approval, and what is used of them. */
  readonly limits: (query: LimitsQuery) => Promise<readonly CreditLimitsView[]>;
  /** Temporal's namespace. */
  readonly namespace: string;
  readonly notifications: NotificationParts;
  close(): Promise<void>;
}

/** Connects with the first call that needs a connection: reading the ledger works while Temporal is unavailable. */
export function openRefundsClient(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  patience: { readonly startWithin?: number } = {},
): OpenRefundsClient {
  const { temporal, close: closeTemporal } = openClient(env, settings.codec);
  const database = openDatabase(settings.databaseUrl, { connections: settings.databaseConnections });
  const gateway = createGateway({
    entities: settings.entities,
    refuseWhen: openTransaction,
    budget: createQueryBudget(database, settings.queriesPerSecond),
    reporting: createReportingRecord(database),
  });
  const ledger = createLedger(database);
  const queues = taskQueues(settings.taskQueue);
  const shared = {
    temporal,
    dependencies: {
      ledger,
      gateway,
      defaultEntityId: settings.entities[0].id,
      hasEntity: (entityId: string) => settings.hosts.has(entityId),
      hasCardKeys: settings.cards !== undefined,
      now: machineClock,
      pause,
    },
    start: { configFor: settings.configFor, queryTaskQueue: queues.queries },
    queues,
  };
  const client = createRefundsClient({ ...shared, ...patience });
  return {
    client,
    ledger,
    database,
    readiness: readinessOf(database, temporal),
    limits: (query) =>
      readCreditLimits(
        database,
        { entityIds: settings.entities.map(({ id }) => id), configFor: settings.configFor },
        query,
      ),
    namespace: temporal.options.namespace,
    notifications: { ...shared, database },
    async close() {
      await Promise.all([closeTemporal(), gateway.close(), database.close()]);
    },
  };
}
