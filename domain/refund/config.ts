/** Config of a refund workflow: timings and policy, with their defaults. */

/** All durations in milliseconds. A history replays with the values it was started with. */
export interface Timings {
  /** From opening an attempt to the last moment at which a byte of it may leave. */
  readonly sendWindow: number;
  /** Longest wait for the answer to a write after it has left. The vendor's own SDKs wait 60 to 100 s. */
  readonly answerWithin: number;
  /** The first query of an open attempt is made this long after its answer was lost or pending. */
  readonly queryFirst: number;
  /** Each further query waits this many times longer, … */
  readonly queryGrowth: number;
  /** … but never longer than this. */
  readonly queryMax: number;
  /** How long a fresh transaction may stay invisible to queries. Not-found answers before it has passed prove nothing. */
  readonly visibilityLag: number;
  /** Not-found count that proves absence. Answers count after the lag and at least `notFoundSpacing` apart. */
  readonly notFoundNeeded: number;
  readonly notFoundSpacing: number;
  /** An attempt without a final answer for this long becomes a case. Queries continue, and notifications still count. */
  readonly caseAfterUnknown: number;
  readonly caseAfterPending: number;
  /** First wait before a refund is sent again after a soft decline; doubled each time. */
  readonly retryFirst: number;
  readonly retryMax: number;
  /** Wait before the one repetition that an issuer's decline gets. */
  readonly issuerRetryAfter: number;
  /** Wait before a request that never left is tried again; doubled each time up to `retryMax`. */
  readonly resendFirst: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const DEFAULT_TIMINGS: Timings = {
  sendWindow: 30 * SECOND,
  answerWithin: 100 * SECOND,
  queryFirst: 10 * SECOND,
  queryGrowth: 2,
  queryMax: HOUR,
  visibilityLag: 15 * MINUTE,
  notFoundNeeded: 3,
  notFoundSpacing: 5 * MINUTE,
  caseAfterUnknown: DAY,
  caseAfterPending: 14 * DAY,
  retryFirst: 10 * MINUTE,
  retryMax: DAY,
  issuerRetryAfter: DAY,
  resendFirst: 5 * SECOND,
};

/** Lower bounds of scaled timings that limit real I/O, so that a loaded machine can still send. */
const FLOORS: Partial<Record<keyof Timings, number>> = {
  sendWindow: 2 * SECOND,
  answerWithin: 5 * SECOND,
  queryFirst: 50,
  resendFirst: 50,
  retryFirst: 50,
};

/** Applies `REFUNDS_TIME_SCALE`: 0.001 turns a minute into 60 ms. Counts and growth factors do not change. */
export function scaleTimings(timings: Timings, scale: number): Timings {
  const scaled = (key: keyof Timings): number => Math.max(FLOORS[key] ?? 0, Math.round(timings[key] * scale));
  return {
    sendWindow: scaled('sendWindow'),
    answerWithin: scaled('answerWithin'),
    queryFirst: scaled('queryFirst'),
    queryGrowth: timings.queryGrowth,
    queryMax: scaled('queryMax'),
    visibilityLag: scaled('visibilityLag'),
    notFoundNeeded: timings.notFoundNeeded,
    notFoundSpacing: scaled('notFoundSpacing'),
    caseAfterUnknown: scaled('caseAfterUnknown'),
    caseAfterPending: scaled('caseAfterPending'),
    retryFirst: scaled('retryFirst'),
    retryMax: scaled('retryMax'),
    issuerRetryAfter: scaled('issuerRetryAfter'),
    resendFirst: scaled('resendFirst'),
  };
}

/**
 * Permissions that the merchant gives the program. `approval`: only after an approver approved it. To add a policy, add it here and to
 * `DEFAULT_POLICY`, and to `policyShape` in `settings/policy.ts`: the compiler names what is missing.
 */
export interface Policy {
  /** True if the acquirer offers credits on this entity. Otherwise every fallback goes to an operator. */
  readonly creditEnabled: boolean;
  /** Whether the acquirer can reverse a part of an authorization. */
  readonly partialReversal: boolean;
  /** Credits above this need an approver: currency → amount in minor units, as a string. A currency not listed always does. */
  readonly creditApprovalAbove: Readonly<Record<string, string>>;
  /**
   * Limits of sums of credits without an approval: currency → minor units, as a string. A currency that is not listed has the limit of a
   * single credit, or none for the entity's sum. The payment's sum is over all time, the others over a sliding window.
   */
  readonly creditLimitPerPayment?: Readonly<Record<string, string>>;
  readonly creditLimitPerDestination?: Readonly<Record<string, string>>;
  readonly creditLimitPerRequester?: Readonly<Record<string, string>>;
  readonly creditLimitPerEntity?: Readonly<Record<string, string>>;
  /** Length of the sliding window in hours. Default: 24. */
  readonly creditLimitWindowHours?: number;
  /** Signed corrections up to this need no approver: currency → minor units, as a string. A currency not listed always does. */
  readonly correctionAloneUpTo?: Readonly<Record<string, string>>;
  /** After declines that leave a doubt whether the customer was repaid elsewhere: whether a credit may follow. */
  readonly creditAfterIssuerDecline: 'approval' | 'operator';
  readonly creditWhenNeverSettled: 'approval' | 'operator';
  readonly creditWhenPartialNotSupported: 'approval' | 'operator';
  readonly creditWhenRefundNotEnabled: 'approval' | 'operator';
  /**
   * Way of a credit to a sealed card. `direct`: the card is part of the credit's request. `register`: the card becomes a registration at the
   * gateway first, its keys are destroyed, and the credit goes to the registration. Absent: `direct`.
   */
  readonly cards?: 'direct' | 'register';
  /** How often a softly declined refund is submitted again before a case is opened. */
  readonly softRetries: number;
  /** How many attempts one refund may make in all; a loop between two declines ends here. */
  readonly maxAttempts: number;
  /** How often one attempt may be submitted if it was absent each time. An outage that lasts longer opens a case. */
  readonly maxSubmissions: number;
}

export const DEFAULT_POLICY: Policy = {
  creditEnabled: true,
  partialReversal: false,
  creditApprovalAbove: {},
  creditAfterIssuerDecline: 'approval',
  creditWhenNeverSettled: 'approval',
  creditWhenPartialNotSupported: 'approval',
  creditWhenRefundNotEnabled: 'operator',
  softRetries: 6,
  maxAttempts: 20,
  maxSubmissions: 30,
};

export interface RefundConfig {
  readonly timings: Timings;
  readonly policy: Policy;
}

/** Settings for the start of a refund workflow. Both follow from the entity of the payment. */
export interface StartSettings {
  readonly configFor: (entityId: string) => RefundConfig;
  /** The task queue of queries. */
  readonly queryTaskQueue: string;
}
