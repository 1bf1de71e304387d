/** The errors of the client: a closed set of codes, each with a message that says what happened and what to do next. */
import { LINK_MISMATCHES } from '../domain/refund/link.js';
import type { InputProblem } from '../domain/refund/request.js';
import type { LedgerErrorCode } from '../ledger/ledger.js';
import type {
  LinkRefusal,
  DecisionRefusal,
  ReplayRefusal as LedgerReplayRefusal,
  WithdrawRefusal,
} from '../ledger/core/commands.js';

/** Why a command of an operator was refused. Nothing was changed. */
export type Refusal = WithdrawRefusal | DecisionRefusal | LinkRefusal | ReplayRefusal;

/** `run_changed`: another run is alive than the one that the operator saw, so it is not terminated. */
export type ReplayRefusal = 'run_changed' | LedgerReplayRefusal;

export type RefundsErrorCode =
  /** The request is invalid; `problems` has every wrong field. Nothing was stored. */
  | 'invalid_request'
  /** The gateway could not be queried for the payment now. Nothing was stored. */
  | 'gateway_unavailable'
  /** The gateway's answer about the payment cannot be read; a retry does not change that. Nothing was stored. */
  | 'payment_unreadable'
  /** Temporal could not be reached. The refund, `details.refundId`, is stored; the sweep, a repeated request or `resume` starts it. */
  | 'temporal_unavailable'
  /** The worker did not answer in time. The command may still take effect; repeating it is safe. */
  | 'no_answer'
  | 'refund_not_found'
  /** An approval or rejection without its instruction; `details.instruction` is the one that waits. */
  | 'instruction_missing'
  /** A refund with the card is not final. */
  | 'card_in_use'
  /** The keys that seal cards cannot be reached now. Nothing was stored. */
  | 'key_provider_unavailable'
  | Refusal
  | Exclude<LedgerErrorCode, 'refund_unknown'>;

export class RefundsError extends Error {
  override readonly name = 'RefundsError';
  readonly code: RefundsErrorCode;
  /** Shown to clients, so without secrets. */
  readonly details: Readonly<Record<string, string>>;
  /** Every wrong field of an invalid request; otherwise empty. */
  readonly problems: readonly InputProblem[];
  /** Milliseconds until a retry may succeed, where that is known. */
  readonly retryAfter: number | undefined;

  constructor(
    code: RefundsErrorCode,
    message: string,
    more: {
      readonly details?: Readonly<Record<string, string>>;
      readonly problems?: readonly InputProblem[];
      readonly retryAfter?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.code = code;
    this.details = more.details ?? {};
    this.problems = more.problems ?? [];
    this.retryAfter = more.retryAfter;
  }
}

export const notFound = (refundId: string): RefundsError =>
  new RefundsError('refund_not_found', `there is no refund ${refundId}`);

export function invalid(problems: readonly InputProblem[]): RefundsError {
  return new RefundsError(
    'invalid_request',
    problems.map((one) => `${one.field}: ${one.message}`).join('; '),
    {
      problems,
    },
  );
}

/** `waiting`: the instruction that waits for an approval now. */
export function instructionMissing(refundId: string, waiting: string | undefined): RefundsError {
  return waiting === undefined
    ? refusal(refundId, 'not_awaiting_approval')
    : new RefundsError(
        'instruction_missing',
        `refund ${refundId}: the instruction is missing. Look at ${waiting}, which waits, and name it`,
        { details: { instruction: waiting } },
      );
}

/** Each refusal's reason and next step. The command line, the HTTP API and the console show the same texts. */
export const REFUSALS: Readonly<Record<Refusal, string>> = {
  may_have_left: 'money has left for it, or may have. Wait for its outcome',
  final: 'it has ended already',
  not_awaiting_approval: 'it does not wait for an approval of this instruction. Read it again',
  instruction_changed: 'the credit or correction to approve has changed since it was shown. Read it again',
  requester_cannot_decide: 'its requester cannot decide about it. Another operator has to',
  proposer_cannot_approve:
    'the operator who proposed it or changed the destination cannot confirm it. Another operator has to',
  already_decided: 'another operator has decided it already',
  proposal_open: 'a correction of it waits for another operator. Approve or reject that first',
  no_proposal: 'no correction is proposed with this instruction. Read it again',
  superseded: 'other evidence has changed it since. Read it again',
  nothing_to_correct: 'it has no attempt whose outcome this could correct. Read it again',
  too_early:
    'its request may still be in transit, or not yet be visible at the gateway. Try again in some minutes',
  gateway_contradicts: 'the gateway shows the attempt: it has paid or may yet pay. Wait for its outcome',
  gateway_unavailable: 'the gateway cannot be queried now. Nothing was changed; try again later',
  gateway_unreadable:
    "the gateway's answer cannot be read, and a retry does not change that. Nothing was changed; see the transactions in the gateway's portal",
  no_case: 'no case is open that an operator would have to close',
  not_final: 'it is not final: its cases close with its outcome',
  linked_elsewhere: 'the transaction is recorded for another attempt',
  attempt_final: 'the attempt is final, and this adds nothing new',
  not_in_review: 'it is not in review, so its destination stays',
  same_destination: 'it has this destination already',
  card_unknown: 'there is no card with this cardRef. Seal the card first',
  card_destroyed: 'the keys of this card are destroyed. Seal the card again',
  nothing_submitted: 'nothing was submitted for it yet',
  not_at_gateway: 'the gateway does not show this transaction under the entity of the payment',
  ...LINK_MISMATCHES,
  case_not_replayable:
    'an open case says that the customer may have the money already. Close that case first',
  run_changed: 'another run is alive than the one that was shown. Read it again',
};

export function refusal(refundId: string, why: Refusal, by?: string): RefundsError {
  const who = by === undefined ? '' : ` (${by})`;
  return new RefundsError(
    why,
    `refund ${refundId}: ${REFUSALS[why]}${who}`,
    by === undefined ? {} : { details: { by } },
  );
}
