/**
 * 22: a worker's process is killed at each step of a credit to a sealed card with a security code. The card is paid once, the code is gone,
 * and an operator can finish what the gateway does not show.
 */
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FaultRule } from '../../sandbox/gateway/faults.js';
import { startWorkerProcess } from '../support/worker-process.js';
import { approved, creditsOf, expectPaidOnce, HOLDER, keysOf, newCvv, NUMBER, sealCard } from './cards.js';
import { eventually, openHarness, SUPERVISOR } from './harness.js';
import { startRelay } from './relay.js';

const harness = await openHarness({
  ...{ worker: false, mayStayOpen: true },
  timings: { answerWithin: 30_000 },
});
const MANAGER = { by: 'manager', reason: 'the acquirer says that it was never paid' };
const LETTER = 'letter of the acquirer';

interface Fixture {
  readonly id: string;
  readonly cardRef: string;
  readonly amount: string;
}

/** An approved unlinked credit. Its amount is its own, because the gateway's faults are set by amount. */
async function fixture(amount: string, effect?: FaultRule['effect']): Promise<Fixture> {
  const cardRef = await sealCard(harness);
  const id = await approved(harness, cardRef, { amount });
  if (effect !== undefined) harness.fault(effect, { paymentType: 'CD', amount });
  return { id, cardRef, amount };
}

const referenceOf = async ({ id }: Fixture): Promise<string> =>
  (await harness.client.getRefund(id)).attempts[0]?.merchantTransactionId ?? '';
const orders = async (credit: Fixture): Promise<number> => {
  const reference = await referenceOf(credit);
  return reference === '' ? 0 : harness.ordersUnder(reference);
};

/** Locks the row that the answer of the credit is recorded on. */
async function holdInLedger({ id }: Fixture): Promise<() => Promise<void>> {
  const holder = new pg.Client(harness.databaseUrl);
  await holder.connect();
  await holder.query('begin');
  await holder.query(
    'select from payments where id = (select payment_id from refunds where id = $1) for update',
    [id],
  );
  return async () => {
    await holder.query('rollback');
    await holder.end();
  };
}

/** Waits until the worker has the answer and cannot record it. */
async function untilLockIsAwaited(): Promise<void> {
  const administrator = new pg.Client(harness.databaseUrl);
  await administrator.connect();
  try {
    await eventually('the answer waits for the row', async () => {
      const { rowCount } = await administrator.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rowCount === 1 ? true : undefined;
    });
  } finally {
    await administrator.end();
  }
}

describe('a worker that is killed', () => {
  let opened: Fixture;
  let inTransit: Fixture;
  let withoutAnswer: Fixture;
  let beforeRecording: Fixture;

  beforeAll(async () => {
    [inTransit, withoutAnswer, beforeRecording] = [
      await fixture('41.00', { kind: 'drop_before_execute', dropAfterMs: 600_000 }),
      await fixture('42.00', { kind: 'accept_then_drop', dropAfterMs: 600_000 }),
      await fixture('43.00', { kind: 'answer_after', ms: 4_000 }),
    ];
    const relay = await startRelay(new URL(harness.gateway.url).host);
    const worker = startWorkerProcess({ ...harness.env, OPPWA_BASE_URL: `http://${relay.address}` });
    let release = async (): Promise<void> => undefined;
    try {
      await worker.ready;
      await harness.client.resume();
      await eventually('three credits have arrived', async () => {
        const arrived = await Promise.all([inTransit, withoutAnswer, beforeRecording].map(orders));
        return arrived.every((count) => count === 1) ? true : undefined;
      });
      release = await holdInLedger(beforeRecording);
      await untilLockIsAwaited();
      // From here on nothing reaches the gateway: the attempt is opened, and no byte of it arrives.
      relay.freeze();
      opened = await fixture('44.00');
      await harness.drive(opened.id);
      await harness.until(opened.id, 'submitting');
    } finally {
      await worker.kill();
      await release();
      await relay.close();
    }
    for (const { cardRef } of [opened, inTransit, withoutAnswer, beforeRecording])
      expect(await keysOf(harness, cardRef), 'the code is gone before a byte leaves').toEqual(['card']);
    for (const { id } of [opened, beforeRecording])
      expect(await harness.client.getRefund(id)).toMatchObject({ state: 'submitting' });
    await harness.startWorker();
  }, 240_000);

  it('after the answer or the execution: the gateway is queried, and the card is paid once', async () => {
    for (const credit of [withoutAnswer, beforeRecording]) {
      await expectPaidOnce(harness, credit.id);
      expect(await orders(credit)).toBe(1);
    }
  });

  it.each([
    ['with nothing sent', () => opened, 0],
    ['with a request that the gateway never executed', () => inTransit, 1],
  ] as const)(
    '%s: nothing is sent again, and an operator ends it and requests another credit with a new code',
    async (_step, credit, arrived) => {
      const { id, cardRef, amount } = credit();
      const review = await harness.until(id, ({ why }) => why === 'credit_not_found');
      expect(await orders(credit())).toBe(arrived);
      expect(creditsOf(harness, review).filter(({ executed }) => executed)).toEqual([]);
      // A new code is not enough: what may have been paid is never sent again.
      await newCvv(harness, cardRef);
      await expect(harness.client.replay(id, { by: 'alice', reason: 'try' })).resolves.not.toMatchObject({
        outcome: 'replayed',
      });
      const proposed = await harness.client.correct(id, { ...MANAGER, outcome: 'failed', evidence: LETTER });
      await harness.client.approve(id, {
        ...SUPERVISOR,
        instruction: proposed.proposal?.instruction ?? expect.fail('nothing to confirm'),
      });
      expect(await harness.until(id, 'failed')).toMatchObject({ attempts: [{ state: 'rejected' }] });
      expect(await orders(credit())).toBe(arrived);

      const second = await approved(harness, cardRef, { amount });
      await harness.drive(second);
      await expectPaidOnce(harness, second);
      expect(await keysOf(harness, cardRef)).toEqual(['card']);
    },
    240_000,
  );

  it('leaves neither card nor holder in tables, histories or logs', async () => {
    await harness.untilAtRest();
    await harness.expectNoLeaks([HOLDER, NUMBER]);
  });
});
