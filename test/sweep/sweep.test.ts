/** Tests the sweep on real servers: an accepted refund is paid although its process died, and the sweep pays nothing twice. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSweepActivities } from '../../activities/maintenance/sweep.js';
import { machineClock } from '../../gateway/http/clock.js';
import { isGatewayId } from '../../domain/ids.js';
import { maintenanceDb } from '../../ledger/db/maintenance-tables.js';
import { auditScheduleId, ensureSchedules, sweepScheduleId } from '../../temporal/schedules.js';
import { refundStarter } from '../../temporal/start-refund.js';
import { taskQueues } from '../../temporal/task-queues.js';
import { maintenanceAt } from '../../temporal/maintenance.js';
import { eventually, openHarness } from '../workflows/harness.js';

const maintenance = {
  ...maintenanceAt(0.001),
  sweepEvery: 1_000,
  sweep: { ...maintenanceAt(0.001).sweep, patience: { quiet: 300, longest: 2_000, longestInReview: 2_000 } },
};

const harness = await openHarness({ maintenance, worker: false });
const worker = await harness.startWorker();
const { accept, client, database, dependencies, gateway, newPayment, queues, start, temporal, untilState } =
  harness;

describe('a refund whose client died right after it was accepted', () => {
  it('is paid once, although no client started its workflow', async () => {
    const { paymentId } = newPayment();
    const { id } = await accept(paymentId, '40.00');
    const paid = await untilState(id, 'succeeded');
    expect(paid.attempts).toHaveLength(1);
    expect(gateway.engine.books(paymentId)?.refunded).toBe(4_000n);
  });
});

describe('a refund whose workflow was terminated', () => {
  it('gets a new run, which finds its outcome at the gateway', async () => {
    const { paymentId } = newPayment();
    harness.fault({ kind: 'pending' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '40.00');
    const pending = await untilState(refundId, 'pending');
    await handle.terminate('by mistake');
    gateway.engine.finishPending({ id: pending.attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    const paid = await untilState(refundId, 'succeeded');
    expect(paid.attempts).toHaveLength(1);
    expect(gateway.engine.books(paymentId)?.refunded).toBe(4_000n);
  });
});

describe('a refund that has a run', () => {
  it('keeps that run, however often the sweep runs', async () => {
    const { paymentId } = newPayment();
    harness.fault({ kind: 'pending' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '40.00');
    const pending = await untilState(refundId, 'pending');
    const runs = async (): Promise<string | undefined> => (await handle.describe()).runId;
    const before = await runs();
    await eventually('its current version was swept', async () =>
      (await sweptVersion(refundId)) === pending.version ? true : undefined,
    );
    expect(await runs()).toBe(before);
    gateway.engine.finishPending({ id: pending.attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    await untilState(refundId, 'succeeded');
  });
});

describe('a refund that changed in the ledger without its run', () => {
  it('continues: the sweep signals the waiting run to read the ledger', async () => {
    const { paymentId } = newPayment();
    const { registrationId } = newPayment();
    // The card is closed, so that only another destination, named by an operator, continues the refund.
    harness.fault({ kind: 'reject', code: '800.100.171' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '40.00');
    const waiting = await untilState(refundId, 'manual_review');
    await eventually('its current version was swept', async () =>
      (await sweptVersion(refundId)) === waiting.version ? true : undefined,
    );
    const before = (await handle.describe()).runId;
    // As a worker that was stopped for hours and resumes: no run waits for its result any more.
    const note = { by: 'alice', reason: 'the customer has a new card' };
    expect(await dependencies.ledger.changeDestination({ refundId, registrationId, ...note })).toMatchObject({
      kind: 'done',
    });
    await untilState(refundId, 'awaiting_approval');
    expect((await handle.describe()).runId).toBe(before);
    await client.withdraw(refundId, { by: 'bob', reason: 'a test' });
  });
});

describe('an open attempt of a final refund', () => {
  it('is queried by the sweep, and the money that it paid is counted', async () => {
    const { paymentId } = newPayment();
    const { id } = await accept(paymentId, '40.00');
    const { ledger } = dependencies;
    // The worker reports that nothing has left, an operator withdraws the refund, and then the gateway shows it as paid.
    const opened = await ledger.openLinked(id, harness.config.timings, harness.config.policy);
    if (opened.kind !== 'send') throw new Error('the ledger opened no attempt');
    const { attemptId, send, reference, originalId } = opened.order;
    const reported = { attemptId, code: '000.200.000' };
    await ledger.record({
      ...reported,
      send,
      source: 'answer',
      outcome: { kind: 'not_sent', why: 'refused' },
    });
    expect((await ledger.withdraw(id, 'clerk', 'goods kept')).kind).toBe('withdrawn');
    harness.fault({ kind: 'pending' }, { paymentId });
    const sent = await dependencies.gateway.refund({
      entityId: opened.order.entityId,
      merchantTransactionId: reference,
      limits: { openedAt: machineClock(), sendWindow: 10_000, answerWithin: 10_000 },
      paymentId: originalId ?? '',
      amount: '40.00',
      currency: 'EUR',
    });
    const gatewayId = sent.kind === 'answered' ? sent.transaction.id : undefined;
    if (gatewayId === undefined || !isGatewayId(gatewayId)) throw new Error('no answer');
    const asked = { send, at: await ledger.clock() };
    await ledger.record({ ...reported, asked, source: 'query', outcome: { kind: 'pending', gatewayId } });
    gateway.engine.finishPending({ id: gatewayId, state: 'succeeded' });

    const counted = await harness.untilRefund(id, ({ attempts }) => attempts[0]?.state === 'succeeded');
    expect(counted.attempts[0]?.gatewayId).toBe(gatewayId);
    expect((await ledger.findPayment(paymentId))?.succeededMinor).toBe(4_000n);
  });
});

describe('the sweep', () => {
  it('pays once when it runs twice at once, beside a client that starts the same refunds', async () => {
    const { paymentId } = newPayment();
    const { id } = await accept(paymentId, '40.00');
    const startRefund = refundStarter(temporal, start, queues);
    const { startIdleRefunds } = createSweepActivities({ database, start, startRefund }, () => neverAborted);
    const input = { ...maintenance.sweep, patience: { ...maintenance.sweep.patience, quiet: 0 } };
    await Promise.all([startIdleRefunds(input), startIdleRefunds(input), client.resume()]);
    await untilState(id, 'succeeded');
    expect(gateway.engine.books(paymentId)?.refunded).toBe(4_000n);
    expect((await harness.refund(id)).attempts).toMatchObject([{ submissions: 1 }]);
  });
});

describe('the schedules', () => {
  const other = taskQueues(`${queues.refunds}-other`);
  const handleOf = (id: string) => temporal.schedule.getHandle(id);
  beforeAll(async () => {
    expect(await ensureSchedules(temporal, other, maintenanceAt(1))).toEqual({ isNew: true });
  });
  afterAll(async () => {
    for (const id of [sweepScheduleId(other), auditScheduleId(other)]) await handleOf(id).delete();
  });

  it('belong to one deployment each, skip a run while one is in progress, and are updated by the next worker', async () => {
    expect(sweepScheduleId(other)).not.toBe(sweepScheduleId(queues));
    const sweep = await handleOf(sweepScheduleId(other)).describe();
    expect(sweep.policies.overlap).toBe('SKIP');
    expect(sweep.spec.intervals?.[0]?.every).toBe(60_000);
    expect(sweep.action).toMatchObject({ taskQueue: other.refunds, workflowType: 'sweep' });

    expect(await ensureSchedules(temporal, other, { ...maintenanceAt(1), sweepEvery: 90_000 })).toEqual({
      isNew: false,
    });
    const again = await handleOf(sweepScheduleId(other)).describe();
    expect(again.spec.intervals?.[0]?.every).toBe(90_000);
  });

  it('stay paused when an operator has paused them', async () => {
    await handleOf(auditScheduleId(other)).pause('while the schema changes');
    await ensureSchedules(temporal, other, maintenanceAt(1));
    const { state } = await handleOf(auditScheduleId(other)).describe();
    expect(state).toMatchObject({ paused: true, note: 'while the schema changes' });
  });

  it('that are missing mean that Temporal lost its data: every refund in progress gets a run at once', async () => {
    const { paymentId } = newPayment();
    harness.fault({ kind: 'pending' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '40.00');
    const pending = await untilState(refundId, 'pending');
    await eventually('it was swept', () => sweptVersion(refundId));
    await worker.shutdown();
    await handle.terminate('with all others');
    await handleOf(sweepScheduleId(queues)).delete();
    // By its mark, the refund is due for a sweep only tomorrow.
    await maintenanceDb(database)
      .updateTable('sweeps')
      .set({ due_at: sql<Date>`now() + interval '1 day'` })
      .where('refund_id', '=', refundId)
      .execute();
    gateway.engine.finishPending({ id: pending.attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    await harness.startWorker();
    await untilState(refundId, 'succeeded');
  });
});

const neverAborted = new AbortController().signal;

/** Returns the version of the refund that the sweep has checked, once there is one. */
async function sweptVersion(refundId: string): Promise<number | undefined> {
  const row = await maintenanceDb(database)
    .selectFrom('sweeps')
    .select('version')
    .where('refund_id', '=', refundId)
    .executeTakeFirst();
  return row?.version;
}
