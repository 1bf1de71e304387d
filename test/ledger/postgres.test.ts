/** The ledger on PostgreSQL keeps the contract of every ledger. */
import { describeLedger } from './contract.js';
import { postgresLedger } from './postgres.js';

const postgres = await postgresLedger();

describeLedger('the ledger on PostgreSQL', async () => {
  await postgres.aDayLater();
  return postgres;
});
