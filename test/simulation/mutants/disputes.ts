/** Defects in how chargebacks, their reversals and queries of different age are read. */
import type { OriginalFacts } from '../../../domain/payment/original.js';
import type { TransactionTree } from '../../../domain/transaction.js';
import { readResult } from '../../../gateway/oppwa/read-code.js';
import type { Mutant, Harness } from '../harness/harness.js';
import { methods } from './send.js';

/** Reads any reversal of a chargeback as one of the whole chargeback. */
function reversedWhole({ original, linked }: TransactionTree): TransactionTree {
  const reversed = new Set(
    linked.filter(({ type }) => type === 'chargeback_reversal').map(({ referencedId }) => referencedId),
  );
  return {
    original,
    linked: linked.flatMap((entry) => {
      const { id, type, amount, currency } = entry;
      if (type === 'chargeback_reversal') return [];
      if (type !== 'chargeback' || id === undefined || !reversed.has(id)) return [entry];
      const shown = amount === undefined ? original : { amount, currency };
      const chargeback = {
        ...entry,
        ...(shown.amount === undefined ? {} : { amount: shown.amount }),
        ...(shown.currency === undefined ? {} : { currency: shown.currency }),
      };
      const reversal = {
        ...chargeback,
        id: Array.from(id).reverse().join(''),
        type: 'chargeback_reversal' as const,
        referencedId: id,
        result: readResult({ code: '000.100.110', description: '' }, 'test'),
      };
      return [chargeback, reversal];
    }),
  };
}

/** Stores a query as if it had begun at the moment of storing. */
const asOfNow =
  ({ scheduler }: Harness) =>
  <Facts extends OriginalFacts>(facts: Facts): Facts => ({ ...facts, observedAt: new Date(scheduler.now) });

export const DISPUTE_MUTANTS: readonly Mutant[] = [
  {
    name: 'any-reversal-ends-chargeback',
    defect: 'any reversal, of any amount and in any state, ends the whole chargeback',
    gateway: (gateway) => ({
      ...methods(gateway),
      findWithLinked: async (entityId, id) => {
        const found = await gateway.findWithLinked(entityId, id);
        return found.kind === 'found' ? { kind: 'found', value: reversedWhole(found.value) } : found;
      },
    }),
  },
  {
    name: 'last-stored-wins',
    defect: 'an older query that is stored later overwrites a newer one',
    ledger: (ledger, harness) => {
      const now = asOfNow(harness);
      return {
        ...ledger,
        recordOriginal: (id, original) => ledger.recordOriginal(id, now(original)),
        applyReconciliation: (id, original, purpose) =>
          ledger.applyReconciliation(id, now(original), purpose),
        openCredit: (id, original, timings, policy) =>
          ledger.openCredit(id, original === null ? null : now(original), timings, policy),
        record: ({ original, ...evidence }) =>
          ledger.record({ ...evidence, ...(original === undefined ? {} : { original: now(original) }) }),
      };
    },
  },
];
