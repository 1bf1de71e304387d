/** The audit: runs every check on a slice of payments, each within its time limit, and reports the result. */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { CHECKS } from './audit-checks.js';
import { INVARIANT_NAMES, INVARIANTS, type Check, type Invariant } from './invariants.js';
import type { Tables, Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';

export interface AuditLimits {
  /** Milliseconds that one check may take. A check that takes longer is reported as not checked. */
  readonly statementTimeout: number;
  /** Sentences kept for each invariant; the number of violations is always exact. */
  readonly examples: number;
  /** Payments that one check reads; default 500. Bounds the memory of the database server and of this process. */
  readonly slice?: number;
}

export interface InvariantReport {
  readonly invariant: Invariant;
  /** The invariant, as a sentence. */
  readonly text: string;
  /** False if a check took too long: then `violations` is what was found until then. */
  readonly checked: boolean;
  readonly violations: number;
  /** One sentence for each violation, at most as many as requested. They contain only ids and amounts in minor units. */
  readonly examples: readonly string[];
}

export interface AuditReport {
  readonly at: Date;
  readonly durationMs: number;
  /** Number of payments that this audit read. */
  readonly payments: number;
  /** Time since which every payment was read; null while the first round is running. */
  readonly completeSince: Date | null;
  /** True if every check finished. */
  readonly complete: boolean;
  readonly violations: number;
  readonly invariants: readonly InvariantReport[];
}

/** Violations of one invariant on one payment. An empty `paymentId` means the schema. */
export interface ReconciliationResult {
  readonly paymentId: string;
  readonly invariant: Invariant;
  readonly violations: number;
  readonly examples: readonly string[];
}

/** Result of the checks of a slice of payments, or of the schema. */
export interface Audited {
  readonly paymentIds: readonly string[];
  readonly findings: readonly ReconciliationResult[];
  /** Invariants with a check that took too long. */
  readonly unchecked: readonly Invariant[];
}

const SLICE = 500;
/** Sentences stored for one invariant of one payment. */
const SENTENCES = 5;

/**
 * Audits the whole ledger, slice by slice, each on its own snapshot, and changes nothing. `onSlice` is called after each slice, the
 * schema first. Throws only if the database cannot be queried at all.
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
  return tally.report({ at, durationMs: Math.round(performance.now() - startedAt), completeSince: at });
}

/** Returns the next payment ids, in ascending order. */
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

/** Checks these payments with their refunds, attempts, events and commands, on one snapshot. Reads only their rows. */
export function auditPayments(
  db: Kysely<Tables>,
  paymentIds: readonly string[],
  limits: AuditLimits,
): Promise<Audited> {
  const these = sql`= any(${paymentIds}::text[])`;
  // In the checks, the names of the tables mean only the rows of these payments.
  const tables = {
    payments: sql`payments as (select * from payments where id ${these})`,
    refunds: sql`refunds as (select * from refunds where payment_id ${these})`,
    attempts: sql`attempts as (select * from attempts where payment_id ${these})`,
    events: sql`events as (select * from events where payment_id ${these})`,
    command_results: sql`command_results as (select command_results.* from command_results
      join refunds on refunds.id = command_results.refund_id where refunds.payment_id ${these})`,
  };
  /** PostgreSQL locks every table that a statement names, even if it reads no row. So only tables that the check names are included. */
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
  const findings: ReconciliationResult[] = [];
  const unchecked: Invariant[] = [];
  for (const check of checks) {
    const found = await ask(tx, check, scopeOf(check));
    if (found === undefined) unchecked.push(check.invariant);
    else findings.push(...found);
  }
  return { findings, unchecked };
}

/** SQLSTATE of a canceled statement, for example after the statement timeout. */
const TOO_LONG = '57014';

/** Runs one check. Undefined if it takes too long. */
async function ask(
  tx: Tx,
  { invariant, wrong }: Check,
  scope: RawBuilder<unknown>,
): Promise<ReconciliationResult[] | undefined> {
  // Without a savepoint, a canceled statement would end the snapshot.
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

/** Sums violations by invariant, and keeps as many sentences as the report may have. */
export class Tally {
  readonly #most: number;
  readonly #violations = new Map<Invariant, number>();
  readonly #examples = new Map<Invariant, string[]>();
  readonly #unchecked = new Set<Invariant>();
  #payments = 0;

  /** `most`: maximum number of sentences for each invariant. */
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

  report(about: Pick<AuditReport, 'at' | 'durationMs' | 'completeSince'>): AuditReport {
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
