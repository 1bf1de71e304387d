/** What a query of the gateway was about, and what came of one that showed nothing readable. */
import type { UnreadPayment } from '../../domain/refund/next-step.js';

/** What a query of the gateway was asked about. It says nothing of what came after. */
export interface Asked {
  /** The attempt's latest submission when the query began. */
  readonly send: number;
  /** When the query began, by the database's clock. */
  readonly at: Date;
}

export interface Unreadable {
  readonly for: UnreadPayment['for'];
  /** What the gateway answered, as the operator is shown it. */
  readonly answer: string;
  /** Asking again will not change it: a case is opened at once. */
  readonly isLasting: boolean;
}
