/** What a fault rule is compared with, for each kind of thing that can meet a fault. */
import { formatAmount } from './amounts.js';
import type { FaultSubject } from './faults.js';
import type { Instruction, LookUpEndpoint, Transaction } from './types.js';

/** A write, or the transaction that came of it (for what it did not refer to: its own id). */
export function subjectOf(about: Instruction | Transaction): FaultSubject {
  return {
    paymentType: about.type,
    paymentId: about.referencedId ?? ('id' in about ? about.id : null),
    registrationId: about.registrationId,
    merchantTransactionId: about.merchantTransactionId,
    amount: about.amount === null ? null : formatAmount(about.amount),
  };
}

export function subjectOfLookUp(
  endpoint: LookUpEndpoint,
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
