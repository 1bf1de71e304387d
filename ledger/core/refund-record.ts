/** Refunds, attempts and payments as the rest of the program reads them. */
import type { OperatorNote } from '../../domain/refund/people.js';
import type { AttemptState, RefundState } from '../../domain/refund/states.js';
import type { Way } from '../../domain/refund/way.js';
import type { CorrectionDetails } from './people.js';

/** A payment's money, minor units. `refundable` is what may still be asked for. */
export interface PaymentRecord {
  readonly id: string;
  readonly entityId: string;
  readonly type: 'DB' | 'PA' | 'CP';
  /** What a client declared, and no query has shown. */
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
  readonly way: Way;
  readonly originalId: string | null;
  readonly registrationId: string | null;
  readonly reference: string;
  readonly amountMinor: bigint;
  /** What it gave back, where it was executed for less than ordered: a reversal of an authorization that was captured meanwhile. */
  readonly givenMinor: bigint | null;
  readonly state: AttemptState;
  readonly sends: number;
  /** Where no outcome is certain yet: the first one that the gateway gave it. */
  readonly gatewayId: string | null;
  readonly resultCode: string | null;
  readonly resultDescription: string | null;
  readonly refusalClass: string | null;
  readonly note: string | null;
  readonly lookUps: number;
  readonly sentAt: Date;
  readonly answeredAt: Date | null;
}

/** What an approval is bound to. Change anything and the hash differs. */
export interface Instruction {
  readonly hash: string;
  readonly way: 'credit';
  readonly amountMinor: string;
  readonly currency: string;
  readonly registrationId: string;
  readonly why: readonly string[];
}

/** Something that a person has to decide about. `why` is a `CaseReason` of the version that opened it. */
export interface CaseRecord {
  readonly why: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly openedAt: Date;
}

/** A correction that one person proposed and a second one has to confirm. */
export interface ProposalRecord {
  readonly instruction: string;
  readonly details: CorrectionDetails;
  readonly word: OperatorNote;
  readonly at: Date;
}

export interface RefundRecord {
  readonly id: string;
  readonly askedFor: 'refund' | 'credit';
  /** What the caller named; of a free-standing credit the row that its money is counted on. */
  readonly paymentId: string;
  /** A credit that is linked to no payment. */
  readonly isFreeStanding: boolean;
  readonly entityId: string;
  readonly caller: string;
  readonly idempotencyKey: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly orderId: string | null;
  readonly destination: { readonly registrationId: string } | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly state: RefundState;
  readonly why: string | null;
  /** What the guard of the credit objected to, where it did. */
  readonly blocks: readonly string[] | null;
  readonly instruction: Instruction | null;
  /** What the customer has of it from outside of the program: by refunds that were not made here, and by chargebacks. */
  readonly elsewhereMinor: bigint;
  readonly chargedBackMinor: bigint;
  readonly attempts: readonly AttemptRecord[];
  /** What waits for a person, oldest first. */
  readonly openCases: readonly CaseRecord[];
  /** The one that waits for a second person. */
  readonly proposal: ProposalRecord | null;
  /** Whoever named the present destination in place of another one. */
  readonly redirectedBy: readonly string[];
  readonly version: number;
  readonly stateSince: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
