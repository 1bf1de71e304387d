/** Deliberate defects. The simulation has to catch each of them with some seed. */
import type { Mutant } from '../harness/harness.js';
import { CARD_MUTANTS } from './cards.js';
import { CLIENT_MUTANTS } from './client.js';
import { CREDIT_MUTANTS } from './credit.js';
import { DISPUTE_MUTANTS } from './disputes.js';
import { LEDGER_MUTANTS } from './ledger.js';
import { SEND_MUTANTS } from './send.js';
import { SETTLED_MUTANTS } from './settled.js';

export const MUTANTS: readonly Mutant[] = [
  ...SEND_MUTANTS,
  ...LEDGER_MUTANTS,
  ...CREDIT_MUTANTS,
  ...DISPUTE_MUTANTS,
  ...SETTLED_MUTANTS,
  ...CLIENT_MUTANTS,
  ...CARD_MUTANTS,
];
