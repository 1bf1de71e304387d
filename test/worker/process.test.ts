/** The worker as production runs it: its log lines name the refund's id, it serves metrics, and it sends events to the client. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { acceptRefund } from '../../activities/refund/accept.js';
import { verify } from '../../examples/event-receiver/verify.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import { auditScheduleId, sweepScheduleId } from '../../temporal/schedules.js';
import { refundWorkflowId } from '../../workflows/refund/contract.js';
import { startReceiver } from '../events/receiver.js';
import { startStack } from '../support/stack.js';
import { eventually, START_MS } from '../workflows/harness.js';
import { programArguments } from '../../sandbox/program.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const stack = await startStack({ worker: false });
const receiver = await startReceiver();
const metricsPort = await freePort();
const secret = `whsec_${randomBytes(32).toString('base64')}`;

const child = spawn(process.execPath, programArguments('worker/main.ts'), {
  env: {
    ...stack.env,
    REFUNDS_WORKER_PROFILE: 'small',
    REFUNDS_SCHEDULES: 'on',
    REFUNDS_EVENTS_URL: receiver.url,
    REFUNDS_EVENTS_SECRET: secret,
    REFUNDS_METRICS_PORT: String(metricsPort),
  },
  stdio: ['ignore', 'pipe', 'pipe'],
});
const lineShape = z.looseObject({ event: z.string().optional(), refundId: z.string().optional() });
const answer: string[] = [];
const written: string[] = [];
createInterface({ input: child.stdout }).on('line', (line) => answer.push(line));
createInterface({ input: child.stderr }).on('line', (line) => written.push(line));
const linesOf = (refundId: string) =>
  answer.map((line) => lineShape.parse(JSON.parse(line))).filter((line) => line.refundId === refundId);

afterAll(async () => {
  child.kill('SIGKILL');
  for (const id of [sweepScheduleId(stack.queues), auditScheduleId(stack.queues)])
    await stack.temporal.schedule
      .getHandle(id)
      .delete()
      .catch(() => undefined);
  await stack.close();
});

describe('a worker in a process of its own', () => {
  it('says that it is ready', async () => {
    const ready = await eventually(
      'it is ready',
      () => {
        if (child.exitCode !== null) throw new Error(written.join('\n'));
        return answer.find((line) => line.includes('"ready":true'));
      },
      START_MS,
    );
    expect(JSON.parse(ready)).toMatchObject({ ready: true, role: 'worker', taskQueue: stack.queues.refunds });
  }, 150_000);

  it('pays what was accepted before it was there, and leaves a trail under the refund’s id', async () => {
    const { paymentId } = stack.newPayment();
    const request = { paymentId, amount: '40.00', currency: 'EUR', reason: 'goods_returned' };
    const { refund } = await acceptRefund(stack.dependencies, {
      clientId: 'shop',
      idempotencyKey: crypto.randomUUID(),
      requestedBy: 'clerk',
      request,
    });
    // The refund was only accepted; the sweep starts its workflow.
    const paid = await stack.client.waitFor(refund.id, 60_000);
    expect(paid.status).toBe('succeeded');
    const event = await eventually('the caller was told', () => receiver.of(refund.id)[0]);
    expect(verify(event.headers, event.body, secret, event.at).type).toBe('refund.succeeded');

    const trail = await eventually('it was logged', () => {
      const lines = linesOf(refund.id);
      return lines.some(({ event: name }) => name === 'event.delivered') ? lines : undefined;
    });
    const workflowId = refundWorkflowId(refund.id);
    const runId = z.string().parse(trail[0]?.['runId']);
    expect(trail).toMatchObject([
      { event: 'activity.started', activity: 'submitRefund', workflowId, runId, tries: 1 },
      {
        event: 'activity.finished',
        activity: 'submitRefund',
        workflowId,
        runId,
        state: 'succeeded',
        attemptId: (await stack.dependencies.ledger.snapshot(refund.id)).attempt?.attemptId,
      },
      { event: 'event.delivered', eventId: event.id, status: 204, tries: 1 },
    ]);
    expect(trail[1]?.['durationMs']).toBeTypeOf('number');
  });

  it('shows its own figures where it was told to', async () => {
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    const text = await answer.text();
    expect(text).toMatch(/^temporal_activity_execution_latency/mu);
    expect(text).toContain(stack.queues.refunds);
  });

  it('says nothing that is secret, and ends when it is told to', async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    const names = answer.map((line) => lineShape.parse(JSON.parse(line)).event);
    expect(names).toEqual(expect.arrayContaining(['worker.started', 'worker.stopping', 'worker.stopped']));
    const everything = [...answer, ...written].join('\n');
    for (const text of [secret, secret.slice(6), stack.env['OPPWA_ACCESS_TOKEN'] ?? 'none'])
      expect(everything).not.toContain(text);
    expect(everything).not.toMatch(/(?<![\da-f-])\d{13,19}(?![\da-f-])/);
  });
});
