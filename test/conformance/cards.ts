/** Fixtures for credits to sealed cards: sealed in the harness's ledger, accepted, and approved before a worker submits them. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { acceptCredit } from '../../activities/refund/accept.js';
import { submitCredit } from '../../activities/refund/submit-credit.js';
import type { Refund } from '../../client/index.js';
import { insertCard, storeCvv } from '../../ledger/cards/cards.js';
import { CLERK, SUPERVISOR, type Harness } from './harness.js';

export const NUMBER = '4200000000000000';
export const HOLDER = 'Zebulon Quartermain';

export async function sealCard(harness: Harness, { cvv = '123', number = NUMBER } = {}): Promise<string> {
  const cardRef = randomUUID();
  const card = await harness.sealer.seal(cardRef, {
    ...{ brand: 'VISA', number, holder: HOLDER, expiryMonth: '05', expiryYear: '2034' },
    ...(cvv === '' ? {} : { cvv }),
  });
  await harness.database.transaction((tx) =>
    insertCard(tx, card, 'shop', { maxAgeMs: 90 * 86_400_000, graceMs: 7 * 86_400_000 }),
  );
  return cardRef;
}

export async function newCvv(harness: Harness, cardRef: string): Promise<void> {
  const cvv = await harness.sealer.sealCvv(cardRef, 1, '321');
  await harness.database.transaction((tx) => storeCvv(tx, cardRef, cvv));
}

export const keysOf = async (harness: Harness, cardRef: string): Promise<readonly string[]> => {
  const keys = await harness.database.db
    .selectFrom('card_keys')
    .select('field')
    .where('card_id', '=', cardRef)
    .orderBy('field')
    .execute();
  return keys.map(({ field }) => field);
};

/** Accepts a credit to the card without starting it. */
export async function accept(
  harness: Harness,
  cardRef: string,
  { paymentId, amount = '40.00' }: { readonly paymentId?: string; readonly amount?: string } = {},
): Promise<string> {
  const { refund } = await acceptCredit(harness.dependencies, {
    clientId: 'shop',
    idempotencyKey: randomUUID(),
    requestedBy: CLERK,
    request: {
      ...{ amount, currency: 'EUR', reason: 'goodwill', destination: { cardRef } },
      ...(paymentId === undefined ? {} : { paymentId }),
    },
  });
  return refund.id;
}

/** Accepts a credit to a card and approves it. The next step submits it. */
export async function approved(
  harness: Harness,
  cardRef: string,
  how: { readonly paymentId?: string; readonly amount?: string } = {
    paymentId: harness.newPayment().paymentId,
  },
): Promise<string> {
  const id = await accept(harness, cardRef, how);
  const { dependencies, config } = harness;
  const snapshot = await submitCredit(dependencies, { refundId: id, config });
  expect(snapshot.state).toBe('awaiting_approval');
  const { approval } = await harness.client.getRefund(id);
  await dependencies.ledger.decide({
    ...{ refundId: id, verdict: 'approved', instruction: approval?.instruction ?? '' },
    ...SUPERVISOR,
  });
  return id;
}

/** Returns what the gateway has under the references of the refund. */
export const creditsOf = (harness: Harness, { attempts }: Refund) =>
  harness.gateway.engine
    .transactions()
    .filter(({ merchantTransactionId }) =>
      attempts.some((attempt) => attempt.merchantTransactionId === merchantTransactionId),
    );

export async function expectPaidOnce(harness: Harness, id: string): Promise<Refund> {
  const refund = await harness.until(id, 'succeeded');
  expect(creditsOf(harness, refund).filter(({ executed }) => executed)).toHaveLength(1);
  return refund;
}
