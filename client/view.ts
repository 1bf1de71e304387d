/** A refund as everybody outside sees it: the command line, the typed client, and what answers over HTTP. */
import { CASE_REASONS } from '../domain/payment/reconciliation.js';
import { formatAmount, storedMoney } from '../domain/money/money.js';
import { settledAmountOf, type SettledAmount, type SettledBy } from '../domain/refund/settlement.js';
import {
  PUBLIC_STATUS,
  type AttemptState,
  type RefundState,
  type RefundStatus,
} from '../domain/refund/states.js';
import type { Operation } from '../domain/refund/operation.js';
import { ATTEMPT_TYPES } from './api-types.js';
import type { AttemptRecord, CaseRecord, RefundRecord } from '../ledger/core/refund-record.js';
import { effectOfCorrection } from './effects.js';
import { refundWorkflowId } from '../workflows/refund/contract.js';

/** Amounts are decimal strings with the currency's own decimals, times are ISO 8601 in UTC. */
export interface Refund {
  readonly id: string;
  readonly askedFor: 'refund' | 'credit';
  /** What the caller named: a debit, an authorisation or one capture. Null: a credit that is linked to no payment. */
  readonly paymentId: string | null;
  readonly entityId: string;
  readonly amount: string;
  readonly currency: string;
  readonly reason: string;
  readonly orderId: string | null;
  /** As the caller gave it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The caller's own: the same key is the same refund. */
  readonly idempotencyKey: string;
  /** The person or system who asked, and so cannot approve. */
  readonly requestedBy: string;
  /** Where a credit may go, where the caller named it. */
  readonly destination: { readonly registrationId: string } | null;
  readonly status: RefundStatus;
  readonly state: RefundState;
  /** What was ordered at the gateway: the operation that paid, or that was tried last. */
  readonly operation: Operation | null;
  /** How the customer has the money, whatever the status: the means with the largest part; null while the customer has nothing. */
  readonly settledBy: SettledBy | null;
  /** What the customer has of `amount`, by all means together. */
  readonly settledAmount: string;
  /** Each means with its part. */
  readonly settlements: SettledAmount['settlements'];
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
  /** What a person has to decide, while one has to. */
  readonly review: { readonly why: string; readonly nextStep: string } | null;
  /** Every open case; a refund that has ended well may have one too. */
  readonly cases: readonly OpenCase[];
  /** What a second person is asked to approve, while one is asked. */
  readonly approval: Approval | null;
  /** What a person wants to have done and a second one has to confirm. */
  readonly proposal: Proposal | null;
  /** Why it ended or waits: a stable code, or what the person wrote who ended it. */
  readonly why: string | null;
  /** What stands against a credit, where one was weighed. */
  readonly blocks: readonly string[];
  /** Where Temporal shows it. */
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
  /** What it does to the money, in words. */
  readonly effect: string;
  readonly by: string;
  readonly reason: string;
  readonly ticket: string | null;
  readonly at: string;
}

export interface Attempt {
  readonly type: (typeof ATTEMPT_TYPES)[Operation];
  readonly amount: string;
  /** Ours, and known before anything was sent: what the gateway and the acquirer are asked by. */
  readonly merchantTransactionId: string;
  readonly gatewayId: string | null;
  readonly state: AttemptState;
  readonly resultCode: string | null;
  readonly resultDescription: string | null;
  /** What the refusal means, where it is one. */
  readonly class: string | null;
  readonly sentAt: string;
  readonly answeredAt: string | null;
}

export interface Approval {
  /** Binds the word to exactly this amount, operation and destination. */
  readonly instruction: string;
  readonly amount: string;
  readonly currency: string;
  /** Where the credit goes. */
  readonly destination: { readonly registrationId: string };
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
    sentAt: attempt.sentAt.toISOString(),
    answeredAt: attempt.answeredAt?.toISOString() ?? null,
  };
}

/** A reason that this version does not know (a newer one wrote it) is shown as it is. */
function reviewOf(why: string | null): { why: string; nextStep: string } {
  const known = Object.entries(CASE_REASONS).find(([reason]) => reason === why)?.[1];
  return known === undefined
    ? {
        why: why ?? 'A person has to decide.',
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
    destination: { registrationId: instruction.registrationId },
    why: instruction.why,
  };
}

const amountOf = (minor: bigint, currency: string): string => formatAmount(storedMoney(minor, currency));
