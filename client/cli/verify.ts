/** `verify`: checks the whole ledger now, slice by slice, and stores the report. */
import Table from 'cli-table3';
import { auditLedger } from '../../ledger/maintenance/audit.js';
import { storeFindings } from '../../ledger/maintenance/audit-progress.js';
import { storeAudit } from '../../ledger/maintenance/audits.js';
import { entitiesWithoutV3, type WithoutV3 } from '../../ledger/access/reporting.js';
import { auditOf, type Audit } from '../audit-view.js';
import { EXIT, type ExitCode } from './exit.js';
import { run } from './session.js';

/** What takes longer is reported as not checked. */
const LIMITS = { statementTimeout: 120_000, examples: 50 };
/** Milliseconds between two lines of progress. */
const PROGRESS_EVERY = 2_000;

export function verify({ json }: { readonly json?: true | undefined }): Promise<ExitCode> {
  return run(json === true, async ({ database, print }) => {
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
    print({ ...audit, withoutV3 }, () => [auditText(audit), ...withoutV3.map(reportingText)].join('\n'));
    return audit.ok ? EXIT.done : EXIT.failed;
  });
}

const reportingText = ({ entityId, code, since }: WithoutV3): string =>
  `entity ${entityId} has no v3 reporting (${code}, since ${since.toISOString()}): refunds work; credits and proofs of absence need a person`;

function auditText({ invariants, ok, complete, violations, durationMs, payments }: Audit): string {
  const table = new Table({
    head: ['', 'must hold', 'violations'],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [null, 72, null],
  });
  for (const { invariant, text, checked, violations: found } of invariants)
    table.push([invariant, text, checked ? String(found) : `${found}, not checked in time`]);
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
  return [table.toString(), ...examples, end].join('\n');
}
