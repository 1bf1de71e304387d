/** All scenarios. Some runs follow one, so that a few thousand runs reach rare chains of events. */
import type { Scenario } from '../harness/scenario.js';
import type { Random } from '../harness/random.js';
import {
  capturedMeanwhile,
  queriesUnavailable,
  staleProof,
  stubborn,
  twoRuns,
  unreadablePayment,
} from './at-once.js';
import { creditToCard } from './cards.js';
import { disputedBeforeCredit, outdatedQuery } from './disputes.js';
import {
  absentTooEarly,
  earlierDecline,
  knownByIdAlone,
  superseded,
  paidAfterAll,
  paidAfterTheEnd,
  paidAgain,
  partPaidAgain,
} from './late-truth.js';
import { split, splitOfEntity } from './limits.js';
import { nothingOwed, partRefused, signedUnpaid, unregistered } from './operators.js';
import { settledBeforeApproval, settledOutside } from './settled-outside.js';

const SCENARIOS: readonly Scenario[] = [
  stubborn,
  twoRuns,
  staleProof,
  capturedMeanwhile,
  queriesUnavailable,
  unreadablePayment,
  disputedBeforeCredit,
  outdatedQuery,
  paidAfterAll,
  paidAfterTheEnd,
  absentTooEarly,
  superseded,
  knownByIdAlone,
  earlierDecline,
  paidAgain,
  partPaidAgain,
  signedUnpaid,
  partRefused,
  nothingOwed,
  unregistered,
  split,
  splitOfEntity,
  settledOutside,
  settledBeforeApproval,
  creditToCard,
];
const ALL = SCENARIOS.reduce((sum, { weight }) => sum + weight, 0);

export function drawScenario(random: Random): Scenario {
  let left = random.next() * ALL;
  return SCENARIOS.find(({ weight }) => (left -= weight) < 0) ?? stubborn;
}
