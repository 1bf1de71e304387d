/** One whole lifetime: a payment, refunds on it, everything that can come between, quiet, and then the books. */
import { isFinal, REFUND_STATES } from '../../domain/refund/states.js';
import { gatewayNotification, REFUND_WORKFLOW, refundWorkflowId } from '../../workflows/refund/contract.js';
import { ledgerViolations } from './checks/books.js';
import { gatewayViolations } from './checks/gateway.js';
import { observationViolations } from './checks/observed.js';
import { noteReached } from './checks/reached.js';
import { settlementViolations } from './checks/settled.js';
import { noteViolations } from './checks/commands.js';
import { OutsideFacts } from './harness/outside-facts.js';
import { Clients } from './harness/clients.js';
import { Operators } from './harness/operators.js';
import { Receiver } from './harness/receiver.js';
import { Beginnings, type Beginning } from './harness/beginning.js';
import type { Coverage } from './harness/coverage.js';
import { accept, drawOrder, type Acceptance } from './harness/orders.js';
import { enter, leave } from './harness/fakes.js';
import { drawMix } from './harness/mix.js';
import { LIMITS } from './harness/config.js';
import { Random } from './harness/random.js';
import { KeptTrace } from './harness/trace.js';
import { Harness, type Mutant } from './harness/harness.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Virtual time that a world may take to come to rest once nothing goes wrong any more. */
const PATIENCE = 5 * DAY;

export interface SimulationRun {
  readonly seed: number;
  /** What does not hold; empty where all is well. */
  readonly violations: readonly string[];
  readonly steps: number;
  readonly trace: readonly string[];
}

export interface SimulationRunOptions {
  readonly coverage: Coverage;
  readonly isTraced?: boolean;
  readonly mutant?: Mutant | undefined;
  /** For many lifetimes one after the other. */
  readonly beginnings?: Beginnings;
}

