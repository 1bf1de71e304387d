/** Encryption with a real server: everything that carries a payload works, and no history, memo or description shows a text. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { Connection, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { replayDataConverter } from '../../temporal/codec/data-converter.js';
import type { CodecSettings } from '../../temporal/codec/settings.js';
import { workflowBundle } from '../../worker/bundle.js';
import { codecWith, newKey } from '../codec/keys.js';
import { replay } from '../replay/replay.js';
import { startClientWorker } from '../support/client-worker.js';
import { startStack } from '../support/stack.js';
import type { parent } from '../workflows/parent.js';
import { noteSignal, notesQuery, noteUpdate, type probe, type ProbeActivities, type tick } from './probe.js';

const codec = codecWith('required', newKey('2026-11'));
const activities: ProbeActivities = {
  beat(text) {
    const { info, heartbeat } = Context.current();
    if (info.attempt > 1) return Promise.resolve(`${text} ${String(info.heartbeatDetails)}`);
    heartbeat(`${text} after the first try`);
    return Promise.reject(new Error(`${text} is tried again`));
  },
  echo: (text) => Promise.resolve(`${text} echoed`),
};
const stack = await startStack({ codec });
const clients = await startClientWorker('test/temporal/probe.ts', activities, codec);
afterAll(async () => {
  await clients.stop();
  await stack.close();
});
const { temporal } = stack;
const bundle = await workflowBundle(inject('workflowBundle'));

/** Yields every text of a value; bytes are read as text. */
function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (value instanceof Uint8Array) yield Buffer.from(value).toString('utf8');
  else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) yield* textsIn(inner);
}
const shownBy = async ({ workflowId }: { workflowId: string }, runId?: string): Promise<string> => {
  const handle = temporal.workflow.getHandle(workflowId, runId);
  const { raw } = await handle.describe();
  return [...textsIn(await handle.fetchHistory()), ...textsIn(raw)].join('\n');
};

const startProbe = (text: string) =>
  temporal.workflow.start<typeof probe>('probe', {
    workflowId: `probe-${randomUUID()}`,
    taskQueue: clients.taskQueue,
    args: [text],
    memo: { start: `${text} at the start` },
    staticSummary: `${text} summary`,
    staticDetails: `${text} static details`,
  });

