/** What the client throws: one closed set of codes, each with what happened and what to do next. */
import type { InputProblem } from '../domain/request.js';
import type { DecisionResult, LedgerErrorCode, WithdrawResult } from '../ledger/ledger.js';

type Refused<T> = T extends { readonly kind: 'refused'; readonly why: infer Why } ? Why : never;

export type RefundsErrorCode =
  /** The request is wrong in each of the ways in `problems`; nothing was stored. */
  | 'invalid_request'
  /** The payment could not be read at the gateway now; nothing was stored. */
  | 'gateway_unavailable'
  /** Temporal could not be reached. The refund, `details.refundId`, is stored and goes on when asked for again or resumed. */
  | 'temporal_unavailable'
  /** Nobody answered in time. Whether it takes effect is open; saying the same again is safe. */
  | 'no_answer'
  | 'refund_not_found'
  | Refused<WithdrawResult>
  | Refused<DecisionResult>
  | Exclude<LedgerErrorCode, 'refund_unknown'>;

export class RefundsError extends Error {
  override readonly name = 'RefundsError';
  readonly code: RefundsErrorCode;
  /** Nothing secret: it is shown to callers. */
  readonly details: Readonly<Record<string, string>>;
  /** Every wrong field, where the request is wrong. */
  readonly problems: readonly InputProblem[];

  constructor(
    code: RefundsErrorCode,
    message: string,
    more: {
      readonly details?: Readonly<Record<string, string>>;
      readonly problems?: readonly InputProblem[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.code = code;
    this.details = more.details ?? {};
    this.problems = more.problems ?? [];
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

/** What a person wanted and did not get. */
export function refusal(
  refundId: string,
  why: Refused<WithdrawResult> | Refused<DecisionResult>,
): RefundsError {
  const message: Readonly<Record<typeof why, string>> = {
    may_have_left: 'money has left for it or may have: it cannot be withdrawn. Wait for its outcome',
    final: 'it has ended already',
    not_awaiting_approval: 'it does not wait for an approval of this instruction. Look at it again',
    instruction_changed: 'what was to be approved has changed since it was shown. Look at it again',
    own_request: 'whoever asked for it cannot decide about it. A second person has to',
  };
  return new RefundsError(why, `refund ${refundId}: ${message[why]}`);
}
