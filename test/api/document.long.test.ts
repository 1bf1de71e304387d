/** The API conforms to its OpenAPI document, for requests that a property-based tool (Schemathesis) generates. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findSchemathesis } from '../support/schemathesis.js';
import { refundOf, startApi } from './harness.js';

const harness = await startApi();
const folder = mkdtempSync(join(tmpdir(), 'schemathesis-'));
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await harness.close();
});
const program = await findSchemathesis();

/** Random requests for each operation, after the tool's systematic ones for each field. Limits the run time. */
const EXAMPLES = 3;
/** Another seed generates other requests: `SCHEMATHESIS_SEED=7 npx vitest run test/api/document.long.test.ts`. */
const SEED = process.env['SCHEMATHESIS_SEED'] ?? '1';

const NOT_ASKED = [
  // Never ends.
  '/v1/stream',
  // A schema cannot express which numbers are cards; test/cards/api.test.ts.
  '/v1/cards',
  '/v1/credits',
];
/** A schema cannot express that a payment exists, how many decimals a currency has, or that a text is not blank. */
const NOT_CHECKED = ['positive_data_acceptance'];

describe('the OpenAPI document', () => {
  it('has every operator command on a refund, and no other', async () => {
    const { body } = await harness.call('GET', '/openapi.json');
    const { paths } = z
      .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
      .parse(body);
    const commands = Object.entries(paths).flatMap(([path, { post }]) =>
      path.startsWith('/v1/refunds/') && post !== undefined ? [path.slice('/v1/refunds/'.length)] : [],
    );
    expect(commands.sort()).toEqual(
      [
        'replay',
        ...['{id}/approve', '{id}/reject', '{id}/withdraw', '{id}/change-destination'],
        ...['{id}/sync', '{id}/link', '{id}/correct', '{id}/replay'],
      ].sort(),
    );
  });

  it('documents sync: it returns the refund, and needs the role and a reason', async () => {
    const { paymentId } = harness.stack.newPayment();
    const { id } = refundOf(await harness.ask(paymentId));
    const path = `/v1/refunds/${id}/sync`;
    const operator = await harness.newKey('otto', 'operate');
    const checked = await harness.call('POST', path, {
      key: operator,
      body: { reason: 'a call', ticket: 'T-1' },
    });
    expect(checked.status).toBe(200);
    expect(refundOf(checked).id).toBe(id);
    expect((await harness.call('POST', path, { key: operator, body: {} })).status).toBe(422);
    const clerk = await harness.newKey('clara', 'submit');
    expect((await harness.call('POST', path, { key: clerk, body: { reason: 'a call' } })).status).toBe(403);
    await harness.stack.client.waitFor(id, 30_000);
  });

  it.skipIf(program === undefined)(
    `is followed for generated requests${program === undefined ? ' (skipped: Schemathesis is not here; `npm run schemathesis` gets it, with python3 and its venv)' : ''}`,
    { timeout: 5 * 60_000 },
    async () => {
      const { paymentId } = harness.stack.newPayment();
      const { id } = refundOf(await harness.ask(paymentId));
      await harness.stack.client.waitFor(id, 30_000);
      const key = await harness.newKey('tool', 'submit', 'read', 'operate', 'approve');
      const { code, output } = await run(program ?? '', [
        ...['run', `${harness.url}/openapi.json`, '--header', `Authorization: Bearer ${key}`],
        ...['--phases', 'examples,coverage,fuzzing', '--max-examples', String(EXAMPLES), '--seed', SEED],
        ...['--request-timeout', '30', '--continue-on-failure'],
        ...['--generation-database', 'none', '--exclude-checks', NOT_CHECKED.join(',')],
        ...NOT_ASKED.flatMap((path) => ['--exclude-path', path]),
      ]);
      expect(code, output).toBe(0);
      expect(output).not.toContain(key);
      expect(Number(/(\d+) generated/.exec(output)?.[1]), output).toBeGreaterThan(200);
      // Refunds that the tool created are still in progress.
      await harness.stack.untilAtRest();
      expect(harness.logged.filter((line) => /"status":5\d\d/.test(line))).toEqual([]);
    },
  );
});

function run(command: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      {
        cwd: folder,
        timeout: 4 * 60_000,
        maxBuffer: 64 * 1024 * 1024,
        env: { PATH: process.env['PATH'], HOME: folder },
      },
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode, output: `${stdout}${stderr}` });
      },
    );
  });
}
