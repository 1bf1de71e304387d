/** Starts all parts that a refund needs, for one test file: simulated gateway, ledger, worker and client. Time is scaled down. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { expect, inject } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.js';
import type { StartSettings } from '../../activities/pay-back/activities.js';
import { readCreditLimits } from '../../client/credit-limits.js';
import { createRefundsClient, type Refund, type RefundsClient } from '../../client/index.js';
import type { OpenRefundsClient } from '../../client/open.js';
import {
  DEFAULT_POLICY,
  DEFAULT_TIMINGS,
  scaleTimings,
  type RefundConfig,
  type Policy,
  type Timings,
} from '../../domain/refund/config.js';
import { Secret } from '../../domain/secret.js';
import { FINAL_STATES, isFinal, OPERATOR_STATES } from '../../domain/refund/states.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { pause } from '../../activities/pause.js';
import { machineClock } from '../../gateway/http/clock.js';
import { createGateway } from '../../gateway/oppwa/oppwa.js';
import { openDatabase, openTransaction, type Database } from '../../ledger/db/database.js';
import { localKeys } from '../../ledger/cards/local-keys.js';
import { openerOf, sealerOf, type CardSealer } from '../../ledger/cards/seal.js';
import { createLedger } from '../../ledger/postgres.js';
import { createQueryBudget } from '../../ledger/access/query-budget.js';
import { createReportingRecord } from '../../ledger/access/reporting.js';
import { allRefunds, compareBooks } from '../../sandbox/demo/books.js';
import { formatAmount, parseAmount } from '../../sandbox/gateway/amounts.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import type { FaultRule } from '../../sandbox/gateway/faults.js';
import { startGatewayServer, type GatewayServer } from '../../sandbox/gateway/server.js';
import type { GatewaySettings } from '../../sandbox/gateway/settings.js';
import type { WebhookWrapper } from '../../sandbox/gateway/webhooks.js';
import { createLog, type Log } from '../../settings/log.js';
import { dataConverter } from '../../temporal/codec/data-converter.js';
import type { CodecSettings } from '../../temporal/codec/settings.js';
import { auditScheduleId, sweepScheduleId } from '../../temporal/schedules.js';
import { taskQueues, type TaskQueues } from '../../temporal/task-queues.js';
import type { MaintenanceSchedule } from '../../temporal/maintenance.js';
import { workflowBundle } from '../../worker/bundle.js';
import { PROFILES } from '../../worker/profiles.js';
import { startRefundWorker, type RefundWorker } from '../../worker/refund-worker.js';
import { paymentUpdatesWorkflowId } from '../../workflows/maintenance/contract.js';
import { refundWorkflowId } from '../../workflows/refund/contract.js';
import { cardKeyFiles } from './card-keys.js';
import { codecEnv, testCodec } from './codec.js';
import { freshDatabase } from './database.js';
import { leaksIn } from './leaks.js';

export interface StackOptions {
  readonly timings?: Partial<Timings>;
  readonly policy?: Partial<Policy>;
  /** Settings of the simulated gateway. */
  readonly gateway?: Partial<GatewaySettings>;
  /** The file in which the simulated gateway stores its books. Default: none. */
  readonly gatewayJournal?: string;
  /** Budget of queries; default high enough never to be exhausted. */
  readonly searchesPerSecond?: number;
  /** URL and encryption key of the gateway's notifications. Without it none are posted. */
  readonly webhooks?: { readonly url: string; readonly key: string; readonly wrapper?: WebhookWrapper };
  /** Default true. Without it nothing runs until `startWorker()`. */
  readonly worker?: boolean;
  /** Schedules that the stack's workers create; default none, so that nothing starts by itself. */
  readonly maintenance?: MaintenanceSchedule;
  /** Default: nothing is encrypted, unless `TEST_CODEC` says otherwise. */
  readonly codec?: CodecSettings;
  /** Log of its workers; default `Stack.logged`. */
  readonly log?: Log;
  /** Default: the run's server. A test with a server of its own sets other limits, or kills it. */
  readonly temporal?: { readonly address: string; readonly namespace: string };
  /** Default: a new database on the run's server. A test with a server of its own kills it, or replaces it. */
  readonly databaseUrl?: string;
}

export interface NewPayment {
  readonly type?: 'DB' | 'PA';
  /** In the gateway's notation; default `100.00`. */
  readonly amount?: string;
  readonly currency?: string;
  readonly captures?: readonly string[];
}

