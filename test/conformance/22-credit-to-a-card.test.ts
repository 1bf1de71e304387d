/**
 * 22: a credit to a sealed card, and a process that dies at each step of it. The card is paid once, its security code is submitted once, and
 * neither of them is found anywhere.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.js';
import { submitCredit } from '../../activities/refund/submit-credit.js';
import { destroyCard } from '../../ledger/cards/cards.js';
import {
  accept,
  approved,
  creditsOf,
  expectPaidOnce,
  HOLDER,
  keysOf,
  newCvv,
  NUMBER,
  sealCard,
} from './cards.js';
import { CLERK, openHarness, SUPERVISOR, type Harness } from './harness.js';

/** The gateway shows another card than ours, as in its own sample. */
const OTHER_LAST4 = '0042';
const MANAGER = { by: 'manager', reason: 'the acquirer says that it was never paid' };

const direct = await openHarness({ mayStayOpen: true, gateway: { answeredLast4: 'sample' } });
const registering = await openHarness({ mayStayOpen: true, policy: { cards: 'register' } });

async function approve(harness: Harness, id: string): Promise<void> {
  const { approval } = await harness.until(id, 'awaiting_approval');
  await harness.client.approve(id, { ...SUPERVISOR, instruction: approval?.instruction ?? '' });
}

const NEVER = new Promise<never>(() => undefined);

/** Runs the step in a process that dies where `dying` calls `die`: what it awaits never comes back, and nothing of it is recorded. */
async function runUntilDeath(
  harness: Harness,
  refundId: string,
  dying: (deps: Dependencies, die: () => Promise<never>) => Partial<Dependencies>,
): Promise<void> {
  const { dependencies, config } = harness;
  let report = (): void => undefined;
  const hasDied = new Promise<void>((resolve) => {
    report = resolve;
  });
  const die = (): Promise<never> => {
    report();
    return NEVER;
  };
  const deps = { ...dependencies, ...dying(dependencies, die) };
  const end = submitCredit(deps, { refundId, config }).then(({ state }) => `it ended ${state}`);
  expect(await Promise.race([hasDied.then(() => 'died'), end])).toBe('died');
}

const withGateway = (
  deps: Dependencies,
  change: Partial<Dependencies['gateway']>,
): Partial<Dependencies> => ({
  gateway: {
    refund: (order) => deps.gateway.refund(order),
    reverse: (order) => deps.gateway.reverse(order),
    creditRegistration: (order) => deps.gateway.creditRegistration(order),
    creditCard: (order) => deps.gateway.creditCard(order),
    registerCard: (order) => deps.gateway.registerCard(order),
    removeRegistration: (...args) => deps.gateway.removeRegistration(...args),
    findByReference: (...args) => deps.gateway.findByReference(...args),
    findWithLinked: (...args) => deps.gateway.findWithLinked(...args),
    findById: (...args) => deps.gateway.findById(...args),
    resultCodes: (entityId) => deps.gateway.resultCodes(entityId),
    interpret: (...args) => deps.gateway.interpret(...args),
    close: () => deps.gateway.close(),
    ...change,
  },
});

