/** Defects around sealed cards. */
import type { Row } from '../database/tables.js';
import type { Harness, Mutant } from '../harness/harness.js';

/** Returns the rows of CVV keys. */
const cvvKeys = ({ database }: Harness): readonly Row[] =>
  database.tables.rows.card_keys.filter((row) => row['field'] === 'cvv');

/** Inserts the keys again that are missing. */
function restore(harness: Harness, keys: readonly Row[]): Promise<void> {
  const { tables, transaction } = harness.database;
  return transaction(() => {
    // A card that was destroyed meanwhile has no keys by right.
    const isAlive = (card: unknown): boolean =>
      tables.rows.cards.some((row) => row['id'] === card && row['destroyed_at'] === null);
    for (const key of keys)
      if (isAlive(key['card_id']) && !cvvKeys(harness).some((row) => row['card_id'] === key['card_id']))
        tables.insert('card_keys', key, undefined);
    return Promise.resolve();
  });
}

/** Stands for every card: what a ciphertext is bound to when it is bound to nothing. */
const NOTHING = '00000000-0000-7000-8000-000000000000';

export const CARD_MUTANTS: readonly Mutant[] = [
  {
    name: 'cvv-kept',
    defect: 'the key of the CVV is kept when the credit leaves',
    ledger: (ledger, harness) => ({
      ...ledger,
      openCredit: async (...args) => {
        const before = cvvKeys(harness);
        const opened = await ledger.openCredit(...args);
        await restore(harness, before);
        return opened;
      },
    }),
  },
  {
    name: 'cvv-submitted-again',
    defect: 'a credit that was not executed is submitted again with the same CVV',
    ledger: (ledger, harness) => {
      const seen = new Map<unknown, Row>();
      return {
        ...ledger,
        openCredit: async (...args) => {
          for (const key of cvvKeys(harness)) seen.set(key['card_id'], key);
          await restore(harness, [...seen.values()]);
          return ledger.openCredit(...args);
        },
      };
    },
  },
  {
    name: 'aad-dropped',
    defect: 'a ciphertext is not bound to its card: exchanged rows open',
    cards: ({ sealer, opener }) => ({
      sealer: {
        seal: async (cardRef, card) => ({ ...(await sealer.seal(NOTHING, card)), cardRef }),
        sealCvv: (_cardRef, version, cvv) => sealer.sealCvv(NOTHING, version, cvv),
      },
      opener: { open: (sealed) => opener.open({ ...sealed, cardRef: NOTHING }) },
    }),
  },
  {
    name: 'card-opened-by-the-api',
    defect: 'the card is opened when the credit is accepted',
    ledger: (ledger, harness) => ({
      ...ledger,
      accept: async (order, ...rest) => {
        const { destination } = order.request;
        if (destination !== undefined && 'cardRef' in destination) {
          const { cardRef } = destination;
          const card = await harness.vault.sealedNow(cardRef);
          if (card !== undefined)
            (await harness.vault.openerFor(harness.outsider('the API')).open(card)).destroy();
        }
        return ledger.accept(order, ...rest);
      },
    }),
  },
];
