/** Answers of the gateway that must be recent when they are used. */
import { elapsed } from '../../domain/clock.js';
import type { Timings } from '../../domain/refund/config.js';
import type { Dependencies } from '../dependencies.js';

/** Thrown when an answer is too old to be used. Temporal's retry queries again. */
export class ProofTooOld extends Error {
  override readonly name = 'ProofTooOld';
}

/** Returns the answer of `query`. Throws `ProofTooOld` if the process was frozen meanwhile: such an answer says nothing about the present. */
export async function fresh<T>(
  { now }: Dependencies,
  { sendWindow }: Timings,
  query: () => Promise<T>,
): Promise<T> {
  const startedAt = now();
  const answer = await query();
  if (elapsed(startedAt, now()) > sendWindow)
    throw new ProofTooOld('the answer of the gateway is too old; the gateway is queried again');
  return answer;
}