describe('a credit to a card', () => {
  it('always waits for an approver, who sees brand, last digits and initials, and is then paid', async () => {
    const cardRef = await sealCard(direct);
    const id = await accept(direct, cardRef, direct.newPayment());
    await direct.drive(id);
    const waiting = await direct.until(id, 'awaiting_approval');
    const shown = { cardRef, brand: 'VISA', last4: '0000', initials: 'ZQ' };
    expect(waiting).toMatchObject({
      destination: shown,
      approval: { destination: shown, why: ['other_destination'] },
    });
    const instruction = waiting.approval?.instruction ?? '';
    await expect(direct.client.approve(id, { ...SUPERVISOR, by: CLERK, instruction })).rejects.toMatchObject({
      code: 'requester_cannot_decide',
    });
    expect(await keysOf(direct, cardRef)).toEqual(['card', 'cvv']);
    await approve(direct, id);
    const paid = await expectPaidOnce(direct, id);
    expect(paid.attempts).toMatchObject([{ state: 'succeeded', otherLast4: OTHER_LAST4 }]);
    expect(paid.attempts[0]?.settlement).not.toBeNull();
    expect(creditsOf(direct, paid)).toMatchObject([{ card: { last4Digits: OTHER_LAST4 } }]);
    expect(await keysOf(direct, cardRef)).toEqual(['card']);
  });

  it('is refused for a card that is unknown, of another client, or destroyed', async () => {
    const { paymentId } = direct.newPayment();
    await expect(accept(direct, randomUUID(), { paymentId })).rejects.toMatchObject({ code: 'card_unknown' });
    const cardRef = await sealCard(direct);
    await direct.database.db
      .updateTable('cards')
      .set({ client_id: 'other' })
      .where('id', '=', cardRef)
      .execute();
    await expect(accept(direct, cardRef, { paymentId })).rejects.toMatchObject({ code: 'card_unknown' });
    const destroyed = await sealCard(direct);
    await direct.database.transaction((tx) => destroyCard(tx, destroyed, 'alice', 'by_operator'));
    await expect(accept(direct, destroyed, { paymentId })).rejects.toMatchObject({ code: 'card_destroyed' });
  });

  it('is not submitted with a wrong key: an operator is asked, and may choose another card', async () => {
    const cardRef = await sealCard(direct);
    const id = await approved(direct, cardRef);
    await direct.database.db
      .updateTable('card_keys')
      .set({ wrapped: randomBytes(60) })
      .where('card_id', '=', cardRef)
      .execute();
    await direct.drive(id);
    expect(await direct.until(id, 'manual_review')).toMatchObject({ why: 'card_unreadable', attempts: [] });
    const other = await sealCard(direct, { cvv: '' });
    await direct.client.changeDestination(id, { by: 'alice', reason: 'sealed again', cardRef: other });
    await approve(direct, id);
    await expectPaidOnce(direct, id);
  });

  it('waits while the key provider is unavailable', async () => {
    const cardRef = await sealCard(direct);
    const id = await approved(direct, cardRef);
    const { dependencies, config } = direct;
    const cards = { open: () => Promise.reject(new Error('no route to the key provider')) };
    const snapshot = await submitCredit({ ...dependencies, cards }, { refundId: id, config });
    expect(snapshot).toMatchObject({ state: 'fallback_checking', unread: { for: 'card', times: 1 } });
    expect(await keysOf(direct, cardRef)).toEqual(['card', 'cvv']);
    await direct.drive(id);
    await expectPaidOnce(direct, id);
  });

  it('that never left is submitted again under its reference, with a new security code only', async () => {
    const cardRef = await sealCard(direct);
    const id = await approved(direct, cardRef);
    const { dependencies, config } = direct;
    const refused = withGateway(dependencies, {
      creditCard: async () => ({ kind: 'not_sent', why: 'refused' }),
    });
    const snapshot = await submitCredit({ ...dependencies, ...refused }, { refundId: id, config });
    expect(snapshot).toMatchObject({ state: 'reserved', attempt: { state: 'absent' } });
    expect(await keysOf(direct, cardRef)).toEqual(['card']);
    await direct.drive(id);
    expect(await direct.until(id, 'manual_review')).toMatchObject({ why: 'cvv_needed' });
    await newCvv(direct, cardRef);
    await direct.client.replay(id, { by: 'alice', reason: 'the customer gave the code again' });
    await approve(direct, id);
    const { attempts } = await expectPaidOnce(direct, id);
    expect(attempts).toHaveLength(1);
    expect(await keysOf(direct, cardRef)).toEqual(['card']);
  });
});

