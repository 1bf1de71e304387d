/** What lifetimes have to reach between them, and what they cannot reach yet, each with its reason. */
import { AFTER_DECLINE } from '../../domain/refund/next-step.js';
import { APPROVAL_REASONS, CREDIT_BLOCKS } from '../../domain/refund/credit-guard.js';
import { REFUND_TRANSITIONS } from '../../domain/refund/states.js';
import { ATTEMPT_STATES } from '../../domain/refund/attempt-states.js';
import type { Coverage } from './harness/coverage.js';

/** From a state to itself is no change that an event shows. */
const moves = [
  ...new Set(
    REFUND_TRANSITIONS.flatMap(({ from, to }) =>
      from.filter((before) => before !== to).map((before) => `${before} → ${to}`),
    ),
  ),
];

/** Settlement files are not read yet: nothing is ever settled. */
const NOT_YET: readonly string[] = ['succeeded → settled', 'settled → returned', 'settled → reserved'];

/**
 * Blocks that the guard never has to give: a look-up in another currency than the payment's is not believed before it gets there, twice
 * (`queryStoredPayment`, `updatePayment`). It is in the guard because the guard decides from its evidence alone, whoever gathered it: amounts of
 * two currencies cannot be added up. `test/domain/credit-guard` asks it.
 */
const NEVER_BLOCKS: ReadonlySet<string> = new Set(['wrong_currency']);

/** What was not reached, as sentences. */
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
      'refusal',
      Object.keys(AFTER_DECLINE)
        // Answers of a credit or a reversal.
        .filter((name) => name !== 'credit_not_enabled' && name !== 'reversal_too_late')
        .map((name) => `refund ${name}`),
    ),
    ...lacking('refusal', ['credit credit_not_enabled', 'reversal reversal_too_late']),
    ...lacking(
      'attempt',
      ATTEMPT_STATES.filter((state) => state !== 'submitting').map((state) => `refund ${state}`),
    ),
    ...lacking('attempt', ['credit succeeded', 'credit rejected', 'credit unknown', 'reversal succeeded']),
  ];
}
