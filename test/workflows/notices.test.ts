/** The gateway's notices: hints that bring the next look-up forward, and nothing else. */
import { describe, expect, it, vi } from 'vitest';
import { historyOf } from './history.js';
import { CLERK, eventually, openWorld } from './world.js';
import type { Position } from '../../domain/refund/next-step.js';
import { comeBack, inLastMomentOf } from '../support/last-moment.js';
import { gatewayNotice, refundWorkflowId, resolveUpdate } from '../../workflows/refund/contract.js';
import type { refund } from '../../workflows/refund/refund.js';

const world = await openWorld();
const { ledger } = world.dependencies;

/** Far longer than any test may last: what ends such a wait is the notice. */
const HOUR = 3_600_000;
const patient = { lookUpFirst: HOUR, lookUpMax: HOUR, caseAfterPending: 24 * HOUR };

async function pendingRefund() {
  const { paymentId } = world.newPayment();
  world.fault({ kind: 'pending' }, { paymentId });
  const { refundId, handle } = await world.pay(paymentId, '100.00', patient);
  const { attempts } = await world.untilState(refundId, 'pending');
  return { refundId, handle, gatewayId: attempts[0]?.gatewayId ?? '' };
}

const lookUpsOf = async (refundId: string): Promise<number> =>
  (await world.refund(refundId)).attempts.reduce((sum, { lookUps }) => sum + lookUps, 0);

describe('a notice about a pending refund', () => {
  it('has it looked up at once instead of in an hour', async () => {
    const { refundId, handle, gatewayId } = await pendingRefund();
    world.gateway.engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await handle.signal(gatewayNotice);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await lookUpsOf(refundId)).toBe(1);
  });

  it('proves nothing by itself: while the gateway has nothing final, the refund stays pending', async () => {
    const { refundId, handle, gatewayId } = await pendingRefund();
    await handle.signal(gatewayNotice);
    await eventually('it was looked up', async () => ((await lookUpsOf(refundId)) === 1 ? true : undefined));
    expect((await world.refund(refundId)).state).toBe('pending');
    world.gateway.engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await handle.signal(gatewayNotice);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
  });

  it('that comes before the answer does is not forgotten', async () => {
    const { paymentId } = world.newPayment();
    world.fault({ kind: 'accept_then_drop', dropAfterMs: 2_000 }, { paymentId });
    const { refundId, handle } = await world.pay(paymentId, '100.00', patient);
    await world.untilExecuted(paymentId);
    expect((await world.refund(refundId)).state).toBe('submitting');
    await handle.signal(gatewayNotice);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(handle)).activities).toEqual(['sendRefund', 'lookUp']);
  });
});

const handleOf = (refundId: string) =>
  world.temporal.workflow.getHandle<typeof refund>(refundWorkflowId(refundId));

/** A refund of 100.00, and what happens between its success and its run's hearing of it. */
async function inLastMoment(during: (refundId: string, recorded: Position) => Promise<unknown>) {
  const { id } = await world.accept(world.newPayment().paymentId, '100.00');
  await inLastMomentOf(
    id,
    ledger,
    () => world.drive(id),
    (recorded) => during(id, recorded),
  );
  return id;
}

describe('a refund that waits for a person', () => {
  it('ends its run though nothing told it: it reads the ledger again by itself', async () => {
    const { paymentId } = world.newPayment();
    world.fault({ kind: 'reject', code: '700.300.300' }, { paymentId });
    const { refundId, handle } = await world.pay(paymentId, '100.00', { caseAfterUnknown: 500 });
    await world.untilState(refundId, 'manual_review');
    // As an attempt does that the server had given up, or a word that was left out where its run was reset.
    await world.dependencies.ledger.withdraw(refundId, 'supervisor', 'paid by hand');
    expect(await handle.result()).toMatchObject({ state: 'canceled' });
  });
});

describe('what comes while the last activity answers', () => {
  it('is heard: a notice that the money is back leads to a person', async () => {
    const refundId = await inLastMoment(async (id) => {
      const { version } = await comeBack(id, ledger, world.gateway.engine);
      await handleOf(id).signal(gatewayNotice, version);
    });
    expect(await world.untilState(refundId, 'manual_review')).toMatchObject({ why: 'came_back' });
    const { activities } = await historyOf(handleOf(refundId));
    expect(activities).toEqual(['sendRefund', 'position', 'askPerson']);
  });

  it('is heard: so does what comes of a person’s word that is still being carried out', async () => {
    const note = ledger.note.bind(ledger);
    let goOn = (): void => undefined;
    const heldUp = vi.spyOn(ledger, 'note').mockImplementationOnce(async (...args) => {
      await new Promise<void>((resolve) => (goOn = resolve));
      return note(...args);
    });
    let resolved: Promise<unknown> = Promise.resolve();
    const refundId = await inLastMoment(async (id) => {
      await comeBack(id, ledger, world.gateway.engine);
      const word = { by: CLERK, reason: 'the customer called' };
      resolved = handleOf(id).executeUpdate(resolveUpdate, { args: [word] });
      await eventually('it is being carried out', () => heldUp.mock.calls.length === 1 || undefined);
    });
    await eventually('the run has heard that it succeeded', async () =>
      (await historyOf(handleOf(refundId))).completed.includes('sendRefund') ? true : undefined,
    );
    goOn();
    expect(await resolved).toMatchObject({ state: 'returned' });
    expect(await world.untilState(refundId, 'manual_review')).toMatchObject({ why: 'came_back' });
    expect((await historyOf(handleOf(refundId))).activities).toEqual(['sendRefund', 'lookUp', 'askPerson']);
  });

  it('costs nothing where the run knows it already', async () => {
    const refundId = await inLastMoment((id, { version }) => handleOf(id).signal(gatewayNotice, version));
    expect(await handleOf(refundId).result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(handleOf(refundId))).activities).toEqual(['sendRefund']);
  });
});