export interface Stack {
  readonly gateway: GatewayServer;
  readonly databaseUrl: string;
  readonly database: Database;
  /** Seals cards that the stack's workers can open. */
  readonly sealer: CardSealer;
  readonly dependencies: Dependencies;
  readonly config: RefundConfig;
  readonly start: StartSettings;
  readonly queues: TaskQueues;
  readonly temporal: Client;
  readonly client: RefundsClient;
  readonly limits: OpenRefundsClient['limits'];
  /** Environment for a separate process of this stack, such as the command line or a worker. */
  readonly env: NodeJS.ProcessEnv;
  /** Every logged line: of the stack's workers, and of parts that a test builds beside them in this process. */
  readonly logged: string[];
  newPayment(payment?: NewPayment): CreatedPayment;
  /** Sets a fault: the effect that the gateway applies to the next matching order. */
  fault(effect: FaultRule['effect'], match?: FaultRule['match']): void;
  /** Starts one more worker. It stops with the stack at the latest. */
  startWorker(): Promise<RefundWorker>;
  /** Fails if a card, a secret of this stack or one of `secrets` is in a table, a log line or a workflow history. */
  expectNoLeaks(secrets?: readonly string[]): Promise<void>;
  /** Waits until every refund is final or waits for an operator. Fails with the refunds that are neither in time. */
  untilAtRest(): Promise<void>;
  /**
   * Fails unless the gateway's books equal the ledger to the cent, no attempt is open and nothing stays reserved for a final refund.
   * Waits until all is at rest: between the gateway's booking and the ledger's record the two may differ.
   */
  expectBooksAgree(): Promise<void>;
  /** Stops everything. Also expects the books to agree, unless `booksAgree` is false. */
  close(options?: { readonly booksAgree?: boolean }): Promise<void>;
}

/** Turns a minute into 60 ms. Timings for real I/O keep their minimums. */
const SCALE = 0.001;
const THRESHOLDS = { EUR: '50000' };
const REST_WITHIN_MS = 180_000;

