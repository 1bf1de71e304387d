/** Lists what the runs must reach together, and what they cannot reach yet, each with its reason. */
import { AFTER_DECLINE } from '../../domain/refund/next-step.js';
import { APPROVAL_REASONS, CREDIT_BLOCKS } from '../../domain/refund/credit-guard.js';
import { REFUND_TRANSITIONS } from '../../domain/refund/states.js';
import { ATTEMPT_STATES } from '../../domain/refund/attempt-states.js';
import type { Coverage } from './harness/coverage.js';

/** No event records a change from a state to the same state. */
const moves = [
  ...new Set(
    REFUND_TRANSITIONS.flatMap(({ from, to }) =>
      from.filter((before) => before !== to).map((before) => `${before} → ${to}`),
    ),
  ),
];

/** Not reached yet: settlement files are not read, so no refund becomes settled. */
const NOT_YET: readonly string[] = ['succeeded → settled', 'settled → returned', 'settled → reserved'];

/**
 * Blocks that the credit guard never has to give. `queryStoredPayment` and `updatePayment` both refuse a query in a currency other than the
 * payment's, so none reaches the guard. The guard checks the currency all the same because it decides from its evidence alone: amounts of two
 * currencies cannot be added up. `test/domain/credit-guard` tests it.
 */
const NEVER_BLOCKS: ReadonlySet<string> = new Set(['wrong_currency']);

/** Returns a line for each expected item that was not reached. */
export function missing(coverage: Coverage): string[] {
  const reached = coverage.of('transition');
  const lacking = (kind: string, names: readonly string[]): string[] =>
    names.filter((name) => !coverage.of(kind).has(name)).map((name) => `${kind} ${name}`);
  return [
    ...moves
      .filter((move) => !NOT_YET.includes(move) && !reached.has(move))
      .map((move) => `transition ${move}`),
    ...lacking(
      'guard',
      ['allowed', ...Object.keys(CREDIT_BLOCKS)].filter((block) => !NEVER_BLOCKS.has(block)),
    ),
    ...lacking('approval for', Object.keys(APPROVAL_REASONS)),
    ...lacking(
      'decline',
      Object.keys(AFTER_DECLINE)
        // Only a credit or a reversal gets these declines.
        .filter((name) => name !== 'credit_not_enabled' && name !== 'reversal_too_late')
        .map((name) => `refund ${name}`),
    ),
    ...lacking('decline', ['credit credit_not_enabled', 'reversal reversal_too_late']),
    ...lacking(
      'attempt',
      ATTEMPT_STATES.filter((state) => state !== 'submitting').map((state) => `refund ${state}`),
    ),
    ...lacking('attempt', ['credit succeeded', 'credit rejected', 'credit unknown', 'reversal succeeded']),
  ];
}
