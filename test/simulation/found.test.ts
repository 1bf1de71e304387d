/** Defects that the simulation has found, each repeated here without chance. */
import { describe, expect, it } from 'vitest';
import { acceptRefund, GatewayUnavailable } from '../../activities/refund/accept.js';
import { formatAmount, storedMoney } from '../../domain/money/money.js';
import type { Gateway } from '../../gateway/gateway.js';
import { LedgerError } from '../../ledger/ledger.js';
import { createLedger } from '../../ledger/postgres.js';
import { gatewayNotification, refundWorkflowId, syncUpdate } from '../../workflows/refund/contract.js';
import { accepted, answer, debit, gatewayId, paid, refused, seen, submitted } from '../ledger/fixtures.js';
import { openMemoryDatabase } from './database/memory-database.js';
import { startRefund } from './simulation-run.js';
import { methods } from './mutants/send.js';
import { Coverage } from './harness/coverage.js';
import { GatewayLink } from './harness/gateway-link.js';
import { OutsideFacts } from './harness/outside-facts.js';
import { enter, leave } from './harness/fakes.js';
import { KeptTrace } from './harness/trace.js';
import { Harness, type Mutant } from './harness/harness.js';
import type { Outcome } from './temporal/execution.js';

const HOUR = 3_600_000;

describe('the answer of a process that was stopped for a while', () => {
  it('does not make a refund paid that succeeded, was returned, and was then seen declined', async () => {
    const { scheduler } = fixture();
    const ledger = createLedger(openMemoryDatabase(() => scheduler.now));
    const refundId = await accepted(ledger, debit(), 10_000n);
    const order = await submitted(ledger, refundId);
    const id = gatewayId();

    await ledger.record(seen(order, refused('not_linkable', id)));
    const snapshot = await ledger.record(answer(order, paid(id)));

    expect(snapshot.state).toBe('rejected');
    expect((await ledger.findRefund(refundId))?.attempts[0]?.state).toBe('rejected');
    leave();
  });
});

describe('a run that waits for an operator', () => {
  it('ends on a notification when the ledger has the refund as paid already', async () => {
    const harness = fixture();
    const { cluster, scheduler, ledger } = harness;
    const facts = debit({ id: harness.random.hex(32) });
    const refundId = await accepted(ledger, facts, 10_000n);
    const settle = (): boolean => cluster.settle();
    const order = await submitted(ledger, refundId);
    await ledger.record(answer(order, refused('risk')));
    await ledger.openCase(refundId, 'risk');
    startRefund(harness, refundId);
    await scheduler.run(settle, () => false, scheduler.now + HOUR);
    expect(cluster.openRuns).toBe(1);

    await ledger.record(seen(order, paid(gatewayId())));
    cluster.signal(refundWorkflowId(refundId), gatewayNotification.name);
    await scheduler.run(settle, () => cluster.openRuns === 0, scheduler.now + HOUR);

    expect(cluster.openRuns).toBe(0);
    leave();
  });
});

describe('a process that is stopped while it accepts a refund', () => {
  it('stores nothing when it resumes: its query of the payment is too old', async () => {
    const harness = fixture();
    new OutsideFacts(harness).takePayment();
    const { ledger, payment, scheduler } = harness;
    const link = new GatewayLink(harness, harness.outsider('client'), true);
    let stopped = 0;
    const gateway: Gateway = {
      ...methods(link),
      findWithLinked: async (entityId, id) => {
        const found = await link.findWithLinked(entityId, id);
        stopped = 5 * 60_000;
        return found;
      },
    };
    const deps = {
      ...harness.dependencies({ ledger, gateway }),
      now: () => ({ monotonic: scheduler.now + stopped, wall: scheduler.now + stopped }),
    };
    const amount = formatAmount(storedMoney(payment.minor, payment.currency));
    const request = { paymentId: payment.id, amount, currency: payment.currency, reason: 'goods_returned' };

    const attempt = acceptRefund(deps, {
      clientId: 'shop',
      idempotencyKey: 'key',
      requestedBy: 'anna',
      request,
    }).catch((error: unknown) => error);
    await scheduler.run(
      () => false,
      () => false,
      scheduler.now + HOUR,
    );

    expect(await attempt).toBeInstanceOf(GatewayUnavailable);
    expect(await ledger.listRefunds({})).toEqual([]);
    leave();
  });
});

describe('an acceptance that is stored, and refused when it is retried', () => {
  it('is still a refund: the client waits for its end', async () => {
    let tries = 0;
    const harness = fixture({
      mutant: {
        name: 'answer-lost',
        defect: 'the first answer is lost, and then another worker refuses the order',
        ledger: (ledger) => ({
          ...ledger,
          accept: async (...args) => {
            tries += 1;
            if (tries > 1) throw new LedgerError('exceeds_refundable', 'as another worker sees it');
            await ledger.accept(...args);
            throw new Error('connection lost');
          },
        }),
      },
    });
    new OutsideFacts(harness).takePayment();
    const { cluster, scheduler, payment } = harness;
    const outcomes: Outcome[] = [];
    const closed = (workflowId: string, outcome: Outcome): void => {
      if (workflowId === 'order') outcomes.push(outcome);
    };
    harness.onClosed = closed;
    const amount = formatAmount(storedMoney(payment.minor, payment.currency));
    const request = { paymentId: payment.id, amount, currency: payment.currency, reason: 'goods_returned' };
    const order = { clientId: 'shop', idempotencyKey: 'key', requestedBy: 'anna', request };
    cluster.start('payBack', 'order', [order, 'refunds'], 'use_existing');
    await scheduler.run(
      () => cluster.settle(),
      () => outcomes.length > 0,
      scheduler.now + 14 * 24 * HOUR,
    );

    expect(tries).toBeGreaterThan(1);
    expect(outcomes).toMatchObject([{ kind: 'completed', result: { state: 'succeeded' } }]);
    leave();
  });
});

