/** Starts the two workers of a process: one task queue for workflows and submissions, one for queries of the gateway. */
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
import { createClientActivities, type StartSettings } from '../activities/pay-back/activities.js';
import type { Dependencies } from '../activities/dependencies.js';
import {
  createPaymentActivities,
  type PaymentActivities,
} from '../activities/maintenance/payment-updates.js';
import { createRefundActivities } from '../activities/refund/activities.js';
import { createSweepActivities } from '../activities/maintenance/sweep.js';
import type { Database } from '../ledger/db/database.js';
import { QueryBudgetSpent } from '../gateway/errors.js';
import { LedgerError } from '../ledger/ledger.js';
import { clearSweeps } from '../ledger/maintenance/sweep.js';
import type { Log } from '../settings/log.js';
import { dataConverter } from '../temporal/codec/data-converter.js';
import type { CodecSettings } from '../temporal/codec/settings.js';
import { ensureSchedules } from '../temporal/schedules.js';
import { refundStarter } from '../temporal/start-refund.js';
import { reasonOf } from '../temporal/search-attributes.js';
import type { TaskQueues } from '../temporal/task-queues.js';
import type { MaintenanceSchedule } from '../temporal/maintenance.js';
import { activityLog } from './activity-log.js';
import type { GatewayActivities } from '../workflows/refund/activities.js';
import { QUERIES, type Profile } from './profiles.js';
import { SHUTDOWN_FORCE, SHUTDOWN_GRACE } from './shutdown.js';

export interface RefundWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly codec: CodecSettings;
  readonly bundle: WorkflowBundle;
  readonly queues: TaskQueues;
  readonly profile: Profile;
  readonly dependencies: Dependencies;
  readonly start: StartSettings;
  /** The ledger's database, for sweep, audit and payment updates. */
  readonly database: Database;
  /** Creates or updates the schedules; absent: schedules are left as they are. */
  readonly maintenance?: MaintenanceSchedule;
  /** Logs each activity; absent: nothing is logged. */
  readonly log?: Log;
}

export interface RefundWorker {
  /** Resolves when both workers have shut down after `shutdown`; rejects when one of them fails. */
  readonly done: Promise<void>;
  /** Stops taking work and resolves when running activities have finished. */
  shutdown(): Promise<void>;
}

const HEARTBEAT_MS = 2_000;

export async function startRefundWorker(options: RefundWorkerOptions): Promise<RefundWorker> {
  const { connection, namespace, queues, database, start, log } = options;
  const converter = dataConverter(options.codec, namespace);
  const temporal = new Client({ connection, namespace, dataConverter: converter });
  const cancellationSignal = (): AbortSignal => Context.current().cancellationSignal;
  const activities = {
    ...createRefundActivities(options.dependencies),
    ...createClientActivities(options.dependencies, start, () => confirmTask(temporal)),
    ...createSweepActivities(
      {
        database,
        start,
        startRefund: refundStarter(temporal, start, queues),
        onFailure: (refundId, error) =>
          log?.warn('sweep.not_started', { refundId, reason: reasonOf(error) }, error),
      },
      cancellationSignal,
    ),
    ...createAuditActivities(database, ({ violations }) =>
      log?.error('audit.violations', { count: violations }),
    ),
  };
  /** Activities that query the gateway, alone on their queue. Their rate is the entity's query budget, shared by all processes. */
  const gatewayActivities: GatewayActivities & PaymentActivities = {
    queryOutcome: activities.queryOutcome,
    reconcile: activities.reconcile,
    queryPayment: activities.queryPayment,
    linkTransaction: activities.linkTransaction,
    correctRefund: activities.correctRefund,
    confirmCorrection: activities.confirmCorrection,
    ...createPaymentActivities(options.dependencies, database),
  };
  const shared = {
    connection,
    namespace,
    dataConverter: converter,
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: SHUTDOWN_FORCE,
    interceptors: {
      activity: [...(log === undefined ? [] : [activityLog(log)]), heartbeating, stableFailures],
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
      activities: gatewayActivities,
      ...QUERIES,
    }),
  ]);
  // Before the workers run: the first sweep must not rely on marks of runs that a lost Temporal server had.
  if (options.maintenance !== undefined) {
    const { isNew } = await ensureSchedules(temporal, queues, options.maintenance);
    if (isNew) await clearSweeps(database);
  }
  const runs = workers.map((worker) => worker.run());
  const stop = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  // If one worker fails the other stops too: with only half of the queues served, refunds would wait unnoticed.
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

/** Sends a heartbeat. Rejects if Temporal no longer waits for this try of the activity. */
function confirmTask(temporal: Client): Promise<void> {
  const { taskToken, namespace, activityId, workflowExecution } = Context.current().info;
  return temporal.activity.heartbeat(taskToken, undefined, {
    // The SDK cannot read the token, and the payload codec binds the details to the workflow.
    serializationContext: {
      type: 'activity',
      namespace,
      activityId,
      isLocal: false,
      ...(workflowExecution === undefined ? {} : { workflowId: workflowExecution.workflowId }),
    },
  });
}

/** Sends heartbeats for each activity, so Temporal detects a dead worker long before the activity's own time-out. */
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

/** Turns errors into failures whose type is a stable code, which retry options name. */
const stableFailures: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        if (error instanceof QueryBudgetSpent) throw retryLater(error, context.info.attempt);
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

/** Longest milliseconds between two tries of an activity without query budget: a backlog must not keep the worker busy with tries. */
const LONGEST_BUDGET_WAIT = 60_000;

/** Frees the activity slot until the budget may have a query again. Delays grow and are spread, so a backlog does not try all at once. */
function retryLater({ message, retryAfter }: QueryBudgetSpent, attempt: number): ApplicationFailure {
  const grown = Math.min(retryAfter * 1.5 ** Math.min(attempt - 1, 20), LONGEST_BUDGET_WAIT);
  return ApplicationFailure.create({
    type: 'query_budget_spent',
    message,
    nextRetryDelay: Math.ceil(Math.max(retryAfter, grown) * (1 + Math.random() / 4)),
    category: ApplicationFailureCategory.BENIGN,
  });
}
