/** Every workflow that a worker runs. */
export { audit } from './maintenance/audit.js';
export { refund } from './refund/refund.js';
export { paymentNews } from './maintenance/payment-news.js';
export { sweep } from './maintenance/sweep.js';
