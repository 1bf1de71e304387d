/** How lifetimes begin: a payment was taken, and what was asked for first is accepted. Nothing can go wrong in it yet. */
import type { StoreEntry } from '../../../sandbox/gateway/store.js';
import type { MemoryTables } from '../database/tables.js';
import type { Scenario } from './scenario.js';
import { Coverage } from './coverage.js';
import { CALM } from './mix.js';
import { accept, drawOrder, drawPart, type Acceptance, type QueryStart } from './orders.js';
import { OutsideFacts, type SimulatedPayment } from './outside-facts.js';
import { enter, leave } from './fakes.js';
import { KeptTrace } from './trace.js';
import { Harness } from './harness.js';

export interface Beginning {
  /** When it was over, by the clock of the world. */
  readonly at: number;
  readonly payment: SimulatedPayment;
  /** See `World.otherRegistrationId`. */
  readonly otherRegistrationId: string | undefined;
  /** What the gateway and the ledger have by then. */
  readonly history: readonly StoreEntry[];
  readonly tables: MemoryTables;
  /** See `drawPart`. */
  readonly part: bigint;
  readonly first: QueryStart;
  /** Undefined: a workflow of the caller's own is to ask. */
  readonly accepted: Acceptance | undefined;
  readonly trace: readonly string[];
}

/** So many different ones there are. Lifetimes differ by what comes after. */
const MANY = 1024;
/** Beyond all seeds of lifetimes. */
const SEEDS = 2 ** 40;

/**
 * Lifetimes whose seeds are `MANY` apart begin alike: that is lived once and gone on from, which saves a seventh of a lifetime. Worlds
 * after it share only rows and transactions that nobody changes.
 */
export class Beginnings {
  readonly #lived = new Map<number, Beginning>();
  readonly #isTraced: boolean;

  constructor(isTraced = false) {
    this.#isTraced = isTraced;
  }

  /** A course has its own demands of a payment, and a beginning of its own. */
  async of(seed: number, scenario: Scenario | undefined): Promise<Beginning> {
    if (scenario !== undefined) return begin(SEEDS + seed, this.#isTraced, scenario);
    const number = seed % MANY;
    const known = this.#lived.get(number);
    if (known !== undefined) return known;
    const beginning = await begin(SEEDS + number, this.#isTraced);
    this.#lived.set(number, beginning);
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

/** What a course has asked for, in minor units; undefined: as chance has it. */
function onlyOf({ payment }: Harness, scenario: Scenario | undefined): bigint | undefined {
  if (scenario === undefined || scenario.asksForAnything === true) return undefined;
  return scenario.asksFor === undefined ? payment.minor : payment.toMinor(scenario.asksFor);
}

async function acceptedIn(harness: Harness, first: QueryStart): Promise<Acceptance> {
  const accepted = accept(harness, first);
  await harness.scheduler.run(
    () => false,
    () => false,
    Infinity,
  );
  return accepted;
}
