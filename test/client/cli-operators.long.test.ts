/** The command line's keys, operators' commands with evidence, tables, and the settings of a folder, as processes. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { verifyApiKey } from '../../ledger/access/api-keys.js';
import { insertCard } from '../../ledger/cards/cards.js';
import { ask, refundOf, refundsOf, startCli } from './cli-process.js';

const { stack, client, folder, nothing: NOTHING, cli, waitingOn } = await startCli();
vi.setConfig({ testTimeout: 180_000 });

describe('keys', () => {
  const keyShape = z.object({ id: z.string(), name: z.string(), roles: z.array(z.string()) });

  it('are created with their text shown once, listed without it, and refused once revoked', async () => {
    const made = await cli(['keys', 'create', '--name', 'till', '--role', 'submit', 'operate', '--json']);
    expect(made.code).toBe(0);
    const { id, key } = keyShape.extend({ key: z.string() }).parse(JSON.parse(made.stdout));
    expect(key).toMatch(new RegExp(`^rk_${id}_[\\w-]{43}$`));
    expect(made.stderr).not.toContain(key);
    expect(await verifyApiKey(stack.database, key)).toMatchObject({
      name: 'till',
      roles: ['submit', 'operate'],
    });

    const listed = await cli(['keys', 'list', '--json']);
    expect(listed.stdout).not.toContain(key);
    expect(z.array(keyShape).parse(JSON.parse(listed.stdout))).toContainEqual({
      id,
      name: 'till',
      roles: ['submit', 'operate'],
    });

    const [revoked, unknown] = await Promise.all([
      cli(['keys', 'revoke', id]),
      cli(['keys', 'revoke', 'a'.repeat(12)]),
    ]);
    expect(revoked).toMatchObject({ code: 0, stderr: '' });
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('key_not_found');
    expect(await verifyApiKey(stack.database, key)).toBeNull();
  });
});

describe("an operator's command with evidence", () => {
  const note = ['--by', 'anna', '--reason', 'checked', '--yes', '--json'];

  it('reports all missing input', async () => {
    const id = randomUUID();
    const [link, correct, destination] = await Promise.all([
      cli(['link', id], NOTHING),
      cli(['correct', id, '--by', 'anna'], NOTHING),
      cli(['change-destination', id, '--by', 'anna', '--reason', 'x'], NOTHING),
    ]);
    expect([link.code, correct.code, destination.code]).toEqual([2, 2, 2]);
    for (const option of ['--by', '--reason', '--gateway-id'])
      expect(link.stderr).toContain(`${option} is missing`);
    for (const option of ['--reason', '--outcome', '--evidence'])
      expect(correct.stderr).toContain(`${option} is missing`);
    expect(destination.stderr).toContain('--registration is missing');
  });

  it('shows its effect first, appears in the queue, and has a dry run', async () => {
    const { paymentId } = stack.newPayment();
    const { registrationId } = stack.newPayment();
    stack.fault({ kind: 'reject', code: '800.100.171' }, { paymentId });
    const asked = await cli(ask(paymentId, '--yes', '--json', '--wait', '60', '--requested-by', 'clerk'));
    expect(asked.code).toBe(3);
    const { id } = refundOf(asked);
    const [dry, queue, page] = await Promise.all([
      cli(['replay', id, '--dry-run', '--json']),
      cli(['list', '--stuck']),
      cli(['show', id]),
    ]);
    expect([dry.code, queue.code, page.code]).toEqual([3, 0, 3]);
    expect(JSON.parse(dry.stdout)).toMatchObject({
      step: { kind: 'wait_for_operator' },
      run: { isAlive: true },
    });
    expect(queue.stdout).toContain(id);
    expect(queue.stdout).toContain('Agree with the customer on another means of payment');
    expect(page.stdout).toContain('clerk');
    expect(page.stdout).toContain('Declined');

    const changed = await cli(['change-destination', id, '--registration', registrationId, ...note]);
    expect(changed.stderr).toContain(`A credit of 40.00 EUR for refund ${id} is to go to registration`);
    expect([0, 3]).toContain(changed.code);
    for await (const refund of client.watch(id)) if (refund.approval !== null) break;
    const rejected = await cli([
      ...['reject', id, '--instruction', await waitingOn(id), '--by', 'boss', '--reason', 'no'],
      ...['--yes', '--json'],
    ]);
    expect(refundOf(rejected)).toMatchObject({ status: 'failed' });
    const again = await cli(['replay', id, ...note]);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'over' });
  });
});

describe('change-destination to a sealed card', () => {
  it('shows brand, last digits and initials to the operator and the approver, and pays it once approved', async () => {
    const { paymentId } = stack.newPayment();
    stack.fault({ kind: 'reject', code: '800.100.171' }, { paymentId });
    const asked = await cli(ask(paymentId, '--yes', '--json', '--wait', '60', '--requested-by', 'clerk'));
    const { id } = refundOf(asked);
    const cardRef = randomUUID();
    const sealed = await stack.sealer.seal(cardRef, {
      ...{ brand: 'VISA', number: '4200000000000042', holder: 'Zoe Quill' },
      ...{ expiryMonth: '05', expiryYear: '2034', cvv: '739' },
    });
    const day = 86_400_000;
    await stack.database.transaction((tx) =>
      insertCard(tx, sealed, 'cli', { maxAgeMs: 90 * day, graceMs: 7 * day }),
    );
    const why = ['--reason', 'the card is closed', '--yes', '--json'];
    const changed = await cli(['change-destination', id, '--card', cardRef, '--by', 'anna', ...why]);
    expect([0, 3]).toContain(changed.code);
    expect(changed.stderr).toContain(cardRef);
    for await (const refund of client.watch(id)) if (refund.approval !== null) break;
    const page = await cli(['show', id]);
    for (const shown of ['VISA', '0042', 'ZQ']) expect(page.stdout).toContain(shown);
    const instruction = await waitingOn(id);
    const approve = (by: string) => cli(['approve', id, '--instruction', instruction, '--by', by, ...why]);
    expect((await approve('anna')).stderr).toContain('proposer_cannot_approve');
    const approved = await approve('boss');
    for (const shown of ['0042', 'ZQ']) expect(approved.stdout).toContain(shown);
    for await (const { state } of client.watch(id)) if (state === 'succeeded') break;
    const { attempts } = await client.getRefund(id);
    expect(attempts.map(({ type, state }) => `${type} ${state}`)).toEqual(['RF rejected', 'CD succeeded']);
    for (const { stdout, stderr } of [changed, page, approved])
      for (const secret of ['4200000000000042', 'Quill']) expect(stdout + stderr).not.toContain(secret);
  });
});

describe('a table', () => {
  it('fits the columns that COLUMNS asks for', async () => {
    const columns = 80;
    const env = { ...stack.env, COLUMNS: String(columns) };
    const { id = '' } = (await client.listRefunds())[0] ?? {};
    const all = await Promise.all([
      cli(['list'], env),
      cli(['list', '--stuck'], env),
      cli(['show', id], env),
      cli(['keys', 'list'], env),
      cli(['events', 'list'], env),
      cli(['replay', id, '--dry-run'], env),
      cli(['verify'], env),
    ]);
    for (const { stdout } of all) {
      expect(stdout).not.toBe('');
      expect(stdout.split('\n').filter((line) => line.length > columns)).toEqual([]);
    }
    expect(all[0].stdout).toContain(id);
  });

  it('has whole ids for a script, and on a narrow terminal with --wide', async () => {
    const { paymentId } = (await client.listRefunds())[0] ?? {};
    const [piped, wide] = await Promise.all([
      cli(['list']),
      cli(['list', '--wide'], { ...stack.env, COLUMNS: '80' }),
    ]);
    expect(piped.stdout).toContain(paymentId);
    expect(wide.stdout).toBe(piped.stdout);
  });
});

describe('the sandbox of a folder', () => {
  it('is used by a command without settings', async () => {
    writeFileSync(
      join(folder, 'env'),
      Object.entries(stack.env)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
        .join(''),
    );
    const ended = await cli(['list', '--json'], { PATH: process.env['PATH'], REFUNDS_DATA_DIR: folder });
    expect(ended.code).toBe(0);
    expect(refundsOf(ended).length).toBeGreaterThan(0);
    expect(ended.stderr).toContain('using the sandbox of');
  });

  it('is not used if a variable names another system', async () => {
    const ended = await cli(['list'], {
      PATH: process.env['PATH'],
      REFUNDS_DATA_DIR: folder,
      OPPWA_BASE_URL: 'https://eu-prod.oppwa.com',
    });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('DATABASE_URL is missing');
  });
});
