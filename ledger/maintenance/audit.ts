/** The audit: every check on a few payments at a time, each within its time, and what came of it as a report. */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { CHECKS, INVARIANT_NAMES, INVARIANTS, type Check, type Invariant } from './audit-checks.js';
import type { Tables, Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';

export interface AuditLimits {
  /** Milliseconds that one question to the database may take. What takes longer is reported as not checked. */
  readonly statementTimeout: number;
  /** Sentences kept for each invariant; the number of violations is always exact. */
  readonly examples: number;
  /** Payments that one question reads; default 500. Bounds the memory of the database server and of this process. */
  readonly slice?: number;
}

export interface InvariantReport {
  readonly invariant: Invariant;
  /** What must hold, in a sentence. */
  readonly text: string;
  /** False where a question was not answered in time: then `violations` is what was found until then. */
  readonly checked: boolean;
  readonly violations: number;
  /** One sentence for each thing that is wrong; not more than were asked for. Ids and amounts in minor units only. */
  readonly examples: readonly string[];
}

export interface AuditReport {
  readonly at: Date;
  readonly durationMs: number;
  /** Payments that this audit has read. */
  readonly payments: number;
  /** Every payment was read then or later; null while the first reading of the whole ledger goes on. */
  readonly wholeSince: Date | null;
  /** Every question was answered. */
  readonly complete: boolean;
  readonly violations: number;
  readonly invariants: readonly InvariantReport[];
}

/** What one invariant says about one payment; an empty `paymentId` is the schema. */
export interface Finding {
  readonly paymentId: string;
  readonly invariant: Invariant;
  readonly violations: number;
  readonly examples: readonly string[];
}

/** What became of the checks of some payments, or of the schema. */
export interface Audited {
  readonly paymentIds: readonly string[];
  readonly findings: readonly Finding[];
  /** Invariants of which a question was not answered in time. */
  readonly unchecked: readonly Invariant[];
}

const SLICE = 500;
/** Sentences kept for one invariant of one payment. */
const SENTENCES = 5;

/**
 * Reads the whole ledger, slice by slice, each on a snapshot of its own, and reports. Changes nothing. `onSlice` is told of each slice
 * as it is read, the schema first. Throws only where the database cannot be asked at all.
 */
export async function auditLedger(
  db: Kysely<Tables>,
  limits: AuditLimits,
  onSlice: (slice: Audited) => Promise<void> | void = () => undefined,
): Promise<AuditReport> {
  const startedAt = performance.now();
  const { at } = await db.selectNoFrom(NOW.as('at')).executeTakeFirstOrThrow();
  const tally = new Tally(limits.examples);
  const add = async (slice: Audited): Promise<void> => {
    tally.add(slice);
    await onSlice(slice);
  };
  await add(await auditSchema(db, limits));
  for (let after = ''; ;) {
    const ids = await paymentsAfter(db, after, limits.slice ?? SLICE);
    const last = ids.at(-1);
    if (last === undefined) break;
    await add(await auditPayments(db, ids, limits));
    after = last;
  }
  return tally.report({ at, durationMs: Math.round(performance.now() - startedAt), wholeSince: at });
}

/** The next payments in the order of their ids. */
export async function paymentsAfter(
  db: Kysely<Tables>,
  after: string,
  limit: number,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('payments')
    .select('id')
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** Checks that the schema still enforces what the ledger relies on. */
export const auditSchema = (db: Kysely<Tables>, limits: AuditLimits): Promise<Audited> =>
  onSnapshot(db, limits, async (tx) => ({
    paymentIds: [],
    ...(await askAll(
      tx,
      CHECKS.filter(({ isOfSchema }) => isOfSchema),
      () => sql``,
    )),
  }));

/** Checks these payments with all that belongs to them, on one snapshot. Reads their rows alone. */
export function auditPayments(
  db: Kysely<Tables>,
  paymentIds: readonly string[],
  limits: AuditLimits,
): Promise<Audited> {
  const these = sql`= any(${paymentIds}::text[])`;
  // The checks name the tables; within them these names mean the rows of these payments.
  const tables = {
    payments: sql`payments as (select * from payments where id ${these})`,
    refunds: sql`refunds as (select * from refunds where payment_id ${these})`,
    attempts: sql`attempts as (select * from attempts where payment_id ${these})`,
    events: sql`events as (select * from events where payment_id ${these})`,
    command_results: sql`command_results as (select command_results.* from command_results
      join refunds on refunds.id = command_results.refund_id where refunds.payment_id ${these})`,
  };
  /** A table that a statement names is locked for it, also where it reads nothing of it: so only those that the check reads. */
  const scopeOf = ({ wrong }: Check): RawBuilder<unknown> => {
    const text = wrong.compile(db).sql;
    const named = Object.entries(tables).filter(([name]) => new RegExp(`\\b${name}\\b`, 'u').test(text));
    return sql`with ${sql.join(named.map(([, table]) => table))}`;
  };
  return onSnapshot(db, limits, async (tx) => ({
    paymentIds,
    ...(await askAll(
      tx,
      CHECKS.filter(({ isOfSchema }) => !isOfSchema),
      scopeOf,
    )),
  }));
}

const onSnapshot = <T>(
  db: Kysely<Tables>,
  { statementTimeout }: AuditLimits,
  work: (tx: Tx) => Promise<T>,
): Promise<T> =>
  db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      await sql`select set_config('statement_timeout', ${String(statementTimeout)}, true)`.execute(tx);
      return work(tx);
    });

