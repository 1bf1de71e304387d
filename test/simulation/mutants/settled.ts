/** Defects in how a refund ends that was settled outside of this program. */
import type { OriginalFacts } from '../../../domain/payment/original.js';
import { NO_COVERAGE } from '../../../domain/refund/settlement.js';
import { lockRefund } from '../../../ledger/core/locks.js';
import { move } from '../../../ledger/core/state-changes.js';
import type { Ledger } from '../../../ledger/ledger.js';
import type { Mutant, Harness } from '../harness/harness.js';

/** After a decline, ends the refund at once if `finds` returns true, and counts no outside amount. */
const endsAt =
  (
    on: 'dispute' | 'give_up',
    finds: (original: OriginalFacts, references: ReadonlySet<unknown>) => boolean,
  ): ((ledger: Ledger, harness: Harness) => Ledger) =>
  (ledger, { database }) => ({
    ...ledger,
    applyReconciliation: async (id, original, purpose) => {
      const { refunds, attempts } = database.tables.rows;
      const isDeclined = refunds.some((row) => row['id'] === id && row['state'] === 'rejected');
      const references = new Set(attempts.flatMap((row) => [row['reference'], row['gateway_id']]));
      if (purpose !== 'decide' || !isDeclined || !finds(original, references))
        return ledger.applyReconciliation(id, original, purpose);
      await ledger.recordOriginal(original.id, original);
      await database.transaction(async (tx) => {
        const { refund } = await lockRefund(tx, id);
        if (refund.state === 'rejected') await move(tx, refund, { on, why: 'not_owed' });
      });
      return {
        reconciliation: { kind: 'give_up', why: 'not_owed', covered: NO_COVERAGE },
        snapshot: await ledger.snapshot(id),
      };
    },
  });

export const SETTLED_MUTANTS: readonly Mutant[] = [
  {
    name: 'any-chargeback-closes-all',
    defect: 'a chargeback of any part closes the whole refund',
    ledger: endsAt('dispute', ({ disputes }) => disputes.some(({ state }) => state === 'succeeded')),
  },
  {
    name: 'elsewhere-is-failed',
    defect:
      'a refund that was made elsewhere ends as failed, without a report that the customer has the money',
    ledger: endsAt('give_up', ({ returns, capturedMinor }, references) => {
      const elsewhere = returns.filter(
        ({ id, reference, state }) =>
          state === 'succeeded' && !references.has(id) && !references.has(reference ?? id),
      );
      const minor = elsewhere.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
      return minor > 0n && minor >= capturedMinor;
    }),
  },
];
