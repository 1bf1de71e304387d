/** A second operator approves or rejects the exact instruction of a credit. */
import { isSameOperator } from '../../domain/refund/operator-note.js';
import { append } from '../core/events.js';
import { lockRefund, type LockedRefund } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import {
  decidedBefore,
  executeOnce,
  openProposal,
  redirectors,
  refused,
  resulted,
  type Executed,
} from './command-results.js';
import type { Database, Tx } from '../db/database.js';
import { close } from '../refunds/ends.js';
import type { CommandResult, Decision } from '../core/commands.js';

export function decide(database: Database, decision: Decision): Promise<CommandResult<'decide'>> {
  return executeOnce(
    database,
    (tx) => lockRefund(tx, decision.refundId),
    { kind: 'decide', operatorCommand: decision, about: { instruction: decision.instruction } },
    (tx, locked) => verdictOn(tx, locked, decision),
  );
}

async function verdictOn(tx: Tx, locked: LockedRefund, decision: Decision): Promise<Executed<'decide'>> {
  const { refund } = locked;
  const before = await decidedBefore(tx, refund.id, 'decide', decision.instruction);
  if (refund.state === 'awaiting_approval' && refund.instruction?.hash !== decision.instruction)
    return refused('instruction_changed');
  if (before !== undefined && !isSameOperator(before.by, decision.by))
    return refused('already_decided', before.by);
  // Repeating a decision has no effect.
  if (before?.state === decision.verdict) return resulted({ kind: 'decided' });
  if (before !== undefined || refund.state !== 'awaiting_approval') return refused('not_awaiting_approval');
  if (isSameOperator(decision.by, refund.requested_by)) return refused('requester_cannot_decide');
  if ((await redirectors(tx, refund.id)).some((by) => isSameOperator(by, decision.by)))
    return refused('proposer_cannot_approve');
  const proposal = await openProposal(tx, refund.id);
  if (proposal !== undefined && decision.verdict === 'approved') return refused('proposal_open', proposal.by);
  await append(tx, {
    key: `refund:${refund.id}:${decision.verdict}:${decision.instruction}`,
    type: `refund.${decision.verdict}`,
    paymentId: refund.payment_id,
    refundId: refund.id,
    actor: decision.by,
    data: { instruction: decision.instruction, reason: decision.reason, ticket: decision.ticket },
  });
  if (decision.verdict === 'approved') await move(tx, refund, { on: 'approve', actor: decision.by });
  else await close(tx, locked, 'give_up', 'approval_refused', decision.by);
  return resulted({ kind: 'decided' }, { state: decision.verdict });
}
