/** The audit: every check on one read-only snapshot, each within its time, and what came of it as a report. */
import { sql, type Kysely } from 'kysely';
import { CHECKS, INVARIANTS, type Check, type Invariant } from './audit-checks.js';
import type { Tables, Tx } from './database.js';
import { NOW } from './expressions.js';

export interface AuditLimits {
  /** Milliseconds that one question to the database may take. What takes longer is reported as not checked. */
  readonly statementTimeout: number;
  /** Sentences kept for each question; the number of violations is always exact. */
  readonly examples: number;
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
  /** Every question was answered. */
  readonly complete: boolean;
  readonly violations: number;
  readonly invariants: readonly InvariantReport[];
}

interface Answer {
  readonly invariant: Invariant;
  readonly checked: boolean;
  readonly violations: number;
  readonly examples: readonly string[];
}

/** Changes nothing. Throws only where the database cannot be asked at all. */
export async function auditLedger(db: Kysely<Tables>, limits: AuditLimits): Promise<AuditReport> {
  const startedAt = performance.now();
  const { at, answers } = await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      await sql`select set_config('statement_timeout', ${String(limits.statementTimeout)}, true)`.execute(tx);
      const found: Answer[] = [];
      for (const check of CHECKS) found.push(await ask(tx, check, limits.examples));
      const now = await tx.selectNoFrom(NOW.as('at')).executeTakeFirstOrThrow();
      return { at: now.at, answers: found };
    });
  const invariants = Object.entries(INVARIANTS).map(([invariant, text]): InvariantReport => {
    const own = answers.filter((answer) => answer.invariant === invariant);
    return {
      invariant: own[0]?.invariant ?? 'I1',
      text,
      checked: own.every(({ checked }) => checked),
      violations: own.reduce((sum, { violations }) => sum + violations, 0),
      examples: own.flatMap(({ examples }) => examples),
    };
  });
  return {
    at,
    durationMs: Math.round(performance.now() - startedAt),
    complete: invariants.every(({ checked }) => checked),
    violations: invariants.reduce((sum, { violations }) => sum + violations, 0),
    invariants,
  };
}

/** The class of PostgreSQL for "cancelled", which is how a statement that takes too long ends. */
const TOO_LONG = '57014';

async function ask(tx: Tx, { invariant, wrong }: Check, examples: number): Promise<Answer> {
  // A statement that is cut off would take the snapshot with it.
  await sql`savepoint question`.execute(tx);
  try {
    const { rows } = await sql<{ what: string; total: string }>`
      select what, count(*) over ()::text as total from (${wrong}) as wrong order by what limit ${examples}`.execute(
      tx,
    );
    await sql`release savepoint question`.execute(tx);
    const violations = Number(rows[0]?.total ?? 0);
    return { invariant, checked: true, violations, examples: rows.map(({ what }) => what) };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === TOO_LONG)) throw error;
    await sql`rollback to savepoint question`.execute(tx);
    return { invariant, checked: false, violations: 0, examples: [] };
  }
}
