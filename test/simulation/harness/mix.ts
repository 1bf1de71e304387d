/** Draws how large one run is and how much goes wrong in it. Most runs are small, because most defects show there first. */
import { drawScenario } from '../scenarios/index.js';
import type { Scenario } from './scenario.js';
import type { Random } from './random.js';

export interface Mix {
  readonly refunds: number;
  /** Chance of a fault at each call of the ledger or a read of the gateway. */
  readonly rate: number;
  /** Chance that a write meets something at the gateway itself. */
  readonly gatewayRate: number;
  /** Total number of faults at calls and at the gateway; after these everything succeeds. */
  readonly faults: number;
  /** Number of interferences by operators. */
  readonly acts: number;
  /** Number of times that a process dies or stops, or the database is unavailable. */
  readonly breakdowns: number;
  /** True if the gateway declines the first write, most often so that a credit may follow: a credit is where money can be lost. */
  readonly isDeclined: boolean;
  /** The scenario that the run follows, in place of chance. */
  readonly scenario?: Scenario;
}

/** A run in which nothing goes wrong. */
export const CALM: Mix = {
  refunds: 1,
  rate: 0,
  gatewayRate: 0,
  faults: 0,
  acts: 0,
  breakdowns: 0,
  isDeclined: false,
};

/** Share of the runs that follow a scenario: the rarest defects show only there. */
const SCENARIOS = 0.15;

/**
 * Draws the size of a run. A defect that needs three faults needs no more than three: further faults make the run longer and often hide
 * the defect. 15 % of the runs follow a scenario. Of the others 79 % are one refund with one to three faults, 15 % are several refunds
 * that race for one payment, and 6 % are storms, in which everything may go wrong again and again. The measure of this mix is the CPU
 * time that it takes to catch every defect in `mutants`.
 */
export function drawMix(random: Random): Mix {
  if (random.chance(SCENARIOS)) return { ...CALM, scenario: drawScenario(random) };
  const kind = random.next();
  if (kind < 0.79)
    return {
      refunds: 1,
      rate: random.pick([0, 0.05, 0.2]),
      gatewayRate: random.pick([0.1, 0.7, 0.7]),
      faults: random.pick([1, 1, 2, 3]),
      acts: random.pick([0, 0, 1]),
      breakdowns: random.pick([0, 0, 0, 1]),
      isDeclined: random.chance(0.25),
    };
  if (kind < 0.94)
    return {
      refunds: random.pick([2, 2, 3]),
      rate: random.pick([0, 0.03, 0.1]),
      gatewayRate: random.pick([0, 0.3, 0.6]),
      faults: random.between(0, 2),
      acts: random.pick([0, 1]),
      breakdowns: random.pick([0, 0, 0, 1]),
      isDeclined: random.chance(0.25),
    };
  return {
    refunds: random.pick([1, 1, 2, 3]),
    rate: random.pick([0.01, 0.03, 0.1, 0.25]),
    gatewayRate: random.pick([0, 0.2, 0.5, 0.8]),
    faults: Infinity,
    acts: random.pick([0, 1, 2, 5]),
    breakdowns: random.between(0, 2),
    isDeclined: false,
  };
}
