/** `verify`: asks the invariants of the ledger now, and keeps the report. */
import Table from 'cli-table3';
import { auditLedger } from '../../ledger/audit.js';
import { storeAudit } from '../../ledger/audits.js';
import { auditOf, type Audit } from '../audit-view.js';
import { EXIT, type ExitCode } from './exit.js';
import { run } from './session.js';

/** A person waits for it; what takes longer is reported as not checked. */
const LIMITS = { statementTimeout: 120_000, examples: 50 };

export function verify({ json }: { readonly json?: true | undefined }): Promise<ExitCode> {
  return run(json === true, async ({ database, print }) => {
    const audit = auditOf(await storeAudit(database, await auditLedger(database.db, LIMITS)));
    print(audit, () => auditText(audit));
    return audit.ok ? EXIT.done : EXIT.failed;
  });
}

function auditText({ invariants, ok, complete, violations, durationMs }: Audit): string {
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
    ? `the ledger holds (${durationMs} ms)`
    : [
        ...(violations > 0
          ? [`${violations} violations: move nothing by hand before each is explained`]
          : []),
        ...(complete ? [] : ['not everything could be checked in time']),
      ].join('; ');
  return [table.toString(), ...examples, end].join('\n');
}
