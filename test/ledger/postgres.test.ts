/** The ledger on PostgreSQL fulfills the contract. */
import { describeLedger } from './contract.js';
import { postgresLedger } from './postgres.js';

const postgres = await postgresLedger();

describeLedger('the ledger on PostgreSQL', async () => {
  await postgres.empty();
  return postgres;
});
