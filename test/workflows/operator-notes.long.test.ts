/** What a person was told holds: a word is answered once, also where a worker that was stopped goes on with it, or its run is reset. */
import { describe, expect, it } from 'vitest';
import { historyOf } from './history.js';
import { eventually, openHarness } from './harness.js';
import type { Ledger } from '../../ledger/ledger.js';
import { changeDestinationUpdate, withdrawUpdate } from '../../workflows/refund/contract.js';
import { resetToTheStart } from '../support/reset.js';

const harness = await openHarness();
const { ledger } = harness.dependencies;

const NOTE = { by: 'supervisor', reason: 'the customer keeps the goods', ticket: 'PAY-12' };

/** The gateway takes its time with it, so that it can not be withdrawn. */
async function pendingRefund() {
  const { paymentId, registrationId } = harness.newPayment();
  harness.fault({ kind: 'pending' }, { paymentId });
  const { refundId, handle } = await harness.pay(paymentId, '100.00');
  const { attempts } = await harness.untilState(refundId, 'pending');
  const refuse = async (): Promise<void> => {
    // A closed card: a person has to say how it goes on, and may withdraw it.
    harness.gateway.engine.finishPending({
      id: attempts[0]?.gatewayId ?? '',
      state: 'rejected',
      code: '800.100.171',
    });
    await harness.untilState(refundId, 'manual_review');
  };
  return { refundId, handle, refuse, registrationId };
}

/** The next withdrawal is stopped before its transaction begins, as by SIGSTOP, and goes on when it is told to. */
function stopNextWithdrawal(): () => ReturnType<Ledger['withdraw']> {
  const { withdraw } = ledger;
  let goOn: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (goOn = resolve));
  let late: ReturnType<Ledger['withdraw']> | undefined;
  ledger.withdraw = (...args) => {
    ledger.withdraw = withdraw;
    late = stopped.then(() => withdraw(...args));
    return late;
  };
  return () => {
    goOn();
    if (late === undefined) throw new Error('nothing was stopped');
    return late;
  };
}

describe('a word that was refused', () => {
  it('is not carried out by the worker that had it first and was stopped meanwhile', async () => {
    const { refundId, handle, refuse } = await pendingRefund();
    const goOn = stopNextWithdrawal();
    // The first attempt of the activity times out, the second one is the one that answers.
    expect(await handle.executeUpdate(withdrawUpdate, { args: [NOTE] })).toMatchObject({
      kind: 'refused',
      why: 'may_have_left',
    });
    await refuse();

    expect(await goOn()).toMatchObject({
      kind: 'refused',
      why: 'may_have_left',
      snapshot: { state: 'manual_review' },
    });
    expect((await harness.refund(refundId)).state).toBe('manual_review');
    expect(await handle.executeUpdate(withdrawUpdate, { args: [NOTE] }), 'said anew').toMatchObject({
      kind: 'withdrawn',
    });
    expect(await handle.result()).toMatchObject({ state: 'canceled' });
  });

  it('is not carried out where its run is reset and hears it once more', async () => {
    const { refundId, handle, refuse } = await pendingRefund();
    expect(await handle.executeUpdate(withdrawUpdate, { args: [NOTE] })).toMatchObject({ kind: 'refused' });
    await refuse();
    const { runId } = await handle.describe();
    await resetToTheStart(harness.temporal, handle);
    expect((await handle.describe()).runId).not.toBe(runId);
    await eventually('the word was heard once more', async () =>
      (await historyOf(handle)).completed.includes('withdrawRefund') ? true : undefined,
    );

    expect((await harness.refund(refundId)).state).toBe('manual_review');
    expect(await handle.executeUpdate(withdrawUpdate, { args: [NOTE] }), 'said anew').toMatchObject({
      kind: 'withdrawn',
    });
    expect(await handle.result()).toMatchObject({ state: 'canceled' });
  });
});

describe('a word', () => {
  it('is about the refund of the run that hears it, whatever else it names', async () => {
    const own = await pendingRefund();
    const other = await pendingRefund();
    await own.refuse();
    await other.refuse();
    // Who writes updates by hand may put anything into them.
    const note = { ...NOTE, registrationId: other.registrationId, refundId: other.refundId };
    expect(await own.handle.executeUpdate(changeDestinationUpdate, { args: [note] })).toMatchObject({
      kind: 'done',
      snapshot: { refundId: own.refundId },
    });
    await harness.untilState(own.refundId, 'awaiting_approval');
    expect((await harness.refund(other.refundId)).state).toBe('manual_review');
    for (const { handle } of [own, other])
      expect(await handle.executeUpdate(withdrawUpdate, { args: [NOTE] })).toMatchObject({
        kind: 'withdrawn',
      });
  });
});
