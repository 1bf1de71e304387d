/** Types that describe a query of the gateway: when it began, and how an unreadable answer is recorded. */
import type { UnreadPayment } from '../../domain/refund/next-step.js';

/** The submission that a query was about and the time at which it began. A query proves nothing about later submissions. */
export interface QueryStart {
  /** Number of the attempt's latest submission when the query began. */
  readonly send: number;
  /** Time at which the query began, by the database's clock. */
  readonly at: Date;
}

export interface UnreadablePayment {
  readonly for: UnreadPayment['for'];
  /** The gateway's answer, as shown to the operator. */
  readonly answer: string;
  /** True if another query would get the same answer; then a case is opened at once. */
  readonly isLasting: boolean;
}
