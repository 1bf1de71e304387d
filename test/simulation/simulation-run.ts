/** One whole run: a payment, its refunds, faults and outside events, a quiet phase, and then all checks. */
import { isFinal, REFUND_STATES } from '../../domain/refund/states.js';
import { gatewayNotification, REFUND_WORKFLOW, refundWorkflowId } from '../../workflows/refund/contract.js';
import { ledgerViolations } from './checks/books.js';
import { cardViolations } from './checks/cards.js';
import { gatewayViolations } from './checks/gateway.js';
import { observationViolations } from './checks/observed.js';
import { noteReached } from './checks/reached.js';
import { settlementViolations } from './checks/settled.js';
import { commandViolations } from './checks/commands.js';
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
/** Virtual time that a run has to come to rest after the last fault. */
const PATIENCE = 5 * DAY;

export interface SimulationRun {
  readonly seed: number;
  /** Violated rules; empty if all checks pass. */
  readonly violations: readonly string[];
  readonly steps: number;
  readonly trace: readonly string[];
}

export interface SimulationRunOptions {
  readonly coverage: Coverage;
  readonly isTraced?: boolean;
  readonly mutant?: Mutant | undefined;
  /** Cached beginnings, for many runs one after the other. */
  readonly beginnings?: Beginnings;
}

/** Simulates one run. Everything follows from the seed: the same seed makes the same run. */
export async function runSeed(
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
      `the harness failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
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
  harness.onTrouble = meanwhile; // see its comment
  askForRefunds(harness, clients, beginning);
  operators.schedule();
  facts.schedule();

  const settle = (): boolean => cluster.settle();
  const troubleFor = random.spread(MINUTE, 2 * DAY);
  // A scenario needs a fixed time.
  const troubleEnds = scheduler.now + (mix.scenario === undefined ? troubleFor : 2 * DAY);
  await scheduler.run(settle, () => false, troubleEnds);

  // No faults from here on: everything that is still open has to come to rest.
  scheduler.now = Math.max(scheduler.now, troubleEnds);
  harness.trace.note('harness', 'NOTHING GOES WRONG FROM HERE ON');
  chaos.isOn = false;
  gateway.clearFault();
  harness.isDatabaseDown = false;
  facts.finishPending();
  const until = scheduler.now + PATIENCE;
  const unnotified = new Set<string>();
  for (
    let received = -1, started = 0;
    received !== receiver.lateFacts || started > 0 || unattended(harness).length > 0;
  ) {
    received = receiver.lateFacts;
    started = sweep(harness);
    const end = await scheduler.run(settle, restful(harness), until);
    if (end === 'time_up' || end === 'busy')
      return [`it did not come to rest (${end}): ${describe(harness)}`];
    // As an audit does: queries every attempt of each final refund once more, after the gateway shows all of it.
    const visibleAt = scheduler.now + LIMITS.visibilityLag + LIMITS.executionDelay;
    await scheduler.run(settle, () => scheduler.now >= visibleAt, visibleAt);
    await scheduler.run(settle, receiver.audit(), until);
    if (lingering(harness).length > 0) {
      const isReported = (): boolean => lingering(harness).length === 0;
      await scheduler.run(settle, isReported, scheduler.now + MINUTE);
      // A second run beside it does not notify a run, and does not make it stale for the sweep. Such a run must notice by itself.
      for (const workflowId of lingering(harness))
        if (!cluster.notAlone.has(workflowId)) unnotified.add(workflowId);
      await scheduler.run(settle, isReported, scheduler.now + config.timings.caseAfterUnknown + HOUR);
    }
  }
  noteReached(harness);
  return [
    ...harness.failures,
    ...[...unnotified].map((workflowId) => `${workflowId} was not notified that its refund is final`),
    ...lingering(harness).map((workflowId) => `${workflowId} still runs although its refund is final`),
    ...ledgerViolations(harness.database.tables, 'at rest'),
    ...gatewayViolations(harness, facts),
    ...cardViolations(harness),
    ...observationViolations(harness),
    ...(await settlementViolations(harness)),
    ...clients.atRest(),
    ...commandViolations(operators.results, harness.database.tables.rows.events),
  ];
}

/** Interferes most while a refund is in trouble: operators act, the payer disputes, somebody refunds in the gateway's portal. */
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

/** Starts the workflows of refunds that are not final and have no open run. Returns their number. */
function sweep(harness: Harness): number {
  const left = unattended(harness);
  for (const id of left) {
    harness.trace.note('sweep', `starts ${id.slice(-6)}`);
    startRefund(harness, id);
  }
  return left.length;
}

/** Does what the sweep does with a refund unchanged for long: signals a run that does not wait for an operator to read the ledger. */
function wakeSilent({ database, cluster, trace }: Harness, before: ReadonlyMap<string, unknown>): void {
  for (const row of database.tables.rows.refunds) {
    const id = String(row['id']);
    if (isOver(row['state']) || WAITS.has(row['state']) || before.get(id) !== row['version']) continue;
    trace.note('sweep', `wakes ${id.slice(-6)}`);
    cluster.signal(refundWorkflowId(id), gatewayNotification.name);
  }
}

/** Returns the ids of refunds that are not final and that no run drives. */
function unattended({ database, cluster }: Harness): readonly string[] {
  return database.tables.rows.refunds.flatMap((row) => {
    const id = String(row['id']);
    return isOver(row['state']) || cluster.isOpen(refundWorkflowId(id)) ? [] : [id];
  });
}

/** Returns the ids of workflows that are open although their refund is final. */
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
  const input = { refundId, config: harness.config, queryTaskQueue: 'queries' };
  harness.cluster.start(REFUND_WORKFLOW, refundWorkflowId(refundId), [input], conflict);
}

/**
 * Returns a check that is true when every refund is final or waits for an operator, and a query of each open attempt, late enough to count,
 * found nothing new. It checks once per virtual hour; a timer moves the clock on when nothing else is scheduled.
 */
function restful(harness: Harness): () => boolean {
  const { scheduler, cluster, database, config } = harness;
  let next = scheduler.now + 10 * MINUTE;
  let before = '';
  /** Number of queries of each attempt when nothing had changed for an hour. */
  let queries: readonly number[] | undefined;
  let versions: ReadonlyMap<string, unknown> = new Map();
  const tick = (): void => void scheduler.after(HOUR, tick);
  scheduler.after(10 * MINUTE, tick);
  return () => {
    // A stopped process that resumes is part of the run, also when all refunds are final.
    if (harness.processes.some((process) => process.isFrozen)) return false;
    if (cluster.openRuns === 0) return true;
    if (scheduler.now < next) return false;
    next = scheduler.now + HOUR;
    const { refunds, attempts } = database.tables.rows;
    const now = [
      ...refunds.map((row) => String(row['version'])),
      // A not-found count above the one that proves absence proves nothing more.
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

/** Continues with the first refund, and requests the other refunds of the payment in the hours after it. */
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
