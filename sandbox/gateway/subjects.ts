/** Builds the fields that a fault rule is compared with, for requests, transactions and queries. */
import { formatAmount } from './amounts.js';
import type { FaultSubject } from './faults.js';
import type { Instruction, QueryEndpoint, Transaction } from './types.js';

/** `about`: a write request, or the transaction that it created. The payment id of a transaction without an original is its own id. */
export function subjectOf(about: Instruction | Transaction): FaultSubject {
  return {
    paymentType: about.type,
    paymentId: about.referencedId ?? ('id' in about ? about.id : null),
    registrationId: about.registrationId,
    merchantTransactionId: about.merchantTransactionId,
    amount: about.amount === null ? null : formatAmount(about.amount),
  };
}

export function subjectOfQuery(
  endpoint: QueryEndpoint,
  parameters: ReadonlyMap<string, string>,
): FaultSubject {
  return {
    paymentType: null,
    paymentId: 'id' in endpoint ? endpoint.id : null,
    registrationId: null,
    merchantTransactionId: parameters.get('merchantTransactionId') ?? null,
    amount: null,
  };
}
