/** A dispatcher in its own process, with a short lease, for tests that kill it. */
import { openDatabase } from '../../ledger/db/database.js';
import { createLedger } from '../../ledger/postgres.js';
import { createLog } from '../../settings/log.js';
import { readSettings } from '../../settings/read.js';
import { startDispatcher } from '../../worker/events/dispatcher.js';
import { deliveryTimingsAt } from '../../worker/events/retries.js';

const { databaseUrl, events } = readSettings(process.env);
if (events === undefined) throw new Error('REFUNDS_EVENTS_URL is not set');
const database = openDatabase(databaseUrl);
startDispatcher({
  database,
  ledger: createLedger(database),
  events,
  timings: { ...deliveryTimingsAt(0.001), lease: 3_000 },
  log: createLog({ role: 'worker', to: { write: () => undefined } }),
});