describe('a process dies', () => {
  it('after the card was opened: the next one opens it again', async () => {
    const cardRef = await sealCard(direct);
    const id = await approved(direct, cardRef);
    await runUntilDeath(direct, id, ({ cards }, die) => ({
      cards: { open: async (card) => ((await cards?.open(card))?.destroy(), die()) },
    }));
    expect(await keysOf(direct, cardRef)).toEqual(['card', 'cvv']);
    await direct.drive(id);
    await expectPaidOnce(direct, id);
    expect(await keysOf(direct, cardRef)).toEqual(['card']);
  });

  it('after the attempt was opened, with nothing sent: it is never sent again, and an operator finishes it with a new code', async () => {
    const cardRef = await sealCard(direct);
    const id = await approved(direct, cardRef);
    await runUntilDeath(direct, id, (deps, die) => withGateway(deps, { creditCard: die }));
    expect(await keysOf(direct, cardRef)).toEqual(['card']);
    await direct.drive(id);
    const review = await direct.until(id, 'manual_review');
    expect(review).toMatchObject({ why: 'credit_not_found' });
    expect(creditsOf(direct, review)).toEqual([]);

    const proposed = await direct.client.correct(id, {
      ...MANAGER,
      outcome: 'failed',
      evidence: 'letter of the acquirer',
    });
    if (proposed.proposal !== null)
      await direct.client.approve(id, { ...SUPERVISOR, instruction: proposed.proposal.instruction });
    await direct.until(id, 'failed');
    await newCvv(direct, cardRef);
    const second = await approved(direct, cardRef);
    await direct.drive(second);
    await expectPaidOnce(direct, second);
  });

  it.each([true, false])(
    'after the request was sent, with no answer (executed: %s): the gateway is queried and nothing is sent again',
    async (executed) => {
      const cardRef = await sealCard(direct);
      const id = await approved(direct, cardRef);
      if (!executed) direct.fault({ kind: 'drop_before_execute' }, { paymentType: 'CD', amount: '40.00' });
      await runUntilDeath(direct, id, (deps, die) =>
        withGateway(deps, {
          creditCard: async (order) => {
            await deps.gateway.creditCard(order);
            return die();
          },
        }),
      );
      expect(await keysOf(direct, cardRef)).toEqual(['card']);
      await direct.drive(id);
      const refund = executed
        ? await expectPaidOnce(direct, id)
        : await direct.until(id, ({ why }) => why === 'credit_not_found');
      expect(refund.attempts).toHaveLength(1);
      expect(direct.ordersUnder(refund.attempts[0]?.merchantTransactionId ?? '')).toBe(1);
    },
  );

  it('after the answer, with nothing recorded: the gateway is queried and nothing is sent again', async () => {
    const cardRef = await sealCard(direct);
    const id = await approved(direct, cardRef);
    await runUntilDeath(direct, id, ({ ledger }, die) => ({ ledger: { ...ledger, record: die } }));
    await direct.drive(id);
    const refund = await expectPaidOnce(direct, id);
    expect(direct.ordersUnder(refund.attempts[0]?.merchantTransactionId ?? '')).toBe(1);
    expect(await keysOf(direct, cardRef)).toEqual(['card']);
  });
});