describe('a client’s workflow whose refund another run drives', () => {
  it('polls so rarely that weeks of waiting for an operator fit into its history', async () => {
    const harness = fixture({ isTraced: true });
    new OutsideFacts(harness).takePayment();
    const { ledger, payment, scheduler, cluster, trace } = harness;
    const gateway = new GatewayLink(harness, harness.outsider('client'), true);
    const amount = formatAmount(storedMoney(payment.minor, payment.currency));
    const order = {
      clientId: 'shop',
      idempotencyKey: 'key',
      requestedBy: 'anna',
      request: { paymentId: payment.id, amount, currency: payment.currency, reason: 'goods_returned' },
    };
    let refundId = '';
    const accept = async (): Promise<void> => {
      const { refund } = await acceptRefund(harness.dependencies({ ledger, gateway }), order);
      refundId = refund.id;
      await ledger.openCase(refundId, 'risk');
    };
    const asked = accept();
    const settle = (): boolean => cluster.settle();
    await scheduler.run(settle, () => refundId !== '', scheduler.now + HOUR);
    await asked;
    startRefund(harness, refundId);
    cluster.start('payBack', 'order', [order, 'refunds'], 'use_existing');
    await scheduler.run(settle, () => false, scheduler.now + 14 * 24 * HOUR);

    expect(cluster.isOpen('order')).toBe(true);
    const lines = trace instanceof KeptTrace ? trace.lines : [];
    const questions = lines.filter((line) => line.includes('begins readSnapshot')).length;
    // The run that waits for an operator reads the ledger too, at a fixed interval.
    const own = Math.ceil((14 * 24 * HOUR) / harness.config.timings.caseAfterUnknown);
    // The client's workflow polls while it waits; polling once an hour makes 24 polls a day.
    expect(questions).toBeGreaterThan(200 + own);
    expect(questions).toBeLessThan(14 * 24 + 20 + own);
    leave();
  });
});

/** Returns a refund that waits for an operator with nothing submitted, and the run that waits with it. */
async function inReview(mutant: Omit<Mutant, 'name' | 'defect'>) {
  const harness = fixture({ mutant: { name: 'fixture', defect: 'as the test has it', ...mutant } });
  const { cluster, scheduler, ledger, random } = harness;
  const refundId = await accepted(ledger, debit({ id: random.hex(32) }), 10_000n);
  const forHours = (hours: number) =>
    scheduler.run(
      () => cluster.settle(),
      () => false,
      scheduler.now + hours * HOUR,
    );
  return { harness, refundId, forHours, workflowId: refundWorkflowId(refundId) };
}

describe('a cancellation that arrives while a run continues as new', () => {
  it('is decided by the run that received it', async () => {
    let release: () => void = () => undefined;
    const { harness, refundId, forHours, workflowId } = await inReview({
      activities: (activities) => ({
        ...activities,
        // An operator's query that does not return. The run does not end before it does.
        queryOutcome: async (task) => {
          await new Promise<void>((resolve) => (release = resolve));
          return activities.queryOutcome(task);
        },
      }),
    });
    const { cluster, ledger } = harness;
    await ledger.openCase(refundId, 'risk');
    startRefund(harness, refundId);
    await forHours(0.1);
    const before = cluster.runsOf(workflowId)[0];
    // The history grows until Temporal suggests a new run; the operator's query begins just before.
    for (let index = 0; index < 29; index += 1) {
      cluster.signal(workflowId, gatewayNotification.name);
      await forHours(0.01);
    }
    cluster.update(workflowId, syncUpdate.name, [], () => undefined);
    cluster.signal(workflowId, gatewayNotification.name);
    await forHours(0.005);
    cluster.signal(workflowId, gatewayNotification.name);
    await forHours(0.005);
    expect(before?.execution.isLong).toBe(true);
    expect(cluster.runsOf(workflowId)[0]).toBe(before);

    cluster.cancel(workflowId);
    await forHours(0.005);
    release();
    await forHours(1);

    expect((await ledger.snapshot(refundId)).state).toBe('canceled');
    expect(cluster.isOpen(workflowId)).toBe(false);
    leave();
  });
});

describe('a run that and the ledger disagree about the next step', () => {
  it('slows down, logs a warning, and continues when they agree', async () => {
    let asked = 0;
    let isOld = true;
    const { harness, refundId, forHours } = await inReview({
      activities: (activities, { ledger }) => ({
        ...activities,
        submitRefund: (task) => {
          asked += 1;
          return isOld ? ledger.snapshot(task.refundId) : activities.submitRefund(task);
        },
      }),
    });
    const shown: string[] = [];
    const onShown = (_: string, pairs: readonly unknown[]): void => void shown.push(JSON.stringify(pairs));
    harness.onShown = onShown;
    startRefund(harness, refundId);
    await forHours(1);
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThan(20);
    expect(shown.at(-1)).toMatch(/RefundNeedsOperator.*true/u);

    isOld = false;
    await forHours(2);
    expect((await harness.ledger.snapshot(refundId)).state).not.toBe('reserved');
    leave();
  });
});

/** Returns a harness in which nothing goes wrong by chance. */
function fixture(options: { readonly isTraced?: boolean; readonly mutant?: Mutant } = {}): Harness {
  const harness = new Harness({ seed: 1, coverage: new Coverage(), ...options });
  harness.chaos.isOn = false;
  enter(harness);
  return harness;
}
