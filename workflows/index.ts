/** Every workflow that a worker runs. */
export { refund } from './refund.js';
export { paymentNews } from './payment-news.js';