describe('a card that is registered first', () => {
  const registrations = (): number =>
    registering.gateway.engine.transactions().filter(({ type }) => type === 'RG').length;
  let before = 0;

  const registrationOf = (cardRef: string) =>
    registering.database.db
      .selectFrom('card_registrations')
      .selectAll()
      .where('card_id', '=', cardRef)
      .executeTakeFirst();

  async function expectRegisteredOnce(id: string, cardRef: string): Promise<void> {
    const refund = await expectPaidOnce(registering, id);
    const row = await registrationOf(cardRef);
    expect(row).toMatchObject({ state: 'registered' });
    expect(creditsOf(registering, refund)).toMatchObject([{ registrationId: row?.registration_id }]);
    expect(await keysOf(registering, cardRef)).toEqual([]);
    expect(registrations()).toBe(before + 1);
  }

  it('is paid through its registration, and its keys are destroyed', async () => {
    before = registrations();
    const cardRef = await sealCard(registering);
    const id = await approved(registering, cardRef);
    await registering.drive(id);
    await expectRegisteredOnce(id, cardRef);
  });

  it('is registered again only once the first request is proven absent, with a new security code', async () => {
    before = registrations();
    const cardRef = await sealCard(registering);
    const id = await approved(registering, cardRef);
    await runUntilDeath(registering, id, (deps, die) => withGateway(deps, { registerCard: die }));
    expect(await keysOf(registering, cardRef)).toEqual(['card']);
    await registering.drive(id);
    expect(await registering.until(id, 'manual_review')).toMatchObject({ why: 'cvv_needed', attempts: [] });
    expect(await registrationOf(cardRef)).toMatchObject({ state: 'absent' });
    await newCvv(registering, cardRef);
    await registering.client.replay(id, { by: 'alice', reason: 'the customer gave the code again' });
    await approve(registering, id);
    await expectRegisteredOnce(id, cardRef);
  });

  it('is found by its reference if the answer was lost: no second registration is made', async () => {
    before = registrations();
    const cardRef = await sealCard(registering);
    const id = await approved(registering, cardRef);
    await runUntilDeath(registering, id, (deps, die) =>
      withGateway(deps, {
        registerCard: async (order) => {
          await deps.gateway.registerCard(order);
          return die();
        },
      }),
    );
    await registering.drive(id);
    await expectRegisteredOnce(id, cardRef);
  });

  it('is found by its reference if the answer was not recorded', async () => {
    before = registrations();
    const cardRef = await sealCard(registering);
    const id = await approved(registering, cardRef);
    await runUntilDeath(registering, id, ({ ledger }, die) => ({
      ledger: { ...ledger, recordRegistration: die },
    }));
    await registering.drive(id);
    await expectRegisteredOnce(id, cardRef);
  });

  it('is paid once if the process dies between the registration and the answer of the credit', async () => {
    before = registrations();
    const cardRef = await sealCard(registering);
    const id = await approved(registering, cardRef);
    await runUntilDeath(registering, id, (deps, die) =>
      withGateway(deps, {
        creditRegistration: async (order) => {
          await deps.gateway.creditRegistration(order);
          return die();
        },
      }),
    );
    await registering.drive(id);
    await expectRegisteredOnce(id, cardRef);
  });

  it('opens a case if the gateway declines to register it; nothing is paid', async () => {
    before = registrations();
    const cardRef = await sealCard(registering, { cvv: '' });
    const id = await approved(registering, cardRef);
    const { dependencies, config } = registering;
    const declining = withGateway(dependencies, {
      registerCard: async () => ({
        kind: 'answered',
        httpStatus: 200,
        transaction: dependencies.gateway.interpret(dependencies.defaultEntityId, {
          result: { code: '800.100.152', description: 'declined' },
        }),
      }),
    });
    await submitCredit({ ...dependencies, ...declining }, { refundId: id, config });
    expect(await registering.client.getRefund(id)).toMatchObject({
      state: 'manual_review',
      cases: [{ why: 'card_not_registered', details: { code: '800.100.152' } }],
      attempts: [],
    });
    await registering.drive(id);
    await registering.client.replay(id, { by: 'alice', reason: 'the gateway was set up' });
    await approve(registering, id);
    await expectRegisteredOnce(id, cardRef);
  });
});

describe('afterwards', () => {
  it('neither card nor holder is found in tables, histories or logs', async () => {
    await direct.untilAtRest();
    await direct.expectNoLeaks([HOLDER, NUMBER]);
    await registering.untilAtRest();
    await registering.expectNoLeaks([HOLDER, NUMBER]);
  });
});
