/** Timings and policies of simulated refunds, and the limits that a simulated gateway keeps. */
import type { RefundConfig, Policy, Timings } from '../../../domain/refund/config.js';
import type { Random } from './random.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * The same relations as the defaults, with shorter budgets and longer waits between queries: a run should not spend its steps on queries
 * that find nothing new. Three queries come too early to count; those after 26 minutes, 2 h 10 and 6 h 10 can prove absence.
 */
const PATIENT: Timings = {
  sendWindow: 30 * SECOND,
  answerWithin: 100 * SECOND,
  queryFirst: 10 * SECOND,
  queryGrowth: 5,
  queryMax: 4 * HOUR,
  visibilityLag: 15 * MINUTE,
  notFoundNeeded: 3,
  notFoundSpacing: 5 * MINUTE,
  caseAfterUnknown: 12 * HOUR,
  caseAfterPending: 16 * HOUR,
  retryFirst: 10 * MINUTE,
  retryMax: 2 * HOUR,
  issuerRetryAfter: 3 * HOUR,
  resendFirst: 5 * SECOND,
};

/** As few queries as possible: two come too early to count; those after 1 h 19 and 5 h 19 can prove absence. */
const BRISK: Timings = {
  ...PATIENT,
  queryFirst: 30 * SECOND,
  queryGrowth: 12,
  notFoundNeeded: 2,
  caseAfterUnknown: 9 * HOUR,
  caseAfterPending: 9 * HOUR,
};

/** Limits that the gateway keeps: a request that arrives is executed and visible before "not found" counts. Their sum is less than the lag. */
export const LIMITS = {
  executionDelay: 4 * MINUTE,
  visibilityLag: 10 * MINUTE,
} as const;

/** Draws a config. Most merchants allow a success without an approver; each policy switch is set in some runs. */
export function drawConfig(random: Random, fixed: Partial<Policy> = {}): RefundConfig {
  const choice = (): 'approval' | 'operator' => random.pick(['approval', 'approval', 'operator']);
  const policy: Policy = {
    creditEnabled: random.chance(0.9),
    partialReversal: random.chance(0.5),
    creditApprovalAbove: random.pick<Policy['creditApprovalAbove']>([
      {},
      { EUR: '5000' },
      { EUR: '999999', JPY: '999999' },
      { EUR: '999999' },
    ]),
    creditAfterIssuerDecline: choice(),
    creditWhenNeverSettled: choice(),
    creditWhenPartialNotSupported: choice(),
    creditWhenRefundNotEnabled: choice(),
    softRetries: random.between(1, 2),
    maxAttempts: 6,
    maxSubmissions: 3,
    ...fixed,
  };
  return { timings: random.chance(0.75) ? BRISK : PATIENT, policy };
}
