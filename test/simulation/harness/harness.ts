/** One simulated system: a gateway, a database, a Temporal server and worker processes on one virtual clock and one seed. */
import { createClientActivities } from '../../../activities/pay-back/activities.js';
import type { Dependencies } from '../../../activities/dependencies.js';
import { createRefundActivities, type RefundActivities } from '../../../activities/refund/activities.js';
import type { RefundConfig } from '../../../domain/refund/config.js';
import type { Gateway } from '../../../gateway/gateway.js';
import type { Ledger } from '../../../ledger/ledger.js';
import { createLedger } from '../../../ledger/postgres.js';
import { SimulatedGateway } from '../../../sandbox/gateway/simulated-gateway.js';
import type { StoreEntry } from '../../../sandbox/gateway/store.js';
import { payBack } from '../../../workflows/pay-back/pay-back.js';
import { refund } from '../../../workflows/refund/workflow.js';
import { openMemoryDatabase, type MemoryDatabase } from '../database/memory-database.js';
import type { Outcome } from '../temporal/execution.js';
import { Cluster, type Task, type Workers, type Workflow } from '../temporal/cluster.js';
import type { Beginning } from './beginning.js';
import { Chaos } from './chaos.js';
import { DirectedChaos, watched, type Direction } from './scenario.js';
import type { Coverage } from './coverage.js';
import { GatewayLink } from './gateway-link.js';
import { LedgerLink } from './ledger-link.js';
import { drawMix, type Mix } from './mix.js';
import { drawConfig } from './config.js';
import type { SimulatedPayment } from './outside-facts.js';
import { ActivityContext, Process } from './process.js';
import { Random } from './random.js';
import { Scheduler, type Appointment } from './scheduler.js';
import { Vault, type Cards } from './vault.js';
import { KeptTrace, NO_TRACE, type Trace } from './trace.js';
import { overTheWire } from './wire.js';

export const ENTITY_ID = '8ac7a4c70000000000000000000000ee';
const TOKEN = 'simulated';
export const AUTHORIZATION = `Bearer ${TOKEN}`;
/** 1 September 2026, so that timestamps look realistic. */
const START = 1_788_220_800_000;
const DAY = 86_400_000;
const PROCESSES = 2;

/** A deliberate defect, put between two parts of the program. */
export interface Mutant {
  readonly name: string;
  readonly defect: string;
  readonly ledger?: (ledger: Ledger, harness: Harness) => Ledger;
  readonly gateway?: (gateway: Gateway, harness: Harness) => Gateway;
  readonly cards?: (cards: Cards) => Cards;
  readonly activities?: (
    activities: RefundActivities,
    dependencies: Dependencies,
    harness: Harness,
  ) => RefundActivities;
  /** Replaces the client's part of the workflows. */
  readonly payBack?: typeof payBack;
}

export interface HarnessOptions {
  readonly seed: number;
  readonly coverage: Coverage;
  readonly isTraced?: boolean;
  readonly mutant?: Mutant | undefined;
  /** Default: drawn by chance. */
  readonly mix?: Mix;
  /** The part of the run that has happened already; absent: nothing. */
  readonly beginning?: Beginning;
  /** Called with everything that the gateway stores. */
  readonly journal?: (entry: StoreEntry) => void;
}

/** Adapts a workflow's own types: the cluster calls it as a server does, with values from the wire. */
const asWorkflow =
  (workflow: (...args: never[]) => Promise<unknown>): Workflow =>
  async (...args) => {
    const result: unknown = await Reflect.apply(workflow, undefined, args);
    return result;
  };

const WORKFLOWS = new Map<string, Workflow>([
  ['refund', asWorkflow(refund)],
  ['payBack', asWorkflow(payBack)],
]);

const withPayBack = (defective: typeof payBack): ReadonlyMap<string, Workflow> =>
  new Map([...WORKFLOWS, ['payBack', asWorkflow(defective)]]);

