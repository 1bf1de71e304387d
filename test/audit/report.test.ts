/** Tests the scheduled audit, and its report in the API, in the metrics and on the command line. */
import { sql } from 'kysely';
import { Registry } from 'prom-client';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { audit as auditSchema } from '../../server/api/audits.js';
import { registerFigures } from '../../server/api/ledger-metrics.js';
import { maintenanceAt } from '../../temporal/maintenance.js';
import { problemOf, refundOf, startApi } from '../api/harness.js';
import { command } from '../support/command.js';
import { eventually } from '../workflows/harness.js';

vi.setConfig({ testTimeout: 180_000 });

const harness = await startApi({
  worker: false,
  maintenance: { ...maintenanceAt(0.001), auditEvery: 3_600_000 },
});
const { ask, call, stack } = harness;
const registry = new Registry();
registerFigures(registry, stack.database, 0);
afterAll(async () => {
  await harness.close();
});

describe('before the first audit', () => {
  it('has no report, and no metric that could be taken for a clean result', async () => {
    const answer = await call('GET', '/v1/audits/latest');
    expect(answer.status).toBe(404);
    expect(problemOf(answer).code).toBe('not_found');
    const metrics = await registry.metrics();
    expect(metrics).not.toMatch(/^refunds_audit_violations\{/mu);
    expect(metrics).not.toMatch(/^refunds_audit_age_seconds \d/mu);
  });
});

describe('the audit', () => {
  it('runs as soon as a worker runs, and reports to the API and the metrics that the ledger is correct', async () => {
    await stack.startWorker();
    const { id } = refundOf(await ask(stack.newPayment().paymentId));
    await stack.client.waitFor(id, 60_000);
    const report = await eventually('an audit has run', async () => {
      const answer = await call('GET', '/v1/audits/latest');
      return answer.status === 200 ? auditSchema.parse(answer.body) : undefined;
    });
    expect(report).toMatchObject({ ok: true, complete: true, violations: 0 });
    expect(report.invariants.map(({ invariant }) => invariant).join(' ')).toBe('I1 I2 I3 I4 I5 I6 I7 I8 I9');
    const metrics = await registry.metrics();
    expect(metrics).toMatch(/^refunds_audit_violations\{invariant="I1"\} 0$/mu);
    expect(metrics).toMatch(/^refunds_audit_complete 1$/mu);
    expect(metrics).toMatch(/^refunds_audit_age_seconds \d/mu);
    const scraped = await eventually('it is scraped', async () => {
      const { body } = await call('GET', '/metrics', { key: null });
      return typeof body === 'string' && body.includes('refunds_audit_violations{') ? body : undefined;
    });
    expect(scraped).toMatch(/^refunds_events_waiting 0$/mu);
  });

  it('runs at once by the command line, which exits with 0 if the ledger is correct', async () => {
    const before = auditSchema.parse((await call('GET', '/v1/audits/latest')).body);
    const { code, stdout } = await command(stack.env, 'verify', '--json');
    expect(code).toBe(0);
    const printed = auditSchema.parse(JSON.parse(stdout));
    expect(printed.ok).toBe(true);
    expect(BigInt(printed.id)).toBeGreaterThan(BigInt(before.id));
    expect(auditSchema.parse((await call('GET', '/v1/audits/latest')).body)).toEqual(printed);
  });

  it('with a violation makes the command exit with 1 and name it, and the metrics count it', async () => {
    const { id } = refundOf(await ask(stack.newPayment().paymentId));
    await stack.client.waitFor(id, 60_000);
    const meddle = (state: string) =>
      sql`update refunds set state = ${state} where id = ${id}`.execute(stack.database.db);
    await meddle('settled');
    try {
      const { code, stdout } = await command(stack.env, 'verify');
      expect(code).toBe(1);
      expect(stdout).toContain(`I5: refund ${id} is settled, its last event is refund.succeeded`);
      expect(stdout).toContain('1 violations');
      expect(await registry.metrics()).toMatch(/^refunds_audit_violations\{invariant="I5"\} 1$/mu);
      expect(auditSchema.parse((await call('GET', '/v1/audits/latest')).body).ok).toBe(false);
    } finally {
      await meddle('succeeded');
    }
  });
});