describe('with encryption required', () => {
  it('all messages between workflows, activities and clients arrive, and none is readable', async () => {
    const text = `secret-${randomUUID()}`;
    const handle = await startProbe(text);
    expect(await handle.executeUpdate(noteUpdate, { args: [`${text} update`] })).toBe(`${text} update taken`);
    await expect(handle.executeUpdate(noteUpdate, { args: [`${text} refuse`] })).rejects.toMatchObject({
      cause: { message: `${text} refuse refused` },
    });
    expect(await handle.query(notesQuery, `${text} query`)).toContain(`${text} query`);
    await handle.signal(noteSignal, `${text} the end`);
    expect(await handle.result()).toEqual(
      expect.arrayContaining([
        `${text} ${text} after the first try`,
        `${text} echoed`,
        `${text} result of the child`,
        `${text} from the child`,
        `${text} failed`,
        `${text} the end`,
      ]),
    );
    const described = await handle.describe();
    expect(described.memo).toEqual({ start: `${text} at the start`, memo: `${text} memo` });
    // A run that continues as new does not take its summary along.
    const first = await temporal.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId).describe();
    expect(await first.staticSummary()).toBe(`${text} summary`);
    expect(await first.staticDetails()).toBe(`${text} static details`);
    const children = ['child', 'failing'].map((name) => ({ workflowId: `${handle.workflowId}-${name}` }));
    const all = [
      await shownBy(handle),
      await shownBy(handle, handle.firstExecutionRunId),
      ...(await Promise.all(children.map((one) => shownBy(one)))),
    ].join('\n');
    expect(all).toContain('Encoded failure');
    expect(all).not.toContain(text);
  });

  it('an order of a client with reason, order id and metadata is paid, and refused ones are not readable either', async () => {
    const text = `secret-${randomUUID()}`;
    const { paymentId } = stack.newPayment();
    const order = async (amount: string): Promise<WorkflowHandle<typeof parent>> =>
      temporal.workflow.start<typeof parent>('parent', {
        workflowId: `order-${randomUUID()}`,
        taskQueue: clients.taskQueue,
        args: [
          {
            clientId: 'orders',
            idempotencyKey: `${text}-${amount}`,
            requestedBy: `${text} clerk`,
            request: {
              paymentId,
              amount,
              currency: 'EUR',
              reason: `${text} reason`,
              orderId: `${text} order`,
              metadata: { note: `${text} metadata` },
            },
          },
          stack.queues.refunds,
        ],
      });
    const paid = await order('100.00');
    expect(await paid.result()).toMatchObject({ state: 'succeeded', settledAmount: '100.00' });
    const refused = await order('0.01');
    await expect(refused.result()).rejects.toMatchObject({
      cause: { cause: { type: 'exceeds_refundable' } },
    });
    const [refund] = await stack.dependencies.ledger.listRefunds({ paymentId });
    const workflowId = `refund-${refund?.id ?? ''}`;
    const all = (await Promise.all([paid, refused, { workflowId }].map((one) => shownBy(one)))).join('\n');
    expect(all).toContain('binary/encrypted');
    for (const hidden of [text, 'queryTaskQueue', 'settledAmount']) expect(all).not.toContain(hidden);

    const history: unknown = JSON.parse(
      historyToJSON(await temporal.workflow.getHandle(workflowId).fetchHistory()),
    );
    const replayed = (settings: CodecSettings) =>
      replay(bundle, historyFromJSON(history), 'any-name', replayDataConverter(settings));
    await replayed(codec);
    await expect(replayed(codecWith('required', newKey('2026-12')))).rejects.toThrow();
  });

  it('each run of a schedule reads its input and the result of the run before', async () => {
    const scheduleId = `probe-${randomUUID()}`;
    const schedule = await temporal.schedule.create({
      scheduleId,
      spec: {},
      action: {
        type: 'startWorkflow',
        workflowType: 'tick',
        workflowId: scheduleId,
        args: [`secret of ${scheduleId}`] satisfies Parameters<typeof tick>,
        taskQueue: clients.taskQueue,
      },
    });
    try {
      const runs = new Set<string>();
      while (runs.size < 2) {
        await schedule.trigger();
        await sleep(1_100);
        for (const { action } of (await schedule.describe()).info.recentActions)
          runs.add(action.workflow.workflowId);
      }
      for (const workflowId of runs) {
        expect(await temporal.workflow.getHandle(workflowId).result()).toBe(
          `secret of ${scheduleId} on time`,
        );
        expect(await shownBy({ workflowId })).not.toContain('secret of');
      }
      const { action } = await schedule.describe();
      expect(action).toMatchObject({ args: [`secret of ${scheduleId}`] });
    } finally {
      await schedule.delete();
    }
  });
});

describe('a signal of an outsider who can write to Temporal', () => {
  /** Sends `payload` past the product, and waits until the workflow's task has failed again and again. */
  async function stops(payload: Payload): Promise<void> {
    const connection = await Connection.connect({ address: inject('temporal').address });
    const { namespace } = inject('temporal');
    const handle = await startProbe(`secret-${randomUUID()}`);
    const { workflowId } = handle;
    try {
      await connection.workflowService.signalWorkflowExecution({
        namespace,
        workflowExecution: { workflowId },
        signalName: 'note',
        input: { payloads: [payload] },
        requestId: randomUUID(),
      });
      while (((await handle.describe()).raw.pendingWorkflowTask?.attempt ?? 0) < 3) await sleep(100);
    } finally {
      await handle.terminate();
      await connection.close();
    }
    // The worker goes on with others.
    const next = await startProbe('next');
    expect(await next.query(notesQuery, 'still there')).toContain('still there');
    await next.terminate();
  }

  it('in the clear stops its workflow only', async () => {
    await stops(defaultPayloadConverter.toPayload('the end'));
  });

  it('copied from another workflow stops its workflow only', async () => {
    const other = await startProbe('another');
    const { events } = await other.fetchHistory();
    const [copied] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    await other.terminate();
    await stops(copied ?? {});
  });
});
