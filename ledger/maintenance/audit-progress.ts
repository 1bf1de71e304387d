/** Audits in increments: first the payments that changed, then a part of all payments. Violations are stored for each payment. */
import { sql } from 'kysely';
import {
  auditPayments,
  auditSchema,
  paymentsAfter,
  Tally,
  type AuditLimits,
  type Audited,
  type AuditReport,
  type ReconciliationResult,
} from './audit.js';
import type { Database } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { maintenanceDb } from '../db/maintenance-tables.js';

export interface IncrementLimits extends AuditLimits {
  /** Milliseconds for one increment; the next one continues. Changed payments come first. */
  readonly within: number;
}

/** An event is numbered before its transaction commits, so lower numbers may become visible later, but not after this many milliseconds. */
const COMMITTED_AFTER = 120_000;
const SLICE = 500;

/**
 * Audits the payments that changed since the last increment, then continues the round through all payments; the next round starts when
 * one is complete. A slice bounds memory and the length of each statement. The report counts all known violations.
 */
export async function auditIncrement(
  database: Database,
  limits: IncrementLimits,
  onSlice: () => void = () => undefined,
): Promise<AuditReport> {
  const startedAt = performance.now();
  const isTimeLeft = (): boolean => performance.now() - startedAt < limits.within;
  const { db } = database;
  const { at } = await db.selectNoFrom(NOW.as('at')).executeTakeFirstOrThrow();
  const progress = await begin(database);
  let payments = 0;
  const unchecked = new Set<ReconciliationResult['invariant']>();
  const retain = async (slice: Audited): Promise<void> => {
    payments += slice.paymentIds.length;
    for (const invariant of slice.unchecked) unchecked.add(invariant);
    await storeFindings(database, slice);
    onSlice();
  };

  await retain(await auditSchema(db, limits));
  let through = progress.eventsThrough;
  let changed: Changed;
  do {
    changed = await changedAfter(database, through, limits.slice ?? SLICE);
    if (changed.paymentIds.length > 0) await retain(await auditPayments(db, changed.paymentIds, limits));
    through = changed.last;
    // Younger events are read now and again by the next increment.
    if (changed.settled > progress.eventsThrough)
      await saveProgress(database, { events_through: changed.settled });
  } while (changed.isMore && isTimeLeft());
  let after = progress.sliceAfter;
  let completeSince = progress.completeSince;
  while (isTimeLeft()) {
    const ids = await paymentsAfter(db, after, limits.slice ?? SLICE);
    const last = ids.at(-1);
    if (last === undefined) {
      completeSince = await endRound(database);
      break;
    }
    await retain(await auditPayments(db, ids, limits));
    after = last;
    await saveProgress(database, { slice_after: after });
  }

  const tally = new Tally(limits.examples);
  tally.add({
    paymentIds: [],
    findings: await standingFindings(database, limits.examples),
    unchecked: [...unchecked],
  });
  const durationMs = Math.round(performance.now() - startedAt);
  return { ...tally.report({ at, durationMs, completeSince }), payments };
}

/** Replaces the stored violations of the payments of a slice, or of the schema. */
export async function storeFindings(database: Database, { paymentIds, findings }: Audited): Promise<void> {
  const ids = paymentIds.length === 0 ? [''] : [...paymentIds];
  await maintenanceDb(database)
    .transaction()
    .execute(async (tx) => {
      await tx.deleteFrom('audit_findings').where('payment_id', 'in', ids).execute();
      for (const { paymentId, invariant, violations, examples } of joined(findings))
        await tx
          .insertInto('audit_findings')
          .values({ payment_id: paymentId, invariant, violations, examples: JSON.stringify(examples) })
          .onConflict((conflict) => conflict.columns(['payment_id', 'invariant']).doNothing())
          .execute();
    });
}

/** Joins the violations of one invariant on one payment. */
function joined(findings: readonly ReconciliationResult[]): readonly ReconciliationResult[] {
  const by = new Map<string, ReconciliationResult>();
  for (const finding of findings) {
    const key = `${finding.paymentId} ${finding.invariant}`;
    const before = by.get(key);
    by.set(
      key,
      before === undefined
        ? finding
        : {
            ...finding,
            violations: before.violations + finding.violations,
            examples: [...before.examples, ...finding.examples],
          },
    );
  }
  return [...by.values()];
}

/** Returns the stored violations of each invariant, with at most `examples` sentences. */
async function standingFindings(
  database: Database,
  examples: number,
): Promise<readonly ReconciliationResult[]> {
  const { rows } = await sql<{
    invariant: ReconciliationResult['invariant'];
    violations: string;
    examples: string[];
  }>`
    select invariant, sum(violations)::text as violations, array(
      select sentence from audit_findings of, jsonb_array_elements_text(of.examples) as sentence
      where of.invariant = found.invariant order by of.payment_id limit ${examples}) as examples
    from audit_findings found group by invariant order by invariant`.execute(database.db);
  return rows.map((row) => ({ paymentId: '', ...row, violations: Number(row.violations) }));
}

interface Changed {
  readonly paymentIds: readonly string[];
  /** The last event that was read. */
  readonly last: bigint;
  /** The last event before which no other event can become visible. */
  readonly settled: bigint;
  readonly isMore: boolean;
}

async function changedAfter({ db }: Database, after: bigint, limit: number): Promise<Changed> {
  const { rows } = await sql<{ id: bigint; payment_id: string; settled: boolean }>`
    select id, payment_id, at < now() - ${COMMITTED_AFTER} * interval '1 millisecond' as settled
    from events where id > ${after} order by id limit ${limit}`.execute(db);
  const firstUnsettled = rows.findIndex(({ settled }) => !settled);
  const settledRows = firstUnsettled === -1 ? rows : rows.slice(0, firstUnsettled);
  return {
    paymentIds: [...new Set(rows.map(({ payment_id }) => payment_id))],
    last: rows.at(-1)?.id ?? after,
    settled: settledRows.at(-1)?.id ?? 0n,
    isMore: rows.length === limit,
  };
}

interface Progress {
  readonly eventsThrough: bigint;
  readonly sliceAfter: string;
  readonly completeSince: Date | null;
}

/** Reads the progress, or starts it. The first increment reads all payments, so events before it need not be followed. */
async function begin(database: Database): Promise<Progress> {
  const db = maintenanceDb(database);
  const known = await db.selectFrom('audit_progress').selectAll().executeTakeFirst();
  if (known === undefined)
    await sql`
      insert into audit_progress (events_through)
      select coalesce(max(id), 0) from events where at < now() - ${COMMITTED_AFTER} * interval '1 millisecond'
      on conflict do nothing`.execute(db);
  const row = known ?? (await db.selectFrom('audit_progress').selectAll().executeTakeFirstOrThrow());
  return { eventsThrough: row.events_through, sliceAfter: row.slice_after, completeSince: row.whole_since };
}

async function saveProgress(
  database: Database,
  change: { readonly events_through?: bigint; readonly slice_after?: string },
): Promise<void> {
  await maintenanceDb(database).updateTable('audit_progress').set(change).execute();
}

/** Completes a round. Returns the time since which every payment was read. */
async function endRound(database: Database): Promise<Date | null> {
  const row = await maintenanceDb(database)
    .updateTable('audit_progress')
    .set((eb) => ({ whole_since: eb.ref('round_since'), round_since: NOW, slice_after: '' }))
    .returning('whole_since')
    .executeTakeFirstOrThrow();
  return row.whole_since;
}
