/** Originals for tests of the domain: by default a captured debit of 100.00 euros. */
import type { LinkedReturn, OriginalFacts } from '../../domain/payment/original.js';

export const ORIGINAL_ID = '0'.repeat(31) + '1';
export const OBSERVATION = { observedAt: new Date(0), coversCaptures: true };
export const REGISTRATION = 'a'.repeat(32);

export function original(change: Partial<OriginalFacts> = {}): OriginalFacts {
  return {
    id: ORIGINAL_ID,
    type: 'debit',
    state: 'succeeded',
    currency: 'EUR',
    authorizedMinor: 0n,
    captures: [{ id: ORIGINAL_ID, amountMinor: 10_000n }],
    capturedMinor: 10_000n,
    registrationId: REGISTRATION,
    returns: [],
    disputes: [],
    reversalIds: [],
    declined: [],
    doubts: [],
    observedAt: OBSERVATION.observedAt,
    coversCaptures: true,
    ...change,
  };
}

export function returned(change: Partial<LinkedReturn> = {}): LinkedReturn {
  return {
    id: 'f'.repeat(32),
    type: 'refund',
    reference: null,
    referencedId: null,
    amountMinor: 10_000n,
    state: 'succeeded',
    ...change,
  };
}

/** Returns an authorization of 100.00 euros with this amount captured. */
export function authorized(capturedMinor: bigint, change: Partial<OriginalFacts> = {}): OriginalFacts {
  return original({
    type: 'preauthorization',
    authorizedMinor: 10_000n,
    captures: capturedMinor > 0n ? [{ id: 'c'.repeat(32), amountMinor: capturedMinor }] : [],
    capturedMinor,
    ...change,
  });
}
