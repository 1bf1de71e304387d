/** All workflows that a worker runs, one folder for each process. `pay-back/` is for clients' own workflows and is not run by the worker. */
export { audit } from './maintenance/audit.js';
export { paymentUpdates } from './maintenance/payment-updates.js';
export { sweep } from './maintenance/sweep.js';
export { refund } from './refund/workflow.js';
