/**
 * 02: the worker dies around the send: before it, between sending and recording, between recording and telling the workflow.
 * Sources: PayBridge#114, own-pay/OwnPay#222; a payment switch that sends again while its own row still says "not sent".
 */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { startRelay } from './relay.js';
import { startWorkerProcess } from '../support/worker-process.js';
import { eventually, openHarness } from './world.js';

const harness = await openHarness({ worker: false, timings: { answerWithin: 30_000 } });

interface Fixture {
  readonly payment: CreatedPayment;
  readonly refundId: string;
}

async function fixture(): Promise<Fixture> {
  const payment = harness.newPayment();
  return { payment, refundId: await harness.accept(payment) };
}

/** Somebody else has this payment's row: whoever wants to write about the refund waits. */
async function holdInLedger({ payment }: Fixture): Promise<() => Promise<void>> {
  const holder = new pg.Client(harness.databaseUrl);
  await holder.connect();
  await holder.query('begin');
  await holder.query('select from payments where id = $1 for update', [payment.paymentId]);
  return async () => {
    await holder.query('rollback');
    await holder.end();
  };
}

async function untilSomebodyWaits(how: number): Promise<void> {
  const administrator = new pg.Client(harness.databaseUrl);
  await administrator.connect();
  try {
    await eventually(`${how} wait for a row`, async () => {
      const { rowCount } = await administrator.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rowCount === how ? true : undefined;
    });
  } finally {
    await administrator.end();
  }
}

const hasArrived = ({ payment }: Fixture): boolean =>
  harness.gateway
    .requests()
    .some(({ method, path }) => method === 'POST' && path.endsWith(`/${payment.paymentId}`));

const referenceOf = async ({ refundId }: Fixture): Promise<string> =>
  (await harness.client.getRefund(refundId)).attempts[0]?.merchantTransactionId ?? '';

