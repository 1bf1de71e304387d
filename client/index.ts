/** What a program that asks for refunds imports. */
export type { RefundOrder } from '../activities/accept.js';
export type { InputProblem, RefundRequestInput } from '../domain/request.js';
export type { RefundState, RefundStatus } from '../domain/states.js';
export { RefundsError, type RefundsErrorCode } from './errors.js';
export { openRefundsClient, type OpenRefundsClient } from './open.js';
export {
  createRefundsClient,
  type ApprovalWord,
  type ListFilter,
  type RefundsClient,
  type RefundsClientOptions,
  type Word,
} from './refunds-client.js';
export type { Approval, Attempt, Refund } from './view.js';
