/** The command line as used by a script: generated keys, refusals with their exit codes, unlinked credits, and rejections. */
import { describe, expect, it, vi } from 'vitest';
import { ask, refundOf, refundsOf, startCli } from './cli-process.js';

const { stack, client, cli, waitingOn } = await startCli();
vi.setConfig({ testTimeout: 180_000 });

describe('request', () => {
  it('prints the key that it generates, so that the request can be repeated', async () => {
    const { paymentId } = stack.newPayment();
    const first = await cli(ask(paymentId, '--yes', '--json', '--requested-by', 'clerk'));
    const key = /^key (\S+)/m.exec(first.stderr)?.[1] ?? '';
    const again = await cli(ask(paymentId, '--yes', '--json', '--requested-by', 'clerk', '--key', key));
    expect(refundOf(again).id).toBe(refundOf(first).id);
    await client.waitFor(refundOf(first).id, 20_000);
  });

  it('ends with 1 over the balance and with 2 in another currency', async () => {
    const { paymentId } = stack.newPayment({ amount: '39.99' });
    const [over, currency] = await Promise.all([
      cli(ask(paymentId, '--yes', '--json')),
      cli(ask(paymentId, '--yes', '--currency', 'USD')),
    ]);
    expect(over).toMatchObject({ code: 1, stdout: '' });
    expect(over.stderr).toContain('"exceeds_refundable"');
    expect(currency).toMatchObject({ code: 2, stdout: '' });
    expect(currency.stderr).toContain('currency_mismatch');
  });
});

describe('credit', () => {
  it('shows its effect before it is requested, and waits for a second approver if it is unlinked', async () => {
    const { registrationId } = stack.newPayment();
    const to = [
      '--registration',
      registrationId,
      '--amount',
      '7.00',
      '--currency',
      'EUR',
      '--reason',
      'goodwill',
    ];
    const asked = await cli(['credit', ...to, '--yes', '--json', '--wait', '60', '--requested-by', 'clerk']);
    expect(asked.stderr).toContain(`Credit 7.00 EUR to registration ${registrationId} (goodwill).`);
    expect(asked.stderr).toContain('another operator has to approve');
    expect(asked.code).toBe(3);
    const { id } = refundOf(asked);
    const shown = await cli(['show', id]);
    expect(shown.stdout).toContain('none: the credit is unlinked');
    const approved = await cli([
      ...['approve', id, '--instruction', await waitingOn(id), '--by', 'boss', '--reason', 'agreed'],
      ...['--yes', '--json'],
    ]);
    expect(approved.code).toBe(0);
    expect(approved.stderr).toContain('It is linked to no payment');
    expect(await client.waitFor(id, 20_000)).toMatchObject({ status: 'succeeded', operation: 'credit' });
  });
});

describe("an approver's decision", () => {
  const note = ['--reason', 'checked', '--yes', '--json'];

  it('is announced by exit code 3, and after a rejection a waiting command ends with 1', async () => {
    const { paymentId } = stack.newPayment({ amount: '800.00' });
    stack.fault({ kind: 'reject', code: '700.500.001' }, { paymentId });
    const asked = await cli(ask(paymentId, '--amount', '800.00', '--yes', '--json', '--wait', '60'));
    expect(asked.code).toBe(3);
    const { id, state } = refundOf(asked);
    expect(state).toBe('awaiting_approval');
    const rejected = await cli(['reject', id, '--instruction', await waitingOn(id), '--by', 'boss', ...note]);
    expect(rejected.code).toBe(0);
    expect(refundOf(rejected)).toMatchObject({ status: 'failed' });
    const [watched, stuck] = await Promise.all([cli(['watch', id]), cli(['list', '--stuck', '--json'])]);
    expect(watched.code).toBe(1);
    expect(refundsOf(stuck)).toEqual([]);
  });
});
