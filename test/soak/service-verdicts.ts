/** Verdicts about the parts around the refunds: promises over HTTP, the gateway's notifications and the audit's reports. */
import { sql } from 'kysely';
import { auditLedger } from '../../ledger/maintenance/audit.js';
import { latestAudit } from '../../ledger/maintenance/audits.js';
import type { Database } from '../../ledger/db/database.js';
import { CLERK } from './http.js';
import type { Machine } from './machine.js';
import type { Notes } from './notes.js';
import type { Verdict } from './verdicts.js';

export interface ServiceEvidence {
  readonly database: Database;
  readonly gateway: Machine['gateway'];
  readonly notes: Notes;
}

const AUDIT = { statementTimeout: 60_000, examples: 20 };

export async function serviceVerdicts(evidence: ServiceEvidence): Promise<readonly Verdict[]> {
  const { database, gateway, notes } = evidence;
  return [
    { name: 'promises over HTTP', wrong: await brokenPromises(database, notes) },
    { name: 'audit', wrong: await auditedWrong(database) },
    {
      name: 'notifications that were not processed',
      wrong: [
        ...(await waitingNotifications(database)).map(
          ({ id, gateway_id, tries }) =>
            `notification ${id} about ${gateway_id ?? 'nothing'} still waits after ${tries} tries`,
        ),
        ...(gateway.undelivered() > 0 ? [`${gateway.undelivered()} notifications were never accepted`] : []),
      ],
    },
    { name: 'forged notifications', wrong: await believed(database, notes) },
  ];
}

/** Counts the notifications that the gateway still has or that are not processed. The run waits at its end until there are none. */
export async function notificationsInProgress({ database, gateway }: ServiceEvidence): Promise<number> {
  return gateway.undelivered() + (await waitingNotifications(database)).length;
}

/** Returns the number of notifications by state and reason. */
export async function notificationsByEnd({
  database,
}: ServiceEvidence): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ name: string; count: number }>`
    select concat_ws(': ', state, why) as name, count(*)::int as count from webhooks group by state, why
  `.execute(database.db);
  return new Map(rows.map(({ name, count }) => [name, count]));
}

/** Returns the keys whose answer over HTTP named another refund than the ledger has. */
async function brokenPromises({ db }: Database, notes: Notes): Promise<string[]> {
  const rows = await db
    .selectFrom('refunds')
    .select(['id', 'idempotency_key as key'])
    .where('client_id', '=', CLERK)
    .execute();
  const stored = new Map(rows.map(({ id, key }) => [key, id]));
  return [...notes.promised].flatMap(([key, id]) => {
    const found = stored.get(key);
    return found === id ? [] : [`key ${key} was answered refund ${id}; the ledger has ${found ?? 'nothing'}`];
  });
}

/** Audits now, and reads the report of the last scheduled audit, made during the run. */
async function auditedWrong(database: Database): Promise<string[]> {
  const scheduled = await latestAudit(database);
  const now = await auditLedger(database.db, AUDIT);
  return [
    ...(scheduled === null ? ['no audit was run by its schedule'] : []),
    ...[scheduled, now].flatMap((report) => {
      if (report === null) return [];
      const at = report.at.toISOString();
      return [
        ...(report.complete ? [] : [`the audit of ${at} is not complete`]),
        ...report.invariants.flatMap(({ invariant, examples }) =>
          examples.map((example) => `audit of ${at}, ${invariant}: ${example}`),
        ),
      ];
    }),
  ];
}

/** Notifications that are still due, also those that were postponed. */
async function waitingNotifications({ db }: Database) {
  const { rows } = await sql<{ id: string; gateway_id: string | null; tries: number }>`
    select id::text, gateway_id, tries from webhooks where state = 'received' order by id
  `.execute(db);
  return rows;
}

async function believed({ db }: Database, notes: Notes): Promise<string[]> {
  const { rows } = await sql<{ what: string }>`
    select format('notification %s about %s was stored', id, gateway_id) as what from webhooks
      where gateway_id = any(${[...notes.forged]}::text[])
    union all
    select format('attempt %s was linked to %s', reference, gateway_id) from attempts
      where gateway_id = any(${[...notes.forged]}::text[])
  `.execute(db);
  return rows.map(({ what }) => what);
}
