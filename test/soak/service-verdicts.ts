/** What holds of everything around the refunds: promises made over HTTP, the gateway's notices, and the audit's own word. */
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
      name: 'notices that were not worked through',
      wrong: [
        ...(await waitingNotifications(database)).map(
          ({ id, gateway_id, tries }) =>
            `notice ${id} about ${gateway_id ?? 'nothing'} still waits after ${tries} tries`,
        ),
        ...(gateway.undelivered() > 0 ? [`${gateway.undelivered()} notices were never taken`] : []),
      ],
    },
    { name: 'forged notices', wrong: await believed(database, notes) },
  ];
}

/** What the run waits for at its end: notices that the gateway still has, and notices that are not worked through. */
export async function notificationsInProgress({ database, gateway }: ServiceEvidence): Promise<number> {
  return gateway.undelivered() + (await waitingNotifications(database)).length;
}

/** By state and reason. */
export async function notificationsByEnd({
  database,
}: ServiceEvidence): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ name: string; count: number }>`
    select concat_ws(': ', state, why) as name, count(*)::int as count from webhooks group by state, why
  `.execute(database.db);
  return new Map(rows.map(({ name, count }) => [name, count]));
}

/** Each key that an answer over HTTP was given for has exactly that refund. */
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

/** Now, and when the schedule last did it in the middle of everything. */
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

/** Put off is not worked through: whatever is still due once more has an end to come. */
async function waitingNotifications({ db }: Database) {
  const { rows } = await sql<{ id: string; gateway_id: string | null; tries: number }>`
    select id::text, gateway_id, tries from webhooks where state = 'received' order by id
  `.execute(db);
  return rows;
}

async function believed({ db }: Database, notes: Notes): Promise<string[]> {
  const { rows } = await sql<{ what: string }>`
    select format('notice %s about %s was kept', id, gateway_id) as what from webhooks
      where gateway_id = any(${[...notes.forged]}::text[])
    union all
    select format('attempt %s was taken for %s', reference, gateway_id) from attempts
      where gateway_id = any(${[...notes.forged]}::text[])
  `.execute(db);
  return rows.map(({ what }) => what);
}
