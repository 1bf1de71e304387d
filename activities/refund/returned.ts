/** Refunds that came back may be shown paid again: before one is withdrawn, the gateway is asked. */
import { idsInFound, outcomeOfFound } from '../../domain/refund/outcome.js';
import type { GatewayTransaction } from '../../domain/transaction.js';
import type { AttemptRecord, RefundRecord } from '../../ledger/core/refund-record.js';
import type { ReturnProof } from '../../ledger/core/commands.js';
import { QueryBudgetSpent } from '../../gateway/errors.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { shownAlone } from './originals.js';
import { expectationOf } from './send.js';

/** Milliseconds, less than the activity may take: an operator waits for the answer. */
const WITHIN = 10_000;

/** Queries every attempt that came back, records what the gateway shows, and returns those that it shows declined still. */
export async function seenReturned(deps: Dependencies, refundId: string): Promise<readonly ReturnProof[]> {
  const refund = await deps.ledger.findRefund(refundId);
  const seen: ReturnProof[] = [];
  if (refund === null) return seen;
  const urgent = queryingFor('operator', deps);
  for (const attempt of refund.attempts) {
    if (attempt.state !== 'returned') continue;
    const at = await deps.ledger.clock();
    if (await isReturnedStill(urgent, refund, attempt, at)) seen.push({ attemptId: attempt.id, at });
  }
  return seen;
}

async function isReturnedStill(
  deps: Dependencies,
  { entityId, currency }: RefundRecord,
  attempt: AttemptRecord,
  at: Date,
): Promise<boolean> {
  const found = await Promise.race([shown(deps, entityId, attempt), deps.pause(WITHIN).then(() => [])]);
  const expected = expectationOf(deps, { ...attempt, entityId, currency });
  const outcome = outcomeOfFound(found, expected);
  if (outcome.kind === 'no_match') return false;
  const entry = found[0];
  await deps.ledger.record({
    attemptId: attempt.id,
    source: 'query',
    asked: { send: attempt.submissions, at },
    outcome,
    ids: idsInFound(found, expected),
    ...(entry === undefined ? {} : { code: entry.result.code, description: entry.result.description }),
  });
  return outcome.kind === 'rejected';
}

/** Empty where the gateway shows nothing or cannot be asked: then nothing is known, and an operator is told so at once. */
async function shown(
  deps: Dependencies,
  entityId: string,
  attempt: AttemptRecord,
): Promise<readonly GatewayTransaction[]> {
  try {
    const found = await shownAlone(deps, entityId, attempt);
    return found.kind === 'found' ? found.value : [];
  } catch (error) {
    if (error instanceof QueryBudgetSpent) return [];
    throw error;
  }
}
