/** docs/reference/api.md: every command in it works, and its table has the codes. */
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../server/api/problems.js';
import { refundOf, startApi } from './harness.js';

const harness = await startApi();
afterAll(() => harness.close());
const text = await readFile(new URL('../../docs/reference/api.md', import.meta.url), 'utf8');
const commands = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, command = '']) => command);
const hasCurl = spawnSync('curl', ['--version']).status === 0;

describe('docs/reference/api.md', () => {
  it.skipIf(!hasCurl)(
    `has only commands that work${hasCurl ? '' : ' (skipped: there is no curl here)'}`,
    async () => {
      const { paymentId, registrationId } = harness.stack.newPayment();
      const { id } = refundOf(await harness.ask(paymentId));
      await harness.stack.client.waitFor(id, 30_000);
      const env = {
        PATH: process.env['PATH'],
        API: harness.url,
        KEY: await harness.newKey('reader', 'submit'),
        PAYMENT: paymentId,
        REGISTRATION: registrationId,
        REFUND: id,
      };
      expect(commands.length).toBeGreaterThan(3);
      for (const command of commands) {
        // `-e` stops at the first command that fails.
        const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', command], { env });
        expect(stdout.startsWith('{'), command).toBe(true);
      }
      const asked = await harness.stack.client.listRefunds({ paymentId });
      for (const one of asked) await harness.stack.client.waitFor(one.id, 30_000);
      expect(asked.map(({ amount, orderId }) => [amount, orderId])).toContainEqual(['12.30', '4711']);
    },
  );

  it('says what to do about every code, except the 409 codes of operator commands', () => {
    const rows = [...text.matchAll(/^\| (`.*?`) +\| (\d{3}) +\|/gm)];
    const reported = new Map(
      rows.flatMap(([, codes = '', status = '']) =>
        [...codes.matchAll(/`(\w+)`/g)].map(([, code = '']) => [code, Number(status)] as const),
      ),
    );
    for (const [code, [status]] of Object.entries(PROBLEMS))
      if (status !== 409) expect(reported.get(code), code).toBe(status);
    for (const [code, status] of reported)
      expect(Object.entries(PROBLEMS).find(([one]) => one === code)?.[1][0], code).toBe(status);
  });
});
