/** The result of a command stays valid: it does not change if a stopped worker resumes it, or the run is reset. */
import { describe, expect, it } from 'vitest';
import { historyOf } from './history.js';
import { eventually, openHarness } from './harness.js';
import type { Ledger } from '../../ledger/ledger.js';
import { changeDestinationUpdate, withdrawUpdate } from '../../workflows/refund/contract.js';
import { resetToTheStart } from '../support/reset.js';

const harness = await openHarness();
const { ledger } = harness.dependencies;

const NOTE = { by: 'supervisor', reason: 'the customer keeps the goods', ticket: 'PAY-12' };

/** A refund that the gateway keeps pending, so that it cannot be withdrawn. */
async function pendingRefund() {
  const { paymentId, registrationId } = harness.newPayment();
  harness.fault({ kind: 'pending' }, { paymentId });
  const { refundId, handle } = await harness.pay(paymentId, '100.00');
  const { attempts } = await harness.untilState(refundId, 'pending');
  const refuse = async (): Promise<void> => {
    // The card is closed: an operator has to decide how to go on, and may withdraw the refund.
    harness.gateway.engine.finishPending({
      id: attempts[0]?.gatewayId ?? '',
      state: 'rejected',
      code: '800.100.171',
    });
    await harness.untilState(refundId, 'manual_review');
  };
  return { refundId, handle, refuse, registrationId };
}

/** Stops the next withdrawal before its transaction begins, as SIGSTOP would. Returns a function that resumes it. */
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

describe('a command that was refused', () => {
  it('is not carried out by the stopped worker that had it first', async () => {
    const { refundId, handle, refuse } = await pendingRefund();
    const goOn = stopNextWithdrawal();
    // The first attempt of the activity times out; the second one answers.
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
    expect(await handle.executeUpdate(withdrawUpdate, { args: [NOTE] }), 'a new command').toMatchObject({
      kind: 'withdrawn',
    });
    expect(await handle.result()).toMatchObject({ state: 'canceled' });
  });

  it('is not carried out if its run is reset and handles it again', async () => {
    const { refundId, handle, refuse } = await pendingRefund();
    expect(await handle.executeUpdate(withdrawUpdate, { args: [NOTE] })).toMatchObject({ kind: 'refused' });
    await refuse();
    const { runId } = await handle.describe();
    await resetToTheStart(harness.temporal, handle);
    expect((await handle.describe()).runId).not.toBe(runId);
    await eventually('the command was handled again', async () =>
      (await historyOf(handle)).completed.includes('withdrawRefund') ? true : undefined,
    );

    expect((await harness.refund(refundId)).state).toBe('manual_review');
    expect(await handle.executeUpdate(withdrawUpdate, { args: [NOTE] }), 'a new command').toMatchObject({
      kind: 'withdrawn',
    });
    expect(await handle.result()).toMatchObject({ state: 'canceled' });
  });
});

describe('a command', () => {
  it('is about the refund of its run, whatever else it names', async () => {
    const own = await pendingRefund();
    const other = await pendingRefund();
    await own.refuse();
    await other.refuse();
    // An update that is written by hand may contain anything.
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
