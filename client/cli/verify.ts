/** The command `verify`: checks the whole ledger, slice by slice, and stores the report. */
import { auditLedger } from '../../ledger/maintenance/audit.js';
import { storeFindings } from '../../ledger/maintenance/audit-progress.js';
import { storeAudit } from '../../ledger/maintenance/audits.js';
import { entitiesWithoutV3, type WithoutV3 } from '../../ledger/access/reporting.js';
import { auditOf, type Audit } from '../audit-view.js';
import { EXIT, type ExitCode } from './exit.js';
import type { Screen } from './screen.js';
import { run, type OutputOptions } from './session.js';
import { table, type Column } from './table.js';
import { wrapped } from './text.js';

/** `statementTimeout` in milliseconds: a check that takes longer is reported as not checked. `examples`: violations listed of each invariant. */
const LIMITS = { statementTimeout: 120_000, examples: 50 };
/** Milliseconds between two lines of progress. */
const PROGRESS_EVERY = 2_000;

export function verify(options: OutputOptions): Promise<ExitCode> {
  return run(options, async ({ database, screen, print }) => {
    let payments = 0;
    let reportedAt = performance.now();
    const report = await auditLedger(database.db, LIMITS, async (slice) => {
      await storeFindings(database, slice);
      payments += slice.paymentIds.length;
      if (performance.now() - reportedAt < PROGRESS_EVERY) return;
      reportedAt = performance.now();
      process.stderr.write(`  ${payments} payments checked …\n`);
    });
    const audit = auditOf(await storeAudit(database, report));
    const withoutV3 = await entitiesWithoutV3(database);
    print({ ...audit, withoutV3 }, () => auditText(audit, withoutV3, screen));
    return audit.ok ? EXIT.done : EXIT.failed;
  });
}

const reportingText = ({ entityId, code, since }: WithoutV3): string =>
  `entity ${entityId} has no v3 reporting (${code}, since ${since.toISOString()}): refunds work; credits and proofs of absence need an operator`;

const INVARIANTS: readonly Column<Audit['invariants'][number]>[] = [
  { title: '', text: ({ invariant }) => invariant },
  { title: 'must hold', text: ({ text }) => text, wraps: true },
  {
    title: 'violations',
    text: ({ checked, violations }) => (checked ? String(violations) : `${violations}, not checked in time`),
    tone: ({ checked, violations }) => (violations > 0 ? 'bad' : checked ? undefined : 'warn'),
  },
];

export function auditText(audit: Audit, withoutV3: readonly WithoutV3[], screen: Screen): string {
  const { invariants, ok, complete, violations, durationMs, payments } = audit;
  const examples = invariants.flatMap(({ invariant, examples: some }) =>
    some.map((what) => `${invariant}: ${what}`),
  );
  const end = ok
    ? `the ledger holds (${payments} payments, ${durationMs} ms)`
    : [
        ...(violations > 0
          ? [`${violations} violations: move nothing by hand before each is explained`]
          : []),
        ...(complete ? [] : ['not everything could be checked in time']),
      ].join('; ');
  const lines = [...examples, end, ...withoutV3.map(reportingText)];
  const { width } = screen;
  return [
    table(INVARIANTS, invariants, screen, { header: true, hint: false }),
    ...(width === null ? lines : lines.flatMap((line) => wrapped(line, width))),
  ].join('\n');
}
