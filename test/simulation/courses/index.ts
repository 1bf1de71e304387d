/** The courses that some lifetimes follow, so that what chance would not draw is reached by every run of some thousands. */
import type { Course } from '../world/course.js';
import type { Random } from '../world/random.js';
import {
  capturedMeanwhile,
  lookUpsAway,
  staleProof,
  stubborn,
  twoRuns,
  unreadablePayment,
} from './at-once.js';
import { disputedBeforeCredit, outdatedQuery } from './disputes.js';
import {
  absentTooEarly,
  earlierDecline,
  knownByIdAlone,
  overtaken,
  paidAfterAll,
  paidAfterTheEnd,
  paidAgain,
  partPaidAgain,
} from './late-truth.js';
import { split } from './limits.js';
import { nothingOwed, partRefused, signedUnpaid, unregistered } from './persons.js';
import { settledBeforeApproval, settledOutside } from './settled-outside.js';

const COURSES: readonly Course[] = [
  stubborn,
  twoRuns,
  staleProof,
  capturedMeanwhile,
  lookUpsAway,
  unreadablePayment,
  disputedBeforeCredit,
  outdatedQuery,
  paidAfterAll,
  paidAfterTheEnd,
  absentTooEarly,
  overtaken,
  knownByIdAlone,
  earlierDecline,
  paidAgain,
  partPaidAgain,
  signedUnpaid,
  partRefused,
  nothingOwed,
  unregistered,
  split,
  settledOutside,
  settledBeforeApproval,
];
const ALL = COURSES.reduce((sum, { weight }) => sum + weight, 0);

export function drawCourse(random: Random): Course {
  let left = random.next() * ALL;
  return COURSES.find(({ weight }) => (left -= weight) < 0) ?? stubborn;
}
