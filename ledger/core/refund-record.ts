/** Types of refunds, attempts and payments as other modules read them. */
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import type { RefundState } from '../../domain/refund/states.js';
import type { AttemptState } from '../../domain/refund/attempt-states.js';
import type { OriginalType } from '../../domain/payment/original.js';
import type { ShownDestination } from '../../domain/refund/destination.js';
import type { Operation } from '../../domain/refund/operation.js';
import type { SettlementDetails } from '../../domain/transaction.js';
import type { CorrectionDetails } from './commands.js';

/** A payment with its balances in minor units. `refundableMinor` is the amount that a new refund may request. */
export interface PaymentRecord {
  readonly id: string;
  readonly entityId: string;
  readonly type: OriginalType;
  /** True while the payment is only declared by a client and no query has shown it. */
  readonly isDeclared: boolean;
  readonly state: 'succeeded' | 'pending' | 'rejected';
  readonly currency: string;
  readonly authorizedMinor: bigint;
  readonly capturedMinor: bigint;
  readonly registrationId: string | null;
  readonly reservedMinor: bigint;
  readonly succeededMinor: bigint;
  readonly returnedMinor: bigint;
  readonly disputedMinor: bigint;
  readonly excessMinor: bigint;
  readonly refundableMinor: bigint;
}

export interface AttemptRecord {
  readonly id: string;
  readonly number: number;
  readonly operation: Operation;
  readonly originalId: string | null;
  readonly registrationId: string | null;
  /** The sealed card of a credit; with `registrationId` if the card was registered first. */
  readonly cardRef: string | null;
  readonly reference: string;
  readonly amountMinor: bigint;
  /**
   * The amount that the attempt paid back, if it was less than ordered: a reversal of an authorization that was captured in the meantime.
   * Otherwise null.
   */
  readonly paidBackMinor: bigint | null;
  readonly state: AttemptState;
  readonly submissions: number;
  /** The gateway's id of the attempt. While no outcome is certain, the first id that the gateway gave it. */
  readonly gatewayId: string | null;
  readonly resultCode: string | null;
  readonly resultDescription: string | null;
  readonly declineClass: string | null;
  /** Ids and texts of the gateway's answer that find the transaction in settlement. */
  readonly settlement: SettlementDetails | null;
  /** Last four digits of the card in the answer, if they differ from those of the sealed card. */
  readonly otherLast4: string | null;
  readonly note: string | null;
  readonly queries: number;
  readonly sentAt: Date;
  readonly answeredAt: Date | null;
}

/**
 * The credit that an operator approves. The hash covers amount, currency and destination, so an approval is void once one of them
 * changes.
 */
export interface Instruction {
  readonly hash: string;
  readonly operation: 'credit';
  readonly amountMinor: string;
  readonly currency: string;
  readonly destination: ShownDestination;
  readonly why: readonly string[];
}

/** An open question for an operator. `why` is a `CaseReason` of the version that opened the case. */
export interface CaseRecord {
  readonly why: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly openedAt: Date;
}

/** A correction that one operator proposed and a second operator has to confirm. */
export interface ProposalRecord {
  readonly instruction: string;
  readonly details: CorrectionDetails;
  readonly note: OperatorNote;
  readonly at: Date;
}

export interface RefundRecord {
  readonly id: string;
  readonly askedFor: 'refund' | 'credit';
  /** The payment or capture that the client named. For an unlinked credit, the id of the row in `payments` that holds its balance. */
  readonly paymentId: string;
  /** True for a credit that is linked to no payment. */
  readonly isUnlinkedCredit: boolean;
  readonly entityId: string;
  readonly clientId: string;
  readonly idempotencyKey: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly orderId: string | null;
  readonly destination: ShownDestination | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly state: RefundState;
  readonly why: string | null;
  /** Reasons for which the credit guard blocked the credit; null if it did not. */
  readonly blocks: readonly string[] | null;
  readonly instruction: Instruction | null;
  /**
   * The amount that the customer received outside of the program: by refunds made elsewhere (`elsewhereMinor`) and by chargebacks
   * (`chargedBackMinor`).
   */
  readonly elsewhereMinor: bigint;
  readonly chargedBackMinor: bigint;
  readonly attempts: readonly AttemptRecord[];
  /** Open cases, oldest first. */
  readonly openCases: readonly CaseRecord[];
  /** The correction that waits for a second operator, or null. */
  readonly proposal: ProposalRecord | null;
  /** Names of the operators who changed the destination, oldest change first. */
  readonly destinationChangedBy: readonly string[];
  readonly version: number;
  readonly stateSince: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
