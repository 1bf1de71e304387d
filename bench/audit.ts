/** Measures the audit's time for each refund and its memory, on a ledger of some size and on one ten times as large. */
import { setInterval } from 'node:timers';
import { parseArgs } from 'node:util';
import { auditLedger } from '../ledger/maintenance/audit.js';
import { openDatabase } from '../ledger/db/database.js';
import { migrate } from '../ledger/db/migrate.js';
import { startPostgres } from '../sandbox/servers/postgres.js';
import { fill } from './fill.js';

const USAGE = `usage: npm run bench -- audit [--refunds N]

  --refunds  refunds in the larger ledger; default 300000. The smaller one has a tenth of them
`;
const LIMITS = { statementTimeout: 120_000, examples: 5 };
const MIB = 1024 * 1024;
const SAMPLE_MS = 20;

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { refunds: { type: 'string', default: '300000' }, help: { type: 'boolean', default: false } },
  });
  const refunds = Number(values.refunds);
  if (values.help || !(refunds >= 10)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const postgres = await startPostgres({ fsync: false });
  try {
    await migrate(postgres.url);
    const database = openDatabase(postgres.url, { connections: 2 });
    try {
      let filled = 0;
      let reference: number | undefined;
      for (const count of [Math.ceil(refunds / 10), refunds]) {
        await fill(database, {
          first: filled + 1,
          count: count - filled,
          onProgress: (done) => process.stderr.write(`  ${filled + done} refunds\n`),
        });
        filled = count;
        const { ms, mib, ok } = await audited(() => auditLedger(database.db, LIMITS));
        if (!ok) throw new Error('the audit of the copied refunds found violations or did not finish');
        const each = ms / count;
        reference ??= each;
        process.stdout.write(
          `${count} refunds: ${(ms / 1_000).toFixed(1)} s, ${(each * 1_000).toFixed(0)} µs each (${(each / reference).toFixed(2)} times the smaller ledger), at most ${mib.toFixed(0)} MiB of additional memory\n`,
        );
      }
    } finally {
      await database.close();
    }
  } finally {
    await postgres.stop();
  }
  return 0;
}

async function audited(
  audit: () => Promise<{ readonly violations: number; readonly complete: boolean }>,
): Promise<{ ms: number; mib: number; ok: boolean }> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, SAMPLE_MS);
  const startedAt = performance.now();
  try {
    const { violations, complete } = await audit();
    return {
      ms: performance.now() - startedAt,
      mib: (most - before) / MIB,
      ok: complete && violations === 0,
    };
  } finally {
    clearInterval(timer);
  }
}
