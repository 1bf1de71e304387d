/** Credits to one card that meet: its security code is submitted once, and no transaction waits for another that waits for it. */
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { submitCredit } from '../../activities/refund/submit-credit.js';
import type { CardOpener } from '../../domain/card/sealed-card.js';
import { storeCvv } from '../../ledger/cards/cards.js';
import { lockRefund } from '../../ledger/core/locks.js';
import { CONFIG, creditOrder, ENTITY, POLICY, sent, TIMINGS } from '../ledger/fixtures.js';
import { postgresLedger } from '../ledger/postgres.js';
import { CARD, CVV, gatewayThat, storedCard, vaultOf } from './fixtures.js';

const { database, ledger } = await postgresLedger();
const vault = vaultOf();

/** Accepts an unlinked credit to the card and approves it. */
async function approved(cardRef: string): Promise<string> {
  const order = creditOrder(6_000n);
  const request = { ...order.request, destination: { cardRef } };
  const { refund } = await ledger.accept({ ...order, request }, { entityId: ENTITY, facts: null });
  await ledger.openCredit(refund.id, null, TIMINGS, POLICY);
  const instruction = (await ledger.findRefund(refund.id))?.instruction?.hash ?? expect.fail('none');
  await ledger.decide({
    refundId: refund.id,
    instruction,
    verdict: 'approved',
    by: 'berta',
    reason: 'checked',
  });
  return refund.id;
}

it('submits each security code once, also if a new one was given after the card was opened', async () => {
  const cardRef = await storedCard(database, vault, { ...CARD, cvv: CVV });
  const [first, second] = [await approved(cardRef), await approved(cardRef)];
  const submitted: (string | undefined)[] = [];
  const gateway = gatewayThat({
    creditCard: async ({ card }) => {
      submitted.push(card.cvv);
      return { kind: 'no_answer', why: 'timeout' };
    },
  });
  const submit = (refundId: string, cards: CardOpener) =>
    submitCredit(
      {
        ...{ ledger, gateway, cards, defaultEntityId: ENTITY, hasEntity: () => true, hasCardKeys: true },
        now: () => ({ monotonic: performance.now(), wall: Date.now() }),
        pause: () => Promise.resolve(),
      },
      { refundId, config: CONFIG },
    );
  await submit(second, {
    async open(card) {
      const opened = await vault.opener.open(card);
      // Meanwhile the first credit takes the code, and an operator gives a new one.
      await submit(first, vault.opener);
      const fresh = await vault.sealer.sealCvv(cardRef, 1, '111');
      await database.transaction((tx) => storeCvv(tx, cardRef, fresh));
      return opened;
    },
  });
  expect(submitted).toEqual([CVV]);
  await submit(second, vault.opener);
  expect(submitted).toEqual([CVV, '111']);
});

it('does not register a card with a security code that another one replaced', async () => {
  const cardRef = await storedCard(database, vault, { ...CARD, cvv: CVV });
  const opened = await ledger.openCredit(await approved(cardRef), null, TIMINGS, POLICY);
  if (opened.kind !== 'open_card') return expect.fail('no card to open');
  const fresh = await vault.sealer.sealCvv(cardRef, 1, '111');
  await database.transaction((tx) => storeCvv(tx, cardRef, fresh));
  expect(await ledger.openRegistration(opened.card, ENTITY, TIMINGS)).toEqual({ kind: 'check_again' });
});

it('opens a credit while the registration of its card is recorded', async () => {
  const cardRef = await storedCard(database, vault);
  const refundId = await approved(cardRef);
  const opened = await ledger.openCredit(refundId, null, TIMINGS, POLICY);
  if (opened.kind !== 'open_card') return expect.fail('no card to open');
  const registration = await ledger.openRegistration(opened.card, ENTITY, TIMINGS);
  if (registration.kind !== 'send') return expect.fail('not registered');
  // A transaction holds the payment, as each that opens a credit, and then locks the card.
  let recorded: Promise<unknown> = Promise.resolve();
  await database.transaction(async (tx) => {
    await lockRefund(tx, refundId);
    recorded = ledger.recordRegistration(
      refundId,
      { cardRef, entityId: ENTITY, reference: registration.reference },
      {
        kind: 'registered',
        registrationId: 'c'.repeat(32),
        result: { code: '000.100.110', description: '' },
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    await sql`select from cards where id = ${cardRef} for update`.execute(tx);
  });
  await recorded;
  expect(sent(await ledger.openCredit(refundId, null, TIMINGS, POLICY))).toMatchObject({
    registrationId: 'c'.repeat(32),
  });
});
