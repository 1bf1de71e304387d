/** The command line as used by a script: exit codes, one document on stdout, everything else on stderr. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { programArguments } from '../../sandbox/program.js';
import { ROOT } from '../support/command.js';
import { ask, refundOf, refundsOf, startCli } from './cli-process.js';

const { stack, client, nothing: NOTHING, cli, waitingOn } = await startCli();
vi.setConfig({ testTimeout: 180_000 });

describe('a command whose reader closes the pipe', () => {
  it('ends silently, as any program in a pipe does', async () => {
    const all = [...programArguments('client/cli/main.ts'), '--help'];
    const child = spawn(process.execPath, all, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let answer = '';
    child.stderr.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    await once(child, 'close');
    expect({ code: child.exitCode, answer }).toEqual({ code: 141, answer: '' });
  });
});

describe('a command that is used wrongly', () => {
  it.each([
    { args: ['refund'], shows: ['unknown command'] },
    { args: ['request', '--sum', '1'], shows: ['unknown option'] },
    { args: ['show'], shows: ["missing required argument 'id'"] },
    { args: ['list', '--status', 'paid'], shows: ["'paid' is invalid"] },
    { args: ['list', '--limit', 'all'], shows: ['whole number'] },
    {
      args: ['request'],
      shows: ['--payment is missing', '--amount is missing', '--currency is missing', '--reason is missing'],
    },
    {
      args: ['request', '--payment', 'X', '--amount', '5,00', '--currency', 'EUR', '--reason', ' '],
      shows: ['--payment must be 32', '--amount The amount has a separator', '--reason must not be empty'],
    },
    { args: ['keys', 'create'], shows: ['--name is missing', '--role is missing'] },
    { args: ['keys', 'create', '--name', 'x', '--role', 'root'], shows: ["'root' is invalid"] },
    { args: ['approve', randomUUID()], shows: ['--by is missing', '--reason is missing'] },
    { args: ['list'], shows: ['DATABASE_URL is missing', 'OPPWA_ACCESS_TOKEN is missing', 'Example: '] },
  ])('ends with 2 and says everything that is wrong: $args', async ({ args, shows }) => {
    const ended = await cli(args, NOTHING);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    for (const text of shows) expect(ended.stderr).toContain(text);
  });

  it('reports it as JSON with --json', async () => {
    const ended = await cli(['request', '--json'], NOTHING);
    expect(ended.code).toBe(2);
    expect(JSON.parse(ended.stderr)).toMatchObject({
      error: { code: 'wrong_use', problems: [{}, {}, {}, {}] },
    });
  });

  it('is helped with examples', async () => {
    const ended = await cli(['request', '--help'], NOTHING);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain('$ oppwa-refunds request --payment');
  });
});

describe('request', () => {
  it('sends nothing without a terminal and without --yes', async () => {
    const { paymentId } = stack.newPayment();
    const ended = await cli(ask(paymentId));
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain(`Pay back 40.00 EUR on payment ${paymentId}`);
    expect(ended.stderr).toContain('--yes is needed');
    expect(await client.listRefunds({ paymentId })).toEqual([]);
  });

  it('waits until the refund is paid; the same key is the same refund; show and list find it', async () => {
    const { paymentId } = stack.newPayment();
    const args = ask(paymentId, '--key', randomUUID(), '--yes', '--json', '--wait', '30');
    const [first, second] = await Promise.all([cli(args), cli(args)]);
    expect([first.code, second.code]).toEqual([0, 0]);
    const refund = refundOf(first);
    expect(refund).toMatchObject({ status: 'succeeded', amount: '40.00' });
    expect(refundOf(second).id).toBe(refund.id);
    expect(stack.gateway.engine.books(paymentId)?.refunded).toBe(4000n);

    const [shown, listed, text] = await Promise.all([
      cli(['show', refund.id, '--json']),
      cli(['list', '--payment', paymentId, '--json']),
      cli(['show', refund.id]),
    ]);
    expect([shown.code, listed.code, text.code]).toEqual([0, 0, 0]);
    expect(JSON.parse(shown.stdout)).toMatchObject(await client.getRefund(refund.id));
    expect(JSON.parse(shown.stdout)).toMatchObject({ next: { kind: 'finish' } });
    expect(refundsOf(listed).map(({ id }) => id)).toEqual([refund.id]);
    const gatewayId = (await client.getRefund(refund.id)).attempts[0]?.gatewayId ?? 'none';
    expect(text.stdout).toContain(gatewayId);
    expect(text.stdout, 'no colours into a pipe').not.toContain('\u001B[');
  });
});

describe('credit', () => {
  it('reports missing input', async () => {
    const ended = await cli(['credit', '--amount', '7.00', '--currency', 'EUR', '--reason', 'goodwill']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('--registration');
  });
});

describe("an approver's decision", () => {
  const note = ['--reason', 'checked', '--yes', '--json'];

  it('shows the instruction before it is approved, and is refused for the requester', async () => {
    const { paymentId } = stack.newPayment({ amount: '800.00' });
    stack.fault({ kind: 'reject', code: '700.500.001' }, { paymentId });
    const { id } = await client.requestRefund({
      clientId: 'shop',
      idempotencyKey: randomUUID(),
      requestedBy: 'clerk',
      request: { paymentId, amount: '800.00', currency: 'EUR', reason: 'goods_returned' },
    });
    for await (const refund of client.watch(id)) if (refund.approval !== null) break;

    const instruction = await waitingOn(id);
    const [shown, blind, own] = await Promise.all([
      cli(['show', id]),
      cli(['approve', id, '--by', 'boss', ...note]),
      cli(['approve', id, '--instruction', instruction, '--by', 'clerk', ...note]),
    ]);
    expect(blind.code, 'without the instruction nothing is decided').toBe(2);
    expect(blind.stderr).toContain(`"instruction":"${instruction}"`);
    expect(shown.code).toBe(3);
    expect(shown.stdout).toContain('a credit of 800.00 EUR to registration');
    expect(own).toMatchObject({ code: 1, stdout: '' });
    expect(own.stderr).toContain('requester_cannot_decide');

    const approved = await cli(['approve', id, '--instruction', instruction, '--by', 'boss', ...note]);
    expect(approved.code).toBe(0);
    expect(approved.stderr).toContain(`A credit of 800.00 EUR for refund ${id} goes to registration`);
    await client.waitFor(id, 20_000);
    const [watched, withdrawn] = await Promise.all([
      cli(['watch', id]),
      cli(['withdraw', id, '--by', 'boss', ...note]),
    ]);
    expect(watched.code).toBe(0);
    expect(watched.stdout).toMatch(/succeeded .* CD succeeded/);
    expect(withdrawn.code).toBe(1);
    expect(withdrawn.stderr).toContain('"final"');
  });
});
