/** Every workflow that a worker runs. */
export { refund } from './refund.js';
