/** Workers for refunds: one queue for workflows and money, one for each entity's look-ups. */
import { Context } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import {
  Worker,
  type ActivityInterceptorsFactory,
  type NativeConnection,
  type WorkflowBundle,
} from '@temporalio/worker';
import { createAuditActivities } from '../activities/audit.js';
import { createCallerActivities, type StartSettings } from '../activities/caller.js';
import type { Dependencies } from '../activities/dependencies.js';
import { createPaymentActivities } from '../activities/payment-news.js';
import { createRefundActivities } from '../activities/refunds.js';
import { createSweepActivities } from '../activities/sweep.js';
import type { Database } from '../ledger/database.js';
import { LedgerError } from '../ledger/ledger.js';
import { forgetSweeps } from '../ledger/sweep.js';
import type { Log } from '../settings/log.js';
import { keepSchedules } from '../temporal/schedules.js';
import { refundStarter } from '../temporal/start-refund.js';
import type { TaskQueues } from '../temporal/task-queues.js';
import type { Upkeep } from '../temporal/upkeep.js';
import { activityLog } from './activity-log.js';
import type { Effects } from '../workflows/effects.js';
import type { Profile } from './profiles.js';

export interface RefundWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly bundle: WorkflowBundle;
  readonly queues: TaskQueues;
  readonly profile: Profile;
  readonly dependencies: Dependencies;
  readonly start: StartSettings;
  readonly entityIds: readonly string[];
  readonly lookUpsPerSecond: number;
  /** The ledger's own database, for what looks after all refunds at once. */
  readonly database: Database;
  /** The schedules to keep; none are made or changed without. */
  readonly upkeep?: Upkeep;
  /** A line for each activity; none without. */
  readonly log?: Log;
}

export interface RefundWorker {
  /** Ends when all have shut down: after `shutdown`, or with an error when one of them fails. */
  readonly done: Promise<void>;
  /** Takes no new work, lets what is under way finish, and answers when that is done. */
  shutdown(): Promise<void>;
}

/** Longer than a send window and an answer together: an answer on its way is still recorded. */
const SHUTDOWN_GRACE = '150s';
const SHUTDOWN_FORCE = '170s';
const HEARTBEAT_MS = 2_000;

export async function startRefundWorker(options: RefundWorkerOptions): Promise<RefundWorker> {
  const { connection, namespace, queues, database, start, log } = options;
  const temporal = new Client({ connection, namespace });
  const alive = (): AbortSignal => Context.current().cancellationSignal;
  const activities = {
    ...createRefundActivities(options.dependencies, alive),
    ...createCallerActivities(options.dependencies, start),
    ...createSweepActivities(
      {
        database,
        start,
        startRefund: refundStarter(temporal, start, queues),
        onFailure: (refundId, error) => log?.warn('sweep.not_started', { refundId }, error),
      },
      alive,
    ),
    ...createAuditActivities(database, ({ violations }) =>
      log?.error('audit.violations', { count: violations }),
    ),
  };
  /** Whatever reads the gateway, at the rate that an entity is allowed: nothing else of it runs there. */
  const readers: Effects['gateway'] = {
    lookUp: activities.lookUp,
    reconcile: activities.reconcile,
    readPayment: activities.readPayment,
    adopt: activities.adopt,
    correct: activities.correct,
    confirm: activities.confirm,
  };
  const { lookUpPayment } = createPaymentActivities(options.dependencies, database);
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
    ...options.entityIds.map((entityId) =>
      Worker.create({
        ...shared,
        taskQueue: queues.lookUps(entityId),
        // Everything that a workflow asks of the gateway's records, at the rate that the entity is allowed.
        activities: { ...readers, lookUpPayment },
        maxTaskQueueActivitiesPerSecond: options.lookUpsPerSecond,
        maxConcurrentActivityTaskExecutions: 20,
      }),
    ),
  ]);
  // After the workers are there and before they run: the first sweep finds nothing remembered of a Temporal that is gone.
  if (options.upkeep !== undefined) {
    const { isNew } = await keepSchedules(temporal, queues, options.upkeep);
    if (isNew) await forgetSweeps(database);
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
const namingFailures: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
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
