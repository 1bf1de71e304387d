/** Beginnings of runs: a payment is taken and the first refund is accepted. Nothing goes wrong in this part. */
import type { StoreEntry } from '../../../sandbox/gateway/store.js';
import type { MemoryTables } from '../database/tables.js';
import type { Scenario } from './scenario.js';
import { Coverage } from './coverage.js';
import { CALM } from './mix.js';
import { accept, drawOrder, drawPart, type Acceptance, type RequestedOrder } from './orders.js';
import { OutsideFacts, type SimulatedPayment } from './outside-facts.js';
import { enter, leave } from './fakes.js';
import { KeptTrace } from './trace.js';
import { Harness } from './harness.js';

export interface Beginning {
  /** Virtual time at which the beginning ended. */
  readonly at: number;
  readonly payment: SimulatedPayment;
  /** See `Harness.otherRegistrationId`. */
  readonly otherRegistrationId: string | undefined;
  /** Everything that the gateway stored until then. */
  readonly history: readonly StoreEntry[];
  readonly tables: MemoryTables;
  /** See `drawPart`. */
  readonly part: bigint;
  readonly first: RequestedOrder;
  /** Undefined if a workflow of the client requests the refund later. */
  readonly accepted: Acceptance | undefined;
  readonly trace: readonly string[];
}

/** Number of different beginnings. Runs differ by what comes after. */
const MANY = 1024;
/** Above all seeds of runs. */
const SEEDS = 2 ** 40;

/**
 * Caches beginnings. Runs whose seeds are a multiple of `MANY` apart share one beginning, which saves a seventh of a run's time. They share
 * only rows and transactions that are never changed.
 */
export class Beginnings {
  readonly #cache = new Map<number, Beginning>();
  readonly #isTraced: boolean;

  constructor(isTraced = false) {
    this.#isTraced = isTraced;
  }

  /** Returns the beginning for a seed. A scenario makes its own demands on the payment, and so has a beginning of its own. */
  async of(seed: number, scenario: Scenario | undefined): Promise<Beginning> {
    if (scenario !== undefined) return begin(SEEDS + seed, this.#isTraced, scenario);
    const number = seed % MANY;
    const known = this.#cache.get(number);
    if (known !== undefined) return known;
    const beginning = await begin(SEEDS + number, this.#isTraced);
    this.#cache.set(number, beginning);
    return beginning;
  }
}

async function begin(seed: number, isTraced: boolean, scenario?: Scenario): Promise<Beginning> {
  const history: StoreEntry[] = [];
  const harness = new Harness({
    seed,
    coverage: new Coverage(),
    isTraced,
    mix: CALM,
    journal: (entry) => void history.push(entry),
  });
  harness.chaos.isOn = false;
  enter(harness);
  try {
    new OutsideFacts(harness).takePayment(scenario?.payments);
    const part = drawPart(harness);
    const first = drawOrder(harness, part, 0, onlyOf(harness, scenario));
    const accepted = first.isByWorkflow ? undefined : await acceptedIn(harness, first);
    const { scheduler, payment, trace, failures } = harness;
    const [, otherRegistrationId] = history.flatMap((entry) =>
      entry.kind === 'registration' ? [entry.registration.id] : [],
    );
    if (failures.length > 0) throw new Error(failures.join('; '));
    return {
      at: scheduler.now,
      payment,
      otherRegistrationId,
      history,
      tables: harness.database.tables,
      part,
      first,
      accepted,
      trace: trace instanceof KeptTrace ? trace.lines : [],
    };
  } finally {
    leave();
  }
}

/** Returns the amount, in minor units, that a scenario requests; undefined: chance decides. */
function onlyOf({ payment }: Harness, scenario: Scenario | undefined): bigint | undefined {
  if (scenario === undefined || scenario.asksForAnything === true) return undefined;
  return scenario.asksFor === undefined ? payment.minor : payment.toMinor(scenario.asksFor);
}

async function acceptedIn(harness: Harness, first: RequestedOrder): Promise<Acceptance> {
  const accepted = accept(harness, first);
  await harness.scheduler.run(
    () => false,
    () => false,
    Infinity,
  );
  return accepted;
}