export class Harness implements Workers {
  readonly start = START;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly coverage: Coverage;
  readonly trace: Trace;
  readonly mix: Mix;
  /** Direction of the scenario that this run follows, if it follows one. */
  readonly direction: Direction | undefined;
  readonly chaos: Chaos;
  readonly gateway: SimulatedGateway;
  readonly database: MemoryDatabase;
  /** The ledger as called inside the database's process: no call is lost. */
  readonly ledger: Ledger;
  readonly cluster: Cluster;
  readonly vault: Vault;
  readonly config: RefundConfig;
  readonly mutant: Mutant | undefined;
  processes: Process[];
  /** Set before anything else happens. */
  #payment: SimulatedPayment | undefined;
  #otherRegistrationId: string | undefined;
  isDatabaseDown = false;
  /** For a mutant that trusts an old query. */
  readonly remembered = new Map<string, Awaited<ReturnType<Gateway['findWithLinked']>>>();
  /** Virtual times at which orders with a reference reached the gateway, which may execute one much later. */
  readonly arrivals = new Map<string, number[]>();
  /** Errors outside of the program: faults of the simulation itself. */
  readonly failures: string[] = [];
  /**
   * The `on…` properties are called for a notification of the gateway, a write that gets a fault there, a state that a workflow shows, and a
   * workflow that ends. Assign a named function: V8 keeps a function literal that is assigned to a property in its old generation, and with it
   * this whole harness.
   */
  onNotification: (reference: string | undefined) => void = () => undefined;
  onTrouble: () => void = () => undefined;
  onShown: (workflowId: string, pairs: readonly unknown[]) => void = () => undefined;
  /** Called when a workflow has ended and no new run continues under its id. */
  onClosed: (workflowId: string, outcome: Outcome) => void = () => undefined;
  #watch: Appointment | undefined;
  #spawned = 0;

  constructor({ seed, coverage, isTraced = false, mutant, mix, beginning, journal }: HarnessOptions) {
    this.random = new Random(seed);
    this.coverage = coverage;
    this.scheduler = new Scheduler(beginning?.at ?? START);
    this.#payment = beginning?.payment;
    this.#otherRegistrationId = beginning?.otherRegistrationId;
    this.trace = isTraced ? new KeptTrace(() => this.scheduler.now - START, beginning?.trace) : NO_TRACE;
    this.mix = mix ?? drawMix(this.random);
    const { scenario } = this.mix;
    this.direction = scenario?.direct(this);
    this.chaos =
      this.direction === undefined
        ? new Chaos(this.mix, this.random, coverage)
        : new DirectedChaos(this.mix, this.random, coverage, this.direction);
    this.config = drawConfig(this.random, scenario?.policy?.(this.random));
    this.mutant = mutant;
    const ids = new Random(seed + 0x5eed);
    this.gateway = new SimulatedGateway({
      entities: [{ id: ENTITY_ID, token: TOKEN, webhookKey: '0'.repeat(64) }],
      clock: () => this.scheduler.now,
      ids: { next: () => ids.next() },
      settings: {
        declineStatus: this.random.pick([200, 400]),
        visibilityLagMs: this.random.pick([0, 0, 5_000]),
        notifyPortalRefunds: this.random.chance(0.5),
      },
      ...(journal === undefined ? {} : { journal }),
      ...(beginning === undefined ? {} : { history: beginning.history }),
    });
    this.database = openMemoryDatabase(() => this.scheduler.now, beginning?.tables);
    const { direction } = this;
    const ledger = createLedger(
      direction === undefined
        ? this.database
        : watched(this.database, (refundId, to) => direction.moved?.(refundId, to)),
    );
    this.ledger = mutant?.ledger?.(ledger, this) ?? ledger;
    this.vault = new Vault(this, mutant?.cards);
    this.cluster = new Cluster({
      scheduler: this.scheduler,
      random: this.random,
      trace: this.trace,
      workflows: mutant?.payBack === undefined ? WORKFLOWS : withPayBack(mutant.payBack),
      workers: this,
      onShown: (workflowId, pairs) => this.onShown(workflowId, pairs),
      onClosed: (workflowId, outcome) => this.onClosed(workflowId, outcome),
    });
    this.processes = Array.from({ length: PROCESSES }, () => this.#spawn());
    if (scenario !== undefined) {
      coverage.hit('scenario', scenario.name);
      this.trace.note('harness', `follows a scenario: ${scenario.name}`);
    }
  }

  get payment(): SimulatedPayment {
    if (this.#payment === undefined) throw new Error('no payment has been taken yet');
    return this.#payment;
  }

  set payment(payment: SimulatedPayment) {
    this.#payment = payment;
  }

  /** Registration of another customer's card: a credit goes there on purpose, or by a mutant. Most runs never use it. */
  get otherRegistrationId(): string {
    this.#otherRegistrationId ??= this.gateway.createPayment({
      type: 'DB',
      amount: 100n,
      currency: this.payment.currency,
      ageMs: DAY,
    }).registrationId;
    return this.#otherRegistrationId;
  }

  #spawn(): Process {
    this.#spawned += 1;
    return new Process(`worker ${this.#spawned}`, this, (process) => this.#silent(process));
  }

  fail(error: unknown): void {
    this.failures.push(`outside of the workers: ${String(error)}`);
  }