describe('a worker is killed while five refunds are at five moments', () => {
  let beforeOpening: Fixture;
  let inTransit: Fixture;
  let withoutAnswer: Fixture;
  let beforeRecording: Fixture;
  let beforeTelling: Fixture;

  beforeAll(async () => {
    [beforeOpening, inTransit, withoutAnswer, beforeRecording, beforeTelling] = await Promise.all([
      fixture(),
      fixture(),
      fixture(),
      fixture(),
      fixture(),
    ]);
    // Held open for longer than the worker lives, without and with execution.
    harness.onRefund(inTransit.payment, { kind: 'drop_before_execute', dropAfterMs: 600_000 });
    harness.onRefund(withoutAnswer.payment, { kind: 'accept_then_drop', dropAfterMs: 600_000 });
    const answerAfter = { kind: 'answer_after', ms: 6_000 } as const;
    harness.onRefund(beforeRecording.payment, answerAfter);
    harness.onRefund(beforeTelling.payment, answerAfter);

    const relay = await startRelay(inject('temporal').address);
    const worker = startWorkerProcess({ ...harness.env, TEMPORAL_ADDRESS: relay.address });
    const releases = [await holdInLedger(beforeOpening)];
    try {
      await worker.ready;
      await harness.client.resume();
      await eventually('four requests have arrived', () =>
        [inTransit, withoutAnswer, beforeRecording, beforeTelling].every(hasArrived) ? true : undefined,
      );
      // From here on the worker can write to the ledger and be heard by nobody else.
      relay.freeze();
      releases.push(await holdInLedger(beforeRecording));
      expect(await harness.client.getRefund(beforeTelling.refundId)).toMatchObject({ state: 'submitting' });
      await harness.until(beforeTelling.refundId, 'succeeded');
      await untilSomebodyWaits(2);
    } finally {
      await worker.kill();
      await Promise.all(releases.map((release) => release()));
      await relay.close();
    }
    await harness.startWorker();
  }, 120_000);

  it('before the attempt was written: it is sent once, by the next worker', async () => {
    await harness.until(beforeOpening.refundId, 'succeeded');
    expect(harness.booked(beforeOpening.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(await referenceOf(beforeOpening))).toBe(1);
  });

  it('with the request on its way, which the gateway never executes: it is sent again under its own reference', async () => {
    await harness.until(inTransit.refundId, 'succeeded');
    const reference = await referenceOf(inTransit);
    expect(harness.booked(inTransit.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(reference)).toBe(2);
    expect(harness.gateway.engine.executedByReference(reference)).toBe(1);
  });

  it('after the send, before any answer: it is looked up and not sent again', async () => {
    await harness.until(withoutAnswer.refundId, 'succeeded');
    expect(harness.booked(withoutAnswer.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(await referenceOf(withoutAnswer))).toBe(1);
  });

  it('after the answer, before it was recorded: it is looked up and not sent again', async () => {
    await harness.until(beforeRecording.refundId, 'succeeded');
    expect(harness.booked(beforeRecording.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(await referenceOf(beforeRecording))).toBe(1);
  });

  it('after it was recorded, before the workflow knows: the next worker adopts it', async () => {
    expect(await harness.run(beforeTelling.refundId).result()).toMatchObject({ state: 'succeeded' });
    expect(harness.booked(beforeTelling.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(await referenceOf(beforeTelling))).toBe(1);
  });

  it('and every row said "may have been sent" before the request arrived', async () => {
    for (const refund of [beforeOpening, inTransit, withoutAnswer, beforeRecording, beforeTelling]) {
      const { sentAt } = (await harness.client.getRefund(refund.refundId)).attempts[0] ?? {};
      const [first] = harness.gateway
        .requests()
        .filter(({ method, path }) => method === 'POST' && path.endsWith(`/${refund.payment.paymentId}`));
      // A request that was sent again has a later time in the row; the first arrival then only bounds it from below.
      if (refund !== inTransit)
        expect(Date.parse(sentAt ?? '')).toBeLessThanOrEqual(Date.parse(first?.time ?? ''));
    }
  });
});

describe('the database goes away while the answer of the gateway is on its way', () => {
  const administrator = new pg.Client(inject('postgresUrl'));
  const name = new URL(harness.databaseUrl).pathname.slice(1);
  beforeAll(() => administrator.connect());
  afterAll(() => administrator.end());

  it('for a while: the answer is kept until it can be recorded, and the refund is not sent again', async () => {
    const refund = await fixture();
    harness.onRefund(refund.payment, { kind: 'answer_after', ms: 500 });
    await harness.client.resume();
    await harness.untilExecuted(refund.payment);
    await administrator.query(`alter database ${name} allow_connections false`);
    await administrator.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      name,
    ]);
    // The outage is longer than the answer's way.
    await administrator.query('select pg_sleep(1.5)');
    await administrator.query(`alter database ${name} allow_connections true`);

    await harness.until(refund.refundId, 'succeeded');
    expect(await harness.run(refund.refundId).result()).toMatchObject({ state: 'succeeded' });
    expect(harness.booked(refund.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(await referenceOf(refund))).toBe(1);
  });

  it('and its activity is canceled meanwhile: the answer is recorded all the same, by nobody else', async () => {
    const refund = await fixture();
    harness.onRefund(refund.payment, { kind: 'answer_after', ms: 500 });
    await harness.client.resume();
    await harness.untilExecuted(refund.payment);
    await administrator.query(`alter database ${name} allow_connections false`);
    await administrator.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      name,
    ]);
    // The worker learns of it with its next heartbeat, which the SDK sends after 8 s at the latest.
    await harness.run(refund.refundId).terminate('an operator ended it');
    await administrator.query('select pg_sleep(11)');
    await administrator.query(`alter database ${name} allow_connections true`);

    await harness.until(refund.refundId, 'succeeded');
    expect((await harness.run(refund.refundId).describe()).status.name).toBe('TERMINATED');
    const record = await harness.dependencies.ledger.findRefund(refund.refundId);
    expect(record?.attempts).toMatchObject([{ state: 'succeeded', submissions: 1, queries: 0 }]);
    expect(harness.booked(refund.payment)).toMatchObject({ out: '60.00' });
  }, 60_000);
});
