/** What the client throws: one closed set of codes, each with what happened and what to do next. */
import { LINK_MISMATCHES } from '../domain/refund/link.js';
import type { InputProblem } from '../domain/refund/request.js';
import type { LedgerErrorCode } from '../ledger/ledger.js';
import type {
  LinkRefusal,
  DecisionRefusal,
  ReplayRefusal as LedgerReplayRefusal,
  WithdrawRefusal,
} from '../ledger/core/commands.js';

/** What a person wanted and did not get. Nothing was changed. */
export type Refusal = WithdrawRefusal | DecisionRefusal | LinkRefusal | ReplayRefusal;

/** The run that is under way is not the one that was shown: it is not ended unseen. */
export type ReplayRefusal = 'run_changed' | LedgerReplayRefusal;

export type RefundsErrorCode =
  /** The request is wrong in each of the ways in `problems`; nothing was stored. */
  | 'invalid_request'
  /** The payment could not be read at the gateway now; nothing was stored. */
  | 'gateway_unavailable'
  /** The gateway shows the payment in a form that cannot be read; asking again does not change that. Nothing was stored. */
  | 'payment_unreadable'
  /** Temporal could not be reached. The refund, `details.refundId`, is stored and goes on when asked for again or resumed. */
  | 'temporal_unavailable'
  /** Nobody answered in time. Whether it takes effect is open; saying the same again is safe. */
  | 'no_answer'
  | 'refund_not_found'
  /** An approval or rejection without the instruction that it is about; `details.instruction` is the one that waits. */
  | 'instruction_missing'
  | Refusal
  | Exclude<LedgerErrorCode, 'refund_unknown'>;

export class RefundsError extends Error {
  override readonly name = 'RefundsError';
  readonly code: RefundsErrorCode;
  /** Nothing secret: it is shown to callers. */
  readonly details: Readonly<Record<string, string>>;
  /** Every wrong field, where the request is wrong. */
  readonly problems: readonly InputProblem[];
  /** Milliseconds until the same may work, where that is known. */
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

/** `waiting`: what an approval would be about now. */
export function instructionMissing(refundId: string, waiting: string | undefined): RefundsError {
  return waiting === undefined
    ? refusal(refundId, 'not_awaiting_approval')
    : new RefundsError(
        'instruction_missing',
        `refund ${refundId}: name the instruction that is decided about. Look at it; ${waiting} waits`,
        { details: { instruction: waiting } },
      );
}

/** Why not, and what to do next; one text for the command line, HTTP and the console. */
export const REFUSALS: Readonly<Record<Refusal, string>> = {
  may_have_left: 'money has left for it or may have. Wait for its outcome',
  final: 'it has ended already',
  not_awaiting_approval: 'it does not wait for an approval of this instruction. Look at it again',
  instruction_changed: 'what was to be approved has changed since it was shown. Look at it again',
  own_request: 'whoever asked for it cannot decide about it. A second person has to',
  own_proposal: 'whoever proposed it or named the destination cannot confirm it. A second person has to',
  already_decided: 'somebody else has decided it already',
  proposal_open: 'a correction of it waits for a second person. Approve or reject that first',
  no_proposal: 'nothing is proposed with this instruction. Look at it again',
  overtaken: 'it has gone on since by other evidence. Look at it again',
  nothing_to_correct: 'there is no attempt whose outcome this could correct. Look at it again',
  too_early: 'its request may still be on its way, or not be visible yet. Try again in some minutes',
  gateway_contradicts: 'the gateway shows the attempt alive: it has paid or may yet. Wait for its outcome',
  gateway_unavailable: 'the gateway cannot be asked now. Nothing was changed; try again later',
  gateway_unreadable:
    'the gateway answers in a form that cannot be read, and asking again does not change that. Nothing was changed; see its transactions in the portal',
  no_case: 'no case is open that a person would have to close',
  not_final: 'it is not over: its cases close with its outcome',
  belongs_to_another: 'the transaction is on record as another attempt',
  attempt_is_over: 'the attempt is over, and this says nothing new about it',
  not_in_review: 'it does not wait for a person, so its destination stays',
  same_destination: 'that is the destination it has already',
  nothing_sent: 'nothing was sent for it yet',
  not_at_gateway: 'the gateway does not show this transaction under the entity of the payment',
  ...LINK_MISMATCHES,
  case_not_replayable:
    'a case is open after which the customer may have the money already, or money has left. Settle that case first',
  run_changed: 'another run is under way than the one that was shown. Look at it again',
};

export function refusal(refundId: string, why: Refusal, by?: string): RefundsError {
  const who = by === undefined ? '' : ` (${by})`;
  return new RefundsError(
    why,
    `refund ${refundId}: ${REFUSALS[why]}${who}`,
    by === undefined ? {} : { details: { by } },
  );
}
