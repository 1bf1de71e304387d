/** The invariants of the ledger, and the form of the checks that look for violations. */
import type { RawBuilder } from 'kysely';

/** The invariants: each holds at every moment. */
export const INVARIANTS = {
  I1: 'A payment never pays back or reserves more than its limit, and the reservation is exactly what is owed',
  I2: 'A refund has at most one open attempt, and every submission has an event',
  I3: 'A credit follows a declined refund or was requested as a credit; an unlinked credit was approved',
  I4: 'No refund with an open outcome ends by time alone',
  I5: 'A state changes only as the state machine allows, and a final one only on evidence',
  I6: 'Amounts are whole minor units, in one currency for each payment',
  I7: 'An idempotency key belongs to one refund forever',
  I8: 'A fact counts once, and balances are the sums of their events',
  I9: 'No key of a card outlives its time',
} as const;
export type Invariant = keyof typeof INVARIANTS;
/** In the order of reports. */
export const INVARIANT_NAMES: readonly Invariant[] = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9'];

export interface Check {
  readonly invariant: Invariant;
  /** True for a check of the schema or of cards instead of payments: `payment` is then empty. */
  readonly isOfSchema?: true;
  /** A query with two columns, one row for each violation: `payment` is its payment, `what` describes it. */
  readonly wrong: RawBuilder<unknown>;
}
