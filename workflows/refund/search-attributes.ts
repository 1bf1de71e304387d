/** Search attributes of refund workflows. Temporal never encrypts them: they hold a state, a flag and the gateway's payment id. */
import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { isFinal, OPERATOR_STATES, type RefundState } from '../../domain/refund/states.js';

export const SEARCH_ATTRIBUTES = {
  state: defineSearchAttributeKey('RefundState', SearchAttributeType.KEYWORD),
  needsOperator: defineSearchAttributeKey('RefundNeedsOperator', SearchAttributeType.BOOL),
  paymentId: defineSearchAttributeKey('PaymentId', SearchAttributeType.KEYWORD),
} as const;

/** Search attributes that a refund workflow is started with. */
export const initialSearchAttributes = (state: RefundState, paymentId: string): SearchAttributePair[] => [
  { key: SEARCH_ATTRIBUTES.state, value: state },
  { key: SEARCH_ATTRIBUTES.needsOperator, value: OPERATOR_STATES.includes(state) },
  { key: SEARCH_ATTRIBUTES.paymentId, value: paymentId },
];

/** Keeps a running refund's search attributes up to date. Does nothing on the happy path: each change is one more event in the history. */
export function createSearchAttributes(): {
  readonly show: (snapshot: RefundSnapshot, isStuck: boolean) => void;
} {
  let shown: string | undefined;
  return {
    show({ state }, isStuck) {
      const now = isStuck ? `${state}, stuck` : state;
      if (now === shown || (shown === undefined && isFinal(state))) return;
      shown = now;
      upsertSearchAttributes([
        { key: SEARCH_ATTRIBUTES.state, value: state },
        { key: SEARCH_ATTRIBUTES.needsOperator, value: isStuck || OPERATOR_STATES.includes(state) },
      ]);
    },
  };
}
