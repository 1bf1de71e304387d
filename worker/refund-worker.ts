/** Workers for refunds: one queue for workflows and money, one for queries. */
import { Context } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import {
  Worker,
  type ActivityInterceptorsFactory,
  type NativeConnection,
  type WorkflowBundle,
} from '@temporalio/worker';
import { createAuditActivities } from '../activities/maintenance/audit.js';
import { createClientActivities, type StartSettings } from '../activities/refund/caller.js';
import type { Dependencies } from '../activities/dependencies.js';
import { createPaymentActivities } from '../activities/maintenance/payment-updates.js';
import { createRefundActivities } from '../activities/refund/refunds.js';
import { createSweepActivities } from '../activities/maintenance/sweep.js';
import type { Database } from '../ledger/db/database.js';
import { QueryBudgetSpent } from '../gateway/errors.js';
import { LedgerError } from '../ledger/ledger.js';
import { clearSweeps } from '../ledger/maintenance/sweep.js';
import type { Log } from '../settings/log.js';
import { ensureSchedules } from '../temporal/schedules.js';
import { refundStarter } from '../temporal/start-refund.js';
import { reasonOf } from '../temporal/search-attributes.js';
import type { TaskQueues } from '../temporal/task-queues.js';
import type { MaintenanceSchedule } from '../temporal/maintenance.js';
import { activityLog } from './activity-log.js';
import type { Effects } from '../workflows/refund/effects.js';
import { QUERIES, type Profile } from './profiles.js';
import { SHUTDOWN_FORCE, SHUTDOWN_GRACE } from './shutdown.js';

export interface RefundWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly bundle: WorkflowBundle;
  readonly queues: TaskQueues;
  readonly profile: Profile;
  readonly dependencies: Dependencies;
  readonly start: StartSettings;
  /** The ledger's own database, for what looks after all refunds at once. */
  readonly database: Database;
  /** The schedules to keep; none are made or changed without. */
  readonly maintenance?: MaintenanceSchedule;
  /** A line for each activity; none without. */
  readonly log?: Log;
}

export interface RefundWorker {
  /** Ends when all have shut down: after `shutdown`, or with an error when one of them fails. */
  readonly done: Promise<void>;
  /** Takes no new work, lets what is under way finish, and answers when that is done. */
  shutdown(): Promise<void>;
}

const HEARTBEAT_MS = 2_000;

export async function startRefundWorker(options: RefundWorkerOptions): Promise<RefundWorker> {
  const { connection, namespace, queues, database, start, log } = options;
  const temporal = new Client({ connection, namespace });
  const alive = (): AbortSignal => Context.current().cancellationSignal;
  const activities = {
    ...createRefundActivities(options.dependencies),
    ...createClientActivities(options.dependencies, start, () =>
      temporal.activity.heartbeat(Context.current().info.taskToken),
    ),
    ...createSweepActivities(
      {
        database,
        start,
        startRefund: refundStarter(temporal, start, queues),
        onFailure: (refundId, error) =>
          log?.warn('sweep.not_started', { refundId, reason: reasonOf(error) }, error),
      },
      alive,
    ),
    ...createAuditActivities(database, ({ violations }) =>
      log?.error('audit.violations', { count: violations }),
    ),
  };
  /** What queries the gateway: nothing else runs on that queue. Their rate is the entity's budget, over all processes. */
  const readers: Effects['gateway'] = {
    query: activities.query,
    reconcile: activities.reconcile,
    readPayment: activities.readPayment,
    link: activities.link,
    correct: activities.correct,
    confirm: activities.confirm,
  };
  const { queryPayment } = createPaymentActivities(options.dependencies, database);
  const shared = {
    connection,
    namespace,
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: SHUTDOWN_FORCE,
    interceptors: {
      activity: [...(log === undefined ? [] : [activityLog(log)]), heartbeating, namingFailures],
    },
  };
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      ...options.profile,
      taskQueue: queues.refunds,
      workflowBundle: options.bundle,
      activities,
    }),
    Worker.create({
      ...shared,
      taskQueue: queues.queries,
      activities: { ...readers, queryPayment },
      ...QUERIES,
    }),
  ]);
  // After the workers are there and before they run: the first sweep finds nothing remembered of a Temporal that is gone.
  if (options.maintenance !== undefined) {
    const { isNew } = await ensureSchedules(temporal, queues, options.maintenance);
    if (isNew) await clearSweeps(database);
  }
  const runs = workers.map((worker) => worker.run());
  const stop = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  // One that fails takes the others with it: half a worker would leave refunds waiting in silence.
  for (const run of runs) run.catch(stop);
  const done = Promise.all(runs).then(() => undefined);
  return {
    done,
    async shutdown() {
      stop();
      await done;
    },
  };
}

/** A worker that dies is noticed by its silence, long before the activity's own time is over. */
const heartbeating: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      const beat = setInterval(() => {
        context.heartbeat();
      }, HEARTBEAT_MS);
      try {
        return await next(input);
      } finally {
        clearInterval(beat);
      }
    },
  },
});

/** A failure's type is the ledger's stable code: that is what retry options name. */
const namingFailures: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        if (error instanceof QueryBudgetSpent) throw laterTurn(error, context.info.attempt);
        if (!(error instanceof LedgerError)) throw error;
        throw ApplicationFailure.create({
          type: error.code,
          message: error.message,
          details: [error.details],
          cause: error,
        });
      }
    },
  },
});

/** Milliseconds. What has waited long asks rarely: a backlog must not keep itself busy with asking. */
const LONGEST_WAIT_FOR_A_TURN = 60_000;

/** Gives the slot back until the query's turn may have come. Spread, so that a backlog does not ask all at once. */
function laterTurn({ message, retryAfter }: QueryBudgetSpent, attempt: number): ApplicationFailure {
  const grown = Math.min(retryAfter * 1.5 ** Math.min(attempt - 1, 20), LONGEST_WAIT_FOR_A_TURN);
  return ApplicationFailure.create({
    type: 'query_budget_spent',
    message,
    nextRetryDelay: Math.ceil(Math.max(retryAfter, grown) * (1 + Math.random() / 4)),
    category: ApplicationFailureCategory.BENIGN,
  });
}
