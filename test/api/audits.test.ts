/** `GET /v1/audits/latest`: 404 before the first audit, then the newest; an incomplete audit is not ok. */
import { afterAll, expect, it } from 'vitest';
import { audit } from '../../server/api/audits.js';
import { auditLedger, type AuditReport } from '../../ledger/maintenance/audit.js';
import { storeAudit } from '../../ledger/maintenance/audits.js';
import { problemOf, startApi } from './harness.js';

const harness = await startApi({ worker: false });
afterAll(() => harness.close());
const { call, newKey, stack } = harness;
const { database } = stack;

const latest = async () => audit.parse((await call('GET', '/v1/audits/latest')).body);
const store = async (change: Partial<AuditReport> = {}) =>
  storeAudit(database, {
    ...(await auditLedger(database.db, { statementTimeout: 30_000, examples: 10 })),
    ...change,
  });

it('gets 404 before the first audit, and needs a key', async () => {
  const none = await call('GET', '/v1/audits/latest');
  expect([none.status, problemOf(none).code]).toEqual([404, 'not_found']);
  const stranger = await call('GET', '/v1/audits/latest', { key: null });
  expect([stranger.status, problemOf(stranger).code]).toEqual([401, 'unauthenticated']);
});

it('returns the newest audit as stored, with the role read', async () => {
  await store();
  const { id, at, durationMs, payments, completeSince, invariants } = await store();
  const key = await newKey('reader', 'read');
  const answer = await call('GET', '/v1/audits/latest', { key });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    id,
    at: at.toISOString(),
    durationMs,
    payments,
    completeSince: completeSince?.toISOString(),
    ok: true,
    complete: true,
    violations: 0,
    invariants,
  });
});

it.each([
  ['found something', { violations: 1 }],
  ['could not ask everything', { complete: false }],
])('that %s is not ok', async (_what, change) => {
  await store(change);
  expect(await latest()).toMatchObject({ ok: false, ...change });
});

it('allows no other method', async () => {
  const answer = await call('POST', '/v1/audits/latest', { body: {} });
  expect([answer.status, problemOf(answer).code]).toEqual([405, 'method_not_allowed']);
});
