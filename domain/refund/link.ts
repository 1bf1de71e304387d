/** Checks whether a gateway transaction can be linked to an attempt by an operator. */
import { outcomeOfFound, type Expectation, type Outcome } from './outcome.js';
import type { GatewayTransaction } from '../transaction.js';

/** Reasons that a transaction is not the attempt, or cannot be compared with it. Nothing is changed then. */
export const LINK_MISMATCHES = {
  type_differs: 'its type differs',
  reference_differs: 'its reference is not that of this attempt',
  original_differs: 'it refers to another payment',
  amount_differs: 'its amount differs, or it shows none',
  currency_differs: 'its currency differs',
  result_inconclusive: 'its result code is not conclusive',
} as const;
export type LinkMismatch = keyof typeof LINK_MISMATCHES;

export type LinkReading =
  | {
      readonly kind: 'fits';
      readonly outcome: Extract<Outcome, { kind: 'succeeded' | 'pending' | 'rejected' }>;
      /** True if the gateway shows no reference: then the link rests on the operator alone. */
      readonly hasNoReference: boolean;
    }
  | { readonly kind: 'mismatch'; readonly why: LinkMismatch };

const no = (why: LinkMismatch): LinkReading => ({ kind: 'mismatch', why });

/**
 * Stricter than judging an answer: what the gateway leaves out is not taken for agreement. `isLinked`: the gateway lists the transaction
 * under the payment, which counts where it names no original itself.
 */
export function readLink(
  transaction: GatewayTransaction,
  expected: Expectation,
  isLinked: boolean,
): LinkReading {
  const { type, reference, referencedId, amount, currency } = transaction;
  if (type !== expected.operation) return no('type_differs');
  if (reference !== undefined && reference !== expected.reference) return no('reference_differs');
  if (
    expected.operation !== 'credit' &&
    !(referencedId === undefined ? isLinked : referencedId === expected.originalId)
  )
    return no('original_differs');
  if (currency !== undefined && currency !== expected.currency) return no('currency_differs');
  const outcome = outcomeOfFound([{ ...transaction, reference: expected.reference }], expected);
  switch (outcome.kind) {
    case 'succeeded':
    case 'pending':
      // A whole reversal is ordered without an amount, and its answer need not have one.
      if (expected.operation !== 'reversal' && (amount === undefined || currency === undefined))
        return no('amount_differs');
      break;
    case 'rejected':
      break;
    case 'unknown':
      return no(outcome.why === 'wrong_amount' ? 'amount_differs' : 'result_inconclusive');
    case 'no_match':
    case 'not_sent':
      return no('result_inconclusive');
    default:
      return outcome satisfies never;
  }
  return { kind: 'fits', outcome, hasNoReference: reference === undefined };
}