  #another(): Process {
    const process = this.#spawn();
    this.processes.push(process);
    return process;
  }

  /** Dependencies of a process that never fails: the client, or an observer. */
  dependencies(
    link: { readonly ledger: Ledger; readonly gateway: Gateway },
    process = this.outsider('outsider').process,
  ): Dependencies {
    return {
      ledger: link.ledger,
      gateway: link.gateway,
      defaultEntityId: ENTITY_ID,
      hasEntity: (id) => id === ENTITY_ID,
      hasCardKeys: true,
      now: () => process.clock(),
      pause: (ms) => process.pause(ms),
    };
  }

  /** Returns a context in a process of its own, for an actor that is not a worker. */
  outsider(name: string): ActivityContext {
    const process = new Process(name, this, () => undefined);
    return new ActivityContext(process, undefined, 1);
  }

  take(task: Task, attempt: number): void {
    const able = this.processes.filter((process) => !process.isDead && !process.isFrozen);
    // If all processes are dead or frozen, another one is started.
    const process = able[this.random.between(0, Math.max(0, able.length - 1))] ?? this.#another();
    const context = new ActivityContext(process, task, attempt);
    process.activities.add(context);
    if (this.trace.isKept)
      this.trace.note(process.name, `begins ${task.name}${attempt > 1 ? `, attempt ${attempt}` : ''}`);
    this.#perform(context, task).then(
      (result) => this.#ended(context, () => this.cluster.completed(task, attempt, result)),
      (error: unknown) =>
        this.#ended(context, () =>
          this.cluster.failed(task, attempt, error instanceof Error ? error : new Error(String(error))),
        ),
    );
  }

  async #perform(context: ActivityContext, task: Task): Promise<unknown> {
    const link = new GatewayLink(this, context);
    const dependencies = {
      ...this.dependencies(
        {
          ledger: new LedgerLink(this, context, this.ledger),
          gateway: this.mutant?.gateway?.(link, this) ?? link,
        },
        context.process,
      ),
      cards: this.vault.openerFor(context),
    };
    const refunds = createRefundActivities(dependencies);
    const { name, args } = task;
    const activity: unknown =
      Reflect.get(this.mutant?.activities?.(refunds, dependencies, this) ?? refunds, name) ??
      Reflect.get(
        createClientActivities(dependencies, { configFor: () => this.config, queryTaskQueue: 'queries' }),
        name,
      );
    if (typeof activity !== 'function') throw new Error(`no activity ${name}`);
    const result: unknown = await Reflect.apply(activity, undefined, args);
    return overTheWire(result);
  }

  #ended(context: ActivityContext, report: () => void): void {
    context.process.activities.delete(context);
    if (context.process.isDead) return;
    const fault = this.chaos.result();
    if (fault === 'crash_before_result') {
      context.process.activities.add(context);
      context.process.crash();
      return;
    }
    // Late enough for much to happen before the run receives the result, or for the server to have given up the attempt.
    const after = fault === 'late_result' ? this.random.spread(500, 180_000) : this.random.between(1, 3);
    this.scheduler.after(after, report);
  }

  /** Times out the activities of a process that sends no heartbeats, unless it resumes before the heartbeat time-out. */
  #silent(process: Process): void {
    for (const { task, attempt } of process.activities) {
      const heartbeatTimeout = task?.options.heartbeatTimeout;
      if (task === undefined || heartbeatTimeout === undefined) continue;
      this.scheduler.after(heartbeatTimeout, () => {
        if (process.isDead || process.isFrozen) this.cluster.timedOut(task, attempt, 'heartbeat');
      });
    }
    if (process.isDead)
      this.scheduler.after(this.random.between(500, 5_000), () => {
        this.processes = this.processes.filter((other) => other !== process);
        if (this.processes.length < PROCESSES) this.#another();
      });
  }

  /** Makes the gateway carry out what is due, delivers its notifications, and schedules itself for its next action. */
  watchGateway(): void {
    for (const notification of this.gateway.due()) {
      const { payload } = notification.content;
      const reference: unknown =
        typeof payload === 'object' && payload !== null && 'merchantTransactionId' in payload
          ? payload.merchantTransactionId
          : undefined;
      this.scheduler.after(this.random.spread(1, 3_000), () =>
        this.onNotification(typeof reference === 'string' ? reference : undefined),
      );
    }
    const next = this.gateway.nextAt();
    if (next === null) return;
    if (this.#watch?.action !== undefined && this.#watch.at <= next) return;
    this.scheduler.cancel(this.#watch);
    this.#watch = this.scheduler.after(Math.max(0, next - this.scheduler.now), () => this.watchGateway());
  }
}
