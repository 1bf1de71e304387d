/**
 * 02: the worker dies around the submission: before it, between submitting and recording, between recording and reporting to the workflow.
 * Sources: PayBridge#114, own-pay/OwnPay#222; a payment switch that submits again while its own row still says "not sent".
 */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { startRelay } from './relay.js';
import { startWorkerProcess } from '../support/worker-process.js';
import { eventually, openHarness } from './harness.js';

const harness = await openHarness({ worker: false, timings: { answerWithin: 30_000 } });

interface Fixture {
  readonly payment: CreatedPayment;
  readonly refundId: string;
}

async function fixture(): Promise<Fixture> {
  const payment = harness.newPayment();
  return { payment, refundId: await harness.accept(payment) };
}

/** Locks the payment's row from another connection, so that writing about the refund waits. */
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

async function untilLockIsAwaited(how: number): Promise<void> {
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

describe('a worker is killed while five refunds are at five different steps', () => {
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
    // Held open for longer than the worker lives, once with and once without execution.
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
      // From here on the worker can write to the ledger, but its answers reach no other process.
      relay.freeze();
      releases.push(await holdInLedger(beforeRecording));
      expect(await harness.client.getRefund(beforeTelling.refundId)).toMatchObject({ state: 'submitting' });
      await harness.until(beforeTelling.refundId, 'succeeded');
      await untilLockIsAwaited(2);
    } finally {
      await worker.kill();
      await Promise.all(releases.map((release) => release()));
      await relay.close();
    }
    await harness.startWorker();
  }, 120_000);

  it('before the attempt was written: the next worker submits it once', async () => {
    await harness.until(beforeOpening.refundId, 'succeeded');
    expect(harness.booked(beforeOpening.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(await referenceOf(beforeOpening))).toBe(1);
  });

  it('with a request in transit that the gateway never executes: it is submitted again under its own reference', async () => {
    await harness.until(inTransit.refundId, 'succeeded');
    const reference = await referenceOf(inTransit);
    expect(harness.booked(inTransit.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(reference)).toBe(2);
    expect(harness.gateway.engine.executedByReference(reference)).toBe(1);
  });

  it('after the submission, before any answer: it is queried and not submitted again', async () => {
    await harness.until(withoutAnswer.refundId, 'succeeded');
    expect(harness.booked(withoutAnswer.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(await referenceOf(withoutAnswer))).toBe(1);
  });

  it('after the answer, before it was recorded: it is queried and not submitted again', async () => {
    await harness.until(beforeRecording.refundId, 'succeeded');
    expect(harness.booked(beforeRecording.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(await referenceOf(beforeRecording))).toBe(1);
  });

  it('after it was recorded, before the workflow knows: the next worker resumes it', async () => {
    expect(await harness.run(beforeTelling.refundId).result()).toMatchObject({ state: 'succeeded' });
    expect(harness.booked(beforeTelling.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(await referenceOf(beforeTelling))).toBe(1);
  });

  it('and each row said "may have been submitted" before the request arrived', async () => {
    for (const refund of [beforeOpening, inTransit, withoutAnswer, beforeRecording, beforeTelling]) {
      const { sentAt } = (await harness.client.getRefund(refund.refundId)).attempts[0] ?? {};
      const [first] = harness.gateway
        .requests()
        .filter(({ method, path }) => method === 'POST' && path.endsWith(`/${refund.payment.paymentId}`));
      // The row of a resubmitted request has a later time; the first arrival is then only a lower bound.
      if (refund !== inTransit)
        expect(Date.parse(sentAt ?? '')).toBeLessThanOrEqual(Date.parse(first?.time ?? ''));
    }
  });
});

describe('the database is unavailable while the answer of the gateway is in transit', () => {
  const administrator = new pg.Client(inject('postgresUrl'));
  const name = new URL(harness.databaseUrl).pathname.slice(1);
  beforeAll(() => administrator.connect());
  afterAll(() => administrator.end());

  it('for a while: the answer is held until it can be recorded, and the refund is not submitted again', async () => {
    const refund = await fixture();
    harness.onRefund(refund.payment, { kind: 'answer_after', ms: 500 });
    await harness.client.resume();
    await harness.untilExecuted(refund.payment);
    await administrator.query(`alter database ${name} allow_connections false`);
    await administrator.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      name,
    ]);
    // The outage is longer than the answer takes.
    await administrator.query('select pg_sleep(1.5)');
    await administrator.query(`alter database ${name} allow_connections true`);

    await harness.until(refund.refundId, 'succeeded');
    expect(await harness.run(refund.refundId).result()).toMatchObject({ state: 'succeeded' });
    expect(harness.booked(refund.payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(await referenceOf(refund))).toBe(1);
  });

  it('and its activity is canceled meanwhile: the same worker still records the answer', async () => {
    const refund = await fixture();
    harness.onRefund(refund.payment, { kind: 'answer_after', ms: 500 });
    await harness.client.resume();
    await harness.untilExecuted(refund.payment);
    await administrator.query(`alter database ${name} allow_connections false`);
    await administrator.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      name,
    ]);
    // The worker is informed with its next heartbeat, which the SDK sends after 8 s at the latest.
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