/** Everything follows from the seed: the same one again is the same lifetime. */
export async function live(
  seed: number,
  { beginnings, ...options }: SimulationRunOptions,
): Promise<SimulationRun> {
  const { scenario } = drawMix(new Random(seed));
  const beginning = await (beginnings ?? new Beginnings(options.isTraced)).of(seed, scenario);
  const harness = new Harness({ seed, beginning, ...options });
  enter(harness);
  const violations: string[] = [];
  try {
    violations.push(...(await unfold(harness, beginning)));
  } catch (error) {
    violations.push(
      `the world broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  } finally {
    leave();
  }
  const trace = harness.trace instanceof KeptTrace ? harness.trace.lines : [];
  return { seed, violations, steps: harness.scheduler.steps, trace };
}

async function unfold(harness: Harness, beginning: Beginning): Promise<readonly string[]> {
  const { scheduler, cluster, chaos, random, gateway, mix, config } = harness;
  const receiver = new Receiver(harness);
  const operators = new Operators(harness);
  const clients = new Clients(harness);
  const facts = new OutsideFacts(harness);
  const meanwhile = (): void => interfereWithTrouble(harness, operators, facts);
  harness.onTrouble = meanwhile; // see there
  askForRefunds(harness, clients, beginning);
  operators.config();
  facts.config();

  const settle = (): boolean => cluster.settle();
  const troubleFor = random.spread(MINUTE, 2 * DAY);
  // A course has its time.
  const troubleEnds = scheduler.now + (mix.scenario === undefined ? troubleFor : 2 * DAY);
  await scheduler.run(settle, () => false, troubleEnds);

  // From here on nothing goes wrong any more: all that is left has to come to rest.
  scheduler.now = Math.max(scheduler.now, troubleEnds);
  harness.trace.note('harness', 'NOTHING GOES WRONG FROM HERE ON');
  chaos.isOn = false;
  gateway.clearFault();
  harness.isDatabaseDown = false;
  facts.finishPending();
  const until = scheduler.now + PATIENCE;
  const untold = new Set<string>();
  for (
    let received = -1, started = 0;
    received !== receiver.updates || started > 0 || unattended(harness).length > 0;
  ) {
    received = receiver.updates;
    started = sweep(harness);
    const end = await scheduler.run(settle, restful(harness), until);
    if (end === 'time_up' || end === 'busy')
      return [`it did not come to rest (${end}): ${describe(harness)}`];
    // What an audit does: every attempt of a refund that is over, once more, when all of it is visible.
    const visibleAt = scheduler.now + LIMITS.visibilityLag + LIMITS.executionDelay;
    await scheduler.run(settle, () => scheduler.now >= visibleAt, visibleAt);
    await scheduler.run(settle, receiver.audit(), until);
    if (lingering(harness).length > 0) {
      const isReported = (): boolean => lingering(harness).length === 0;
      await scheduler.run(settle, isReported, scheduler.now + MINUTE);
      // What acts beside a run tells it nothing, and is no news to a sweep: such a run has to find out by itself.
      for (const workflowId of lingering(harness))
        if (!cluster.notAlone.has(workflowId)) untold.add(workflowId);
      await scheduler.run(settle, isReported, scheduler.now + config.timings.caseAfterUnknown + HOUR);
    }
  }
  noteReached(harness);
  return [
    ...harness.failures,
    ...[...untold].map((workflowId) => `${workflowId} was not told that its refund is over`),
    ...lingering(harness).map((workflowId) => `${workflowId} outlives its refund`),
    ...ledgerViolations(harness.database.tables, 'at rest'),
    ...gatewayViolations(harness, facts),
    ...observationViolations(harness),
    ...(await settlementViolations(harness)),
    ...clients.atRest(),
    ...noteViolations(operators.answers, harness.database.tables.rows.events),
  ];
}

/** While a refund is in trouble is when it matters most: people grow impatient, the payer asks the bank, somebody uses the portal. */
function interfereWithTrouble(
  { random, scheduler, chaos }: Harness,
  operators: Operators,
  facts: OutsideFacts,
): void {
  if (!random.chance(0.4)) return;
  const act = random.pick([
    () => operators.interfere(),
    () => operators.withdraw(),
    () => operators.withdraw(),
    () => facts.happen(),
    () => facts.happen(),
  ]);
  scheduler.after(random.spread(100, 8 * HOUR), () => {
    if (chaos.isOn) act();
  });
}

function describe({ database, cluster }: Harness): string {
  const refunds = database.tables.rows.refunds.map(
    (row) => `${String(row['id']).slice(-6)} is ${String(row['state'])}`,
  );
  return `${refunds.join(', ')}; ${cluster.openRuns} runs`;
}

/** Starts what has ended or was never started though its refund is not over. */
function sweep(harness: Harness): number {
  const left = unattended(harness);
  for (const id of left) {
    harness.trace.note('sweep', `starts ${id.slice(-6)}`);
    startRefund(harness, id);
  }
  return left.length;
}

/** As the sweep does with what has not changed for long: a run that waits for nobody is told to look at the ledger. */
function wakeSilent({ database, cluster, trace }: Harness, before: ReadonlyMap<string, unknown>): void {
  for (const row of database.tables.rows.refunds) {
    const id = String(row['id']);
    if (isOver(row['state']) || WAITS.has(row['state']) || before.get(id) !== row['version']) continue;
    trace.note('sweep', `wakes ${id.slice(-6)}`);
    cluster.signal(refundWorkflowId(id), gatewayNotification.name);
  }
}

/** Refunds that are not over and that no run drives. */
function unattended({ database, cluster }: Harness): readonly string[] {
  return database.tables.rows.refunds.flatMap((row) => {
    const id = String(row['id']);
    return isOver(row['state']) || cluster.isOpen(refundWorkflowId(id)) ? [] : [id];
  });
}

/** Runs that wait for somebody although their refund is over. */
function lingering({ database, cluster }: Harness): readonly string[] {
  return database.tables.rows.refunds.flatMap((row) => {
    const workflowId = refundWorkflowId(String(row['id']));
    return isOver(row['state']) && cluster.isOpen(workflowId) ? [workflowId] : [];
  });
}

function isOver(state: unknown): boolean {
  return typeof state === 'string' && FINAL.has(state);
}
const FINAL: ReadonlySet<string> = new Set(REFUND_STATES.filter(isFinal));

export function startRefund(
  harness: Harness,
  refundId: string,
  conflict: 'use_existing' | 'second' = 'use_existing',
): void {
  const input = { refundId, config: harness.config, queryTaskQueue: 'look-ups' };
  harness.cluster.start(REFUND_WORKFLOW, refundWorkflowId(refundId), [input], conflict);
}

/**
 * Every refund is over, or waits for a person, and looking up what is open, late enough to count, told nothing new. What is seen once
 * an hour is enough: the clock has to go somewhere where nothing else is left to happen.
 */
function restful(harness: Harness): () => boolean {
  const { scheduler, cluster, database, config } = harness;
  let next = scheduler.now + 10 * MINUTE;
  let before = '';
  /** Look-ups of each attempt when everything had stood still for an hour. */
  let queries: readonly number[] | undefined;
  let versions: ReadonlyMap<string, unknown> = new Map();
  const tick = (): void => void scheduler.after(HOUR, tick);
  scheduler.after(10 * MINUTE, tick);
  return () => {
    // What a stopped process does when it goes on is part of the lifetime, also when all refunds are over.
    if (harness.processes.some((process) => process.isFrozen)) return false;
    if (cluster.openRuns === 0) return true;
    if (scheduler.now < next) return false;
    next = scheduler.now + HOUR;
    const { refunds, attempts } = database.tables.rows;
    const now = [
      ...refunds.map((row) => String(row['version'])),
      // More misses than prove absence prove nothing more.
      ...attempts.map(
        (row) =>
          `${String(row['state'])} ${Math.min(Number(row['not_found_count']), config.timings.notFoundNeeded)}`,
      ),
    ].join();
    wakeSilent(harness, versions);
    versions = new Map(refunds.map((row) => [String(row['id']), row['version']]));
    const isStill = now === before && refunds.every((row) => isOver(row['state']) || WAITS.has(row['state']));
    before = now;
    if (!isStill) {
      queries = undefined;
      return false;
    }
    const seen = queries ?? (queries = attempts.map((row) => Number(row['queries'])));
    return attempts.every(
      (row, index) => !isOpen(row['state']) || Number(row['queries']) > (seen[index] ?? 0),
    );
  };
}
function isOpen(state: unknown): boolean {
  return state === 'unknown' || state === 'pending';
}
const WAITS: ReadonlySet<unknown> = new Set(['manual_review', 'awaiting_approval']);

/** What was asked for first goes on, and the other refunds of the payment are asked for in the hours after. */
function askForRefunds(harness: Harness, clients: Clients, { first, accepted, part }: Beginning): void {
  const { random, scheduler, mix } = harness;
  scheduler.after(0, () => {
    if (accepted === undefined) clients.begin('order-0', first.order);
    else goOn(harness, accepted);
  });
  for (let index = 1; index < mix.refunds; index += 1) {
    const asked = drawOrder(harness, part, index);
    scheduler.after(random.spread(1, 2 * HOUR), () => {
      if (asked.isByWorkflow) clients.begin(`order-${index}`, asked.order);
      else void accept(harness, asked).then((acceptance) => goOn(harness, acceptance));
    });
  }
}

function goOn(harness: Harness, acceptance: Acceptance): void {
  if ('refused' in acceptance) harness.coverage.hit('acceptance', acceptance.refused);
  // Now and then the client dies before it can start the workflow.
  else if (!harness.chaos.isOn || !harness.random.chance(0.03)) startRefund(harness, acceptance.refundId);
}
