/** The client library: import this in a program that requests refunds. */
export type { RefundOrder } from '../activities/refund/accept.js';
export type { CreditRequestInput, InputProblem, RefundRequestInput } from '../domain/refund/request.js';
export type { RefundState, RefundStatus } from '../domain/refund/states.js';
export { RefundsError, type RefundsErrorCode } from './errors.js';
export { openRefundsClient, type OpenRefundsClient } from './open.js';
export {
  createRefundsClient,
  type ListFilter,
  type RefundsClient,
  type RefundsClientOptions,
} from './refunds-client.js';
export type { OperatorNote } from '../domain/refund/operator-note.js';
export type { Action } from './operator-actions.js';
export type { LinkNote, ApprovalNote, CorrectNote, ChangeDestinationNote } from './operator-commands.js';
export type { ReplayReport } from './replay.js';
export type { Approval, Attempt, Proposal, Refund } from './view.js';
