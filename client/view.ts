/** A refund as the command line, the client library and the HTTP API show it. */
import { CASE_REASONS } from '../domain/refund/reasons.js';
import type { ShownDestination } from '../domain/refund/destination.js';
import type { SettlementDetails } from '../domain/transaction.js';
import { formatAmount, storedMoney } from '../domain/money/money.js';
import { settledAmountOf, type SettledAmount, type SettledBy } from '../domain/refund/settlement.js';
import { PUBLIC_STATUS, type RefundState, type RefundStatus } from '../domain/refund/states.js';
import type { AttemptState } from '../domain/refund/attempt-states.js';
import type { Operation } from '../domain/refund/operation.js';
import { ATTEMPT_TYPES } from './api-types.js';
import type { AttemptRecord, CaseRecord, RefundRecord } from '../ledger/core/refund-record.js';
import { effectOfCorrection } from './money-effects.js';
import { refundWorkflowId } from '../workflows/refund/contract.js';

/** Amounts are decimal strings with the currency's own decimals, times are ISO 8601 in UTC. */
export interface Refund {
  readonly id: string;
  readonly askedFor: 'refund' | 'credit';
  /** The debit, authorization or capture that the client named. Null: an unlinked credit. */
  readonly paymentId: string | null;
  readonly entityId: string;
  readonly amount: string;
  readonly currency: string;
  readonly reason: string;
  readonly orderId: string | null;
  /** As the client sent it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The client's key: the same key is the same refund. */
  readonly idempotencyKey: string;
  /** The operator or system that requested it, and so cannot approve it. */
  readonly requestedBy: string;
  /** The destination of a credit, where the client or an operator named one. */
  readonly destination: ShownDestination | null;
  readonly status: RefundStatus;
  readonly state: RefundState;
  /** The operation submitted to the gateway: the one that paid, else the last one. */
  readonly operation: Operation | null;
  /** The means by which the customer has the money, whatever the status; of several, the largest. Null while the customer has nothing. */
  readonly settledBy: SettledBy | null;
  /** The part of `amount` that the customer has, by all means together. */
  readonly settledAmount: string;
  /** Each means with its amount. */
  readonly settlements: SettledAmount['settlements'];
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
  /** The decision that waits for an operator, while the refund is in review. */
  readonly review: { readonly why: string; readonly nextStep: string } | null;
  /** Every open case; a refund that succeeded may have one too. */
  readonly cases: readonly OpenCase[];
  /** The credit that waits for an approver. */
  readonly approval: Approval | null;
  /** A correction that an operator has proposed and another one has to confirm. */
  readonly proposal: Proposal | null;
  /** Why it ended or waits: a stable code, or the reason of the operator who ended it. */
  readonly why: string | null;
  /** The reasons against a credit, where one was checked. */
  readonly blocks: readonly string[];
  /** Its workflow id in Temporal. */
  readonly workflowId: string;
  readonly stateSince: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface OpenCase {
  /** A stable code. */
  readonly why: string;
  readonly text: string;
  readonly nextStep: string;
  readonly openedAt: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Proposal {
  readonly instruction: string;
  readonly action: 'correct';
  /** Its effect on the money, as a sentence. */
  readonly effect: string;
  readonly by: string;
  readonly reason: string;
  readonly ticket: string | null;
  readonly at: string;
}

export interface Attempt {
  readonly type: (typeof ATTEMPT_TYPES)[Operation];
  readonly amount: string;
  /** Our reference, stored before the request is sent. The gateway and the acquirer find the transaction by it. */
  readonly merchantTransactionId: string;
  readonly gatewayId: string | null;
  readonly state: AttemptState;
  readonly resultCode: string | null;
  readonly resultDescription: string | null;
  /** The class of the decline; null where it was not declined. */
  readonly class: string | null;
  /** Ids and texts of the gateway's answer that find the transaction in settlement; null where it gave none. */
  readonly settlement: SettlementDetails | null;
  /** Last four digits of the card in the gateway's answer, if they differ from those of the sealed card. An operator compares them. */
  readonly otherLast4: string | null;
  readonly sentAt: string;
  readonly answeredAt: string | null;
}

export interface Approval {
  /** Binds the approval to exactly this amount, operation and destination. */
  readonly instruction: string;
  readonly amount: string;
  readonly currency: string;
  /** The destination of the credit. */
  readonly destination: ShownDestination;
  readonly why: readonly string[];
}

export { OPERATOR_STATES } from '../domain/refund/states.js';

export function viewOf(record: RefundRecord): Refund {
  const { currency, state } = record;
  const { amount, settledBy, settledAmount, settlements } = settledAmountOf(
    {
      ...record,
      attempts: record.attempts.map((attempt) => ({
        ...attempt,
        amountMinor: attempt.paidBackMinor ?? attempt.amountMinor,
      })),
    },
    currency,
  );
  const paid = record.attempts.filter((attempt) => attempt.state === 'succeeded').at(-1);
  return {
    id: record.id,
    askedFor: record.askedFor,
    paymentId: record.isUnlinkedCredit ? null : record.paymentId,
    entityId: record.entityId,
    amount,
    currency,
    reason: record.reason,
    orderId: record.orderId,
    metadata: record.metadata ?? {},
    idempotencyKey: record.idempotencyKey,
    requestedBy: record.requestedBy,
    destination: record.destination,
    status: PUBLIC_STATUS[state],
    state,
    operation: (paid ?? record.attempts.at(-1))?.operation ?? null,
    settledBy,
    settledAmount,
    settlements,
    attempts: record.attempts.map((attempt) => attemptOf(attempt, currency)),
    review: state === 'manual_review' ? reviewOf(record.why) : null,
    cases: record.openCases.map(caseOf),
    approval: approvalOf(record),
    proposal: proposalOf(record),
    why: record.why,
    blocks: record.blocks ?? [],
    workflowId: refundWorkflowId(record.id),
    stateSince: record.stateSince.toISOString(),
    createdAt: record.createdAt.toISOString(),
    updatedAt: record.updatedAt.toISOString(),
  };
}

function attemptOf(attempt: AttemptRecord, currency: string): Attempt {
  return {
    type: ATTEMPT_TYPES[attempt.operation],
    amount: amountOf(attempt.amountMinor, currency),
    merchantTransactionId: attempt.reference,
    gatewayId: attempt.gatewayId,
    state: attempt.state,
    resultCode: attempt.resultCode,
    resultDescription: attempt.resultDescription,
    class: attempt.declineClass,
    settlement: attempt.settlement,
    otherLast4: attempt.otherLast4,
    sentAt: attempt.sentAt.toISOString(),
    answeredAt: attempt.answeredAt?.toISOString() ?? null,
  };
}

/** Shows a reason that this version does not know, because a newer one wrote it, as it is. */
function reviewOf(why: string | null): { why: string; nextStep: string } {
  const known = Object.entries(CASE_REASONS).find(([reason]) => reason === why)?.[1];
  return known === undefined
    ? {
        why: why ?? 'An operator has to decide.',
        nextStep: 'Look at the attempts and at the payment in the gateway.',
      }
    : { why: known.why, nextStep: known.nextStep };
}

function caseOf({ why, details, openedAt }: CaseRecord): OpenCase {
  const { why: text, nextStep } = reviewOf(why);
  return { why, text, nextStep, openedAt: openedAt.toISOString(), details };
}

function proposalOf({ id, proposal }: RefundRecord): Proposal | null {
  if (proposal === null) return null;
  const { instruction, details, note, at } = proposal;
  return {
    instruction,
    action: 'correct',
    effect: effectOfCorrection(id, details),
    by: note.by,
    reason: note.reason,
    ticket: note.ticket ?? null,
    at: at.toISOString(),
  };
}

function approvalOf({ state, instruction }: RefundRecord): Approval | null {
  if (state !== 'awaiting_approval' || instruction === null) return null;
  return {
    instruction: instruction.hash,
    amount: amountOf(BigInt(instruction.amountMinor), instruction.currency),
    currency: instruction.currency,
    destination: instruction.destination,
    why: instruction.why,
  };
}

const amountOf = (minor: bigint, currency: string): string => formatAmount(storedMoney(minor, currency));
