/** The ledger on the simulation's in-memory database fulfills the same contract, so that the simulation tests the real ledger. */
import { createLedger } from '../../ledger/postgres.js';
import { ledgerViolations } from '../simulation/checks/books.js';
import { openMemoryDatabase } from '../simulation/database/memory-database.js';
import { describeLedger } from './contract.js';

describeLedger('the ledger in memory', () => {
  let passed = 0;
  // Each reading of the clock is one millisecond later, because the ledger compares the times of facts.
  let tick = Date.now();
  const database = openMemoryDatabase(() => (tick += 1) + passed);
  const { tables } = database;
  return Promise.resolve({
    ledger: createLedger(database),
    database,
    letPass: async (ms) => {
      passed += ms;
    },
    openCases: async (refundId) =>
      tables.rows.cases
        .filter((row) => row['refund_id'] === refundId && row['closed_at'] === null)
        .map((row) => String(row['why']))
        .sort(),
    events: async (refundId) =>
      tables.rows.events.filter((row) => row['refund_id'] === refundId).map((row) => String(row['type'])),
    violations: async () => ledgerViolations(tables, 'at any moment'),
  });
});
