/** Every workflow that a worker runs. */
export { audit } from './audit.js';
export { refund } from './refund.js';
export { paymentNews } from './payment-news.js';
export { sweep } from './sweep.js';