async function askAll(
  tx: Tx,
  checks: readonly Check[],
  scopeOf: (check: Check) => RawBuilder<unknown>,
): Promise<Pick<Audited, 'findings' | 'unchecked'>> {
  const findings: Finding[] = [];
  const unchecked: Invariant[] = [];
  for (const check of checks) {
    const found = await ask(tx, check, scopeOf(check));
    if (found === undefined) unchecked.push(check.invariant);
    else findings.push(...found);
  }
  return { findings, unchecked };
}

/** The class of PostgreSQL for "cancelled", which is how a statement that takes too long ends. */
const TOO_LONG = '57014';

/** Undefined where it takes too long. */
async function ask(
  tx: Tx,
  { invariant, wrong }: Check,
  scope: RawBuilder<unknown>,
): Promise<Finding[] | undefined> {
  // A statement that is cut off would take the snapshot with it.
  await sql`savepoint question`.execute(tx);
  try {
    const { rows } = await sql<{ payment: string; violations: number; examples: string[] }>`
      ${scope}
      select payment, count(*)::integer as violations, (array_agg(what order by what))[1:${sql.lit(SENTENCES)}] as examples
      from (${wrong}) as wrong group by payment order by payment`.execute(tx);
    await sql`release savepoint question`.execute(tx);
    return rows.map(({ payment, violations, examples }) => ({
      paymentId: payment,
      invariant,
      violations,
      examples,
    }));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === TOO_LONG)) throw error;
    await sql`rollback to savepoint question`.execute(tx);
    return undefined;
  }
}

/** Sums up findings; keeps as many sentences as a report may have. */
export class Tally {
  readonly #most: number;
  readonly #violations = new Map<Invariant, number>();
  readonly #examples = new Map<Invariant, string[]>();
  readonly #unchecked = new Set<Invariant>();
  #payments = 0;

  /** `most`: sentences for each invariant. */
  constructor(most: number) {
    this.#most = most;
  }

  add({ paymentIds, findings, unchecked }: Audited): void {
    this.#payments += paymentIds.length;
    for (const invariant of unchecked) this.#unchecked.add(invariant);
    for (const { invariant, violations, examples } of findings) {
      this.#violations.set(invariant, (this.#violations.get(invariant) ?? 0) + violations);
      const kept = this.#examples.get(invariant) ?? [];
      kept.push(...examples.slice(0, Math.max(0, this.#most - kept.length)));
      this.#examples.set(invariant, kept);
    }
  }

  report(about: Pick<AuditReport, 'at' | 'durationMs' | 'wholeSince'>): AuditReport {
    const invariants = INVARIANT_NAMES.map((invariant) => ({
      invariant,
      text: INVARIANTS[invariant],
      checked: !this.#unchecked.has(invariant),
      violations: this.#violations.get(invariant) ?? 0,
      examples: this.#examples.get(invariant) ?? [],
    }));
    return {
      ...about,
      payments: this.#payments,
      complete: this.#unchecked.size === 0,
      violations: invariants.reduce((sum, { violations }) => sum + violations, 0),
      invariants,
    };
  }
}
