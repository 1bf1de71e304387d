/** Fixtures: cards of the gateway's test system, and a vault on a ledger of its own. */
import { v7 as uuid } from 'uuid';
import type { CardData } from '../../domain/card/sealed-card.js';
import { insertCard } from '../../ledger/cards/cards.js';
import { localKeys } from '../../ledger/cards/local-keys.js';
import { openerOf, sealerOf } from '../../ledger/cards/seal.js';
import type { Database } from '../../ledger/db/database.js';
import type { Gateway } from '../../gateway/gateway.js';
import { newKey } from '../support/card-keys.js';

export const CARD: CardData = {
  brand: 'VISA',
  number: '4200000000000042',
  holder: 'Jane Mary Doe',
  expiryMonth: '05',
  expiryYear: '2034',
};
export const CVV = '739';
export const DAY = 24 * 3_600_000;

export const FINGERPRINT_KEY = newKey('fingerprint').key;

/** Seals and opens with the first of these keys, and opens with the others. */
export function vaultOf(...[first = newKey('k1'), ...others]: readonly ReturnType<typeof newKey>[]) {
  const provider = localKeys([first, ...others]);
  return { provider, sealer: sealerOf(provider, FINGERPRINT_KEY), opener: openerOf(provider) };
}

/** Stores a sealed card for the client `shop`, and returns its reference. */
export async function storedCard(
  database: Database,
  { sealer }: Pick<ReturnType<typeof vaultOf>, 'sealer'>,
  card: CardData = CARD,
): Promise<string> {
  const cardRef = uuid();
  const sealed = await sealer.seal(cardRef, card);
  await database.transaction((tx) =>
    insertCard(tx, sealed, 'shop', { maxAgeMs: 90 * DAY, graceMs: 7 * DAY }),
  );
  return cardRef;
}

const unexpected = (): never => {
  throw new Error('the test expects no such request');
};

/** A gateway that answers these requests only. */
export const gatewayThat = (answers: Partial<Gateway>): Gateway => ({
  refund: unexpected,
  reverse: unexpected,
  creditRegistration: unexpected,
  creditCard: unexpected,
  registerCard: unexpected,
  removeRegistration: unexpected,
  findByReference: unexpected,
  findWithLinked: unexpected,
  findById: unexpected,
  resultCodes: unexpected,
  interpret: unexpected,
  close: () => Promise.resolve(),
  ...answers,
});