/** Starts a stack. Call it at the top of a file: `const stack = await startStack();`, then `afterAll(() => stack.close());`. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  quietRuntime();
  const databaseUrl = options.databaseUrl ?? (await freshDatabase('migrated'));
  const database = openDatabase(databaseUrl);
  const { webhooks } = options;
  const entity = {
    id: randomBytes(16).toString('hex'),
    token: `token-${randomUUID()}`,
    ...(webhooks === undefined ? {} : { webhookKey: webhooks.key }),
  };
  const gatewayServer = await startGatewayServer({
    entities: [entity],
    ...(options.gateway === undefined ? {} : { settings: options.gateway }),
    ...(options.gatewayJournal === undefined ? {} : { journalFile: options.gatewayJournal }),
    ...(webhooks === undefined
      ? {}
      : { webhooks: { url: webhooks.url, wrapper: webhooks.wrapper ?? 'none', timeFactor: SCALE } }),
  });
  const gateway = createGateway({
    entities: [
      { id: entity.id, baseUrl: gatewayServer.url, accessToken: new Secret(entity.token), hostKind: 'test' },
    ],
    refuseWhen: openTransaction,
    budget: createQueryBudget(database, options.searchesPerSecond ?? 1_000),
    reporting: createReportingRecord(database),
  });
  const config: RefundConfig = {
    timings: { ...scaleTimings(DEFAULT_TIMINGS, SCALE), ...options.timings },
    policy: { ...DEFAULT_POLICY, creditApprovalAbove: THRESHOLDS, ...options.policy },
  };
  const { address, namespace } = options.temporal ?? inject('temporal');
  const queueName = `refunds-${randomUUID()}`;
  const queues = taskQueues(queueName);
  const start: StartSettings = { configFor: () => config, queryTaskQueue: queues.queries };
  // Processes with `env` have the same keys.
  const cardKeys = await cardKeyFiles();
  const provider = localKeys([cardKeys.key]);
  const sealer = sealerOf(provider, cardKeys.fingerprintKey);
  const dependencies: Dependencies = {
    ledger: createLedger(database),
    gateway,
    cards: openerOf(provider),
    defaultEntityId: entity.id,
    hasEntity: (id) => id === entity.id,
    hasCardKeys: true,
    now: machineClock,
    pause,
  };
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const codec = options.codec ?? testCodec;
  const temporal = new Client({ connection, namespace, dataConverter: dataConverter(codec, namespace) });
  const client = createRefundsClient({ temporal, dependencies, start, queues });

  const logged: string[] = [];
  const log = options.log ?? createLog({ role: 'worker', to: { write: (line) => logged.push(line) } });
  const workers: RefundWorker[] = [];
  const bundle = await workflowBundle(inject('workflowBundle'));
  async function startWorker(): Promise<RefundWorker> {
    const worker = await startRefundWorker({
      connection: native,
      namespace,
      codec,
      bundle,
      queues,
      profile: PROFILES.small,
      dependencies,
      start,
      database,
      ...(options.maintenance === undefined ? {} : { maintenance: options.maintenance }),
      log,
    });
    workers.push(worker);
    return worker;
  }
  if (options.worker !== false) await startWorker();

  async function untilAtRest(): Promise<void> {
    // Without any worker no refund moves.
    if (workers.length === 0) return;
    const deadline = performance.now() + REST_WITHIN_MS;
    for (;;) {
      const moving = (await allRefunds(dependencies.ledger))
        .filter(({ state }) => !isFinal(state) && !OPERATOR_STATES.includes(state))
        .map(({ id, state }) => `${id} ${state}`);
      if (moving.length === 0) return;
      if (performance.now() > deadline)
        expect.fail(`they are neither final nor with an operator: ${moving.join(', ')}`);
      await pause(50);
    }
  }

  async function expectBooksAgree(): Promise<void> {
    await untilAtRest();
    const refunds = await allRefunds(dependencies.ledger);
    const transactions = gatewayServer.engine
      .transactions()
      .map((transaction) => ({ ...transaction, amount: formatAmount(transaction.amount) }));
    expect(compareBooks(refunds, transactions), 'gateway and ledger').toEqual([]);
    const open = refunds.flatMap(({ attempts }) =>
      attempts.filter((attempt) => isOpenAttempt(attempt.state)),
    );
    expect(open, 'open attempts').toEqual([]);
    const held = await database.db
      .selectFrom('payments')
      .select(['id', 'reserved_minor'])
      .where('reserved_minor', '<>', 0n)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('refunds')
              .select('refunds.id')
              .whereRef('refunds.payment_id', '=', 'payments.id')
              .where('refunds.state', 'not in', FINAL_STATES),
          ),
        ),
      )
      .execute();
    expect(held, 'reserved for refunds that have ended').toEqual([]);
  }

  return {
    gateway: gatewayServer,
    databaseUrl,
    database,
    sealer,
    dependencies,
    config,
    start,
    queues,
    temporal,
    client,
    limits: (query) =>
      readCreditLimits(database, { entityIds: [entity.id], configFor: start.configFor }, query),
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      OPPWA_BASE_URL: gatewayServer.url,
      OPPWA_ENTITY_ID: entity.id,
      OPPWA_ACCESS_TOKEN: entity.token,
      ...codecEnv(codec),
      REFUNDS_TASK_QUEUE: queueName,
      REFUNDS_WORKFLOW_BUNDLE: inject('workflowBundle'),
      REFUNDS_TIME_SCALE: String(SCALE),
      // The Temporal server outlives the stack. A test that turns schedules on deletes them.
      REFUNDS_SCHEDULES: 'off',
      REFUNDS_CREDIT_APPROVAL_ABOVE: 'EUR:500.00',
      ...cardKeys.env,
    },
    logged,
    newPayment: ({ type = 'DB', amount = '100.00', currency = 'EUR', captures } = {}) =>
      gatewayServer.engine.createPayment({
        type,
        amount: hundredths(amount),
        currency,
        ...(captures === undefined ? {} : { captures: captures.map(hundredths) }),
      }),
    fault(effect, match = {}) {
      gatewayServer.engine.setFault({ match, effect });
    },
    startWorker,
    async expectNoLeaks(secrets = []) {
      const refunds = await database.db.selectFrom('refunds').select(['id', 'payment_id']).execute();
      const places = {
        database,
        logged,
        temporal,
        taskQueue: queues.refunds,
        workflowIds: [
          ...refunds.map(({ id }) => refundWorkflowId(id)),
          ...new Set(refunds.map(({ payment_id }) => paymentUpdatesWorkflowId(payment_id))),
        ],
      };
      const own = [entity.token, ...cardKeys.texts, ...(webhooks === undefined ? [] : [webhooks.key])];
      const { leaks } = await leaksIn(places, [...own, ...secrets]);
      expect(leaks, 'cards and secrets').toEqual([]);
    },
    untilAtRest,
    expectBooksAgree,
    async close({ booksAgree = true } = {}) {
      try {
        if (booksAgree) await expectBooksAgree();
      } finally {
        // The Temporal server outlives the stack: a schedule that stays would go on starting workflows without a worker.
        if (options.maintenance !== undefined)
          for (const id of [sweepScheduleId(queues), auditScheduleId(queues)])
            await temporal.schedule.getHandle(id).delete().catch(unlessMissing);
        await Promise.all(workers.map((worker) => worker.shutdown()));
        await Promise.all([native.close(), connection.close(), gateway.close(), database.close()]);
        await gatewayServer.close();
        await cardKeys.remove();
      }
    },
  };
}

/** Returns the payment of a refund. Throws for an unlinked credit, which has none. */
export function paymentOf({ id, paymentId }: Pick<Refund, 'id' | 'paymentId'>): string {
  if (paymentId === null) throw new Error(`refund ${id} is a credit that is linked to no payment`);
  return paymentId;
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof ScheduleNotFoundError)) throw error;
}

function hundredths(amount: string): bigint {
  const parsed = parseAmount(amount);
  if (parsed === null) throw new RangeError(`not an amount of the gateway: ${amount}`);
  return parsed;
}

/** Silences the SDK's own lines, which would bury the output of a failing test. Once for each process. */
function quietRuntime(): void {
  try {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      shutdownSignals: [],
      telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
    });
  } catch {
    // A test file of the same process has installed it already.
  }
}
