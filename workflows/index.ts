/** Every workflow that a worker runs. */
export { audit } from './maintenance/audit.js';
export { refund } from './refund/refund.js';
export { paymentUpdates } from './maintenance/payment-updates.js';
export { sweep } from './maintenance/sweep.js';
