/** Signed corrections: one operator proposes, a second one confirms. They count as evidence where the gateway cannot be queried. */
import { hash } from 'node:crypto';
import type { Selectable } from 'kysely';
import { mayCorrectAlone, objectionTo, type GatewayEvidence } from '../../domain/refund/correction.js';
import { isSameOperator } from '../../domain/refund/operator-note.js';
import type { RefundConfig, Timings } from '../../domain/refund/config.js';
import { isFinal } from '../../domain/refund/states.js';
import { executeOnce, refused, resulted, type Executed } from '../commands/command-results.js';
import { ageOf } from './attempt-age.js';
import { append } from '../core/events.js';
import { lockRefund, type AttemptRow, type LockedRefund } from '../core/locks.js';
import { bumpVersion } from '../core/state-changes.js';
import { apply, bind } from './correction-effects.js';
import type { CommandResultTable, Database, Tx } from '../db/database.js';
import { returnCountOf, returnCounts } from './returned.js';
import { NOW } from '../db/expressions.js';
import { correctedAlone } from '../refunds/daily-sums.js';
import type {
  CommandResult,
  Confirmation,
  Correction,
  CorrectionDetails,
  CommandRefusal,
} from '../core/commands.js';

/**
 * Proposes a correction. Applies it at once if policy allows a single operator for this amount and that operator did not request the
 * refund.
 */
export function correct(
  database: Database,
  correction: Correction,
  config: RefundConfig,
): Promise<CommandResult<'correct'>> {
  return executeOnce(
    database,
    (tx) => lockRefund(tx, correction.refundId),
    { kind: 'correct', operatorCommand: correction },
    (tx, locked) => proposed(tx, locked, correction, config),
  );
}

async function proposed(
  tx: Tx,
  locked: LockedRefund,
  correction: Correction,
  config: RefundConfig,
): Promise<Executed<'correct'>> {
  const { refundId, by } = correction;
  const { refund } = locked;
  const before = await answerBefore(tx, correction);
  if (before !== undefined) return before;
  const bound = await bind(tx, locked, correction);
  if ('why' in bound) return refused(bound.why);
  const { attempt, details } = bound;
  const objection =
    attempt === undefined
      ? undefined
      : await objectionOf(tx, locked, attempt, details, correction.gateway, config.timings);
  if (objection !== undefined) return refused(objection);

  const instruction = instructionOf(refundId, attempt?.id ?? null, details);
  const amountMinor = BigInt(details.amountMinor);
  const limits = config.policy.correctionAloneUpTo;
  const isAlone =
    !isSameOperator(by, refund.requested_by) &&
    mayCorrectAlone(amountMinor, details.currency, limits) &&
    mayCorrectAlone(
      amountMinor,
      details.currency,
      limits,
      await correctedAlone(tx, refund.payment_id, by, details.currency),
    );
  const proposal = {
    attempt_id: attempt?.id ?? null,
    instruction,
    details: JSON.stringify(details),
    amount_minor: amountMinor,
    currency: details.currency,
  };
  if (isAlone) {
    await apply(tx, locked, attempt, { instruction, details, by, data: dataOf(correction) });
    return resulted({ kind: 'done' }, { ...proposal, state: 'alone' });
  }
  await append(tx, {
    key: `refund:${refundId}:correction_proposed:${refund.version}:${instruction}`,
    type: 'refund.correction_proposed',
    paymentId: refund.payment_id,
    refundId,
    ...(attempt === undefined ? {} : { attemptId: attempt.id }),
    actor: by,
    data: { instruction, ...details, ...dataOf(correction) },
  });
  await bumpVersion(tx, refundId);
  return resulted({ kind: 'proposed', instruction }, { ...proposal, state: 'open' });
}

/** A second operator confirms or refuses a proposal. The proposal is checked again with what the gateway shows now. */
export function confirm(
  database: Database,
  decision: Confirmation,
  timings: Timings,
): Promise<CommandResult<'confirm'>> {
  return executeOnce(
    database,
    (tx) => lockRefund(tx, decision.refundId),
    { kind: 'confirm', operatorCommand: decision, about: { instruction: decision.instruction } },
    (tx, locked) => confirmed(tx, locked, decision, timings),
  );
}

async function confirmed(
  tx: Tx,
  locked: LockedRefund,
  decision: Confirmation,
  timings: Timings,
): Promise<Executed<'confirm'>> {
  const { refundId, instruction, by } = decision;
  const proposals = await proposalsOf(tx, refundId);
  const proposal = proposals.findLast((one) => one.instruction === instruction);
  if (proposal === undefined) return refused('no_proposal');
  const verdict = decision.verdict === 'approved' ? 'confirmed' : 'refused';
  if (proposal.state !== 'open') {
    if (proposal.state === 'superseded') return refused('superseded');
    const decidedBy = proposal.decided_by ?? proposal.by;
    const isRepeat = proposal.state === verdict && isSameOperator(decidedBy, by);
    return isRepeat ? resulted({ kind: 'done' }) : refused('already_decided', decidedBy);
  }
  if (isSameOperator(by, locked.refund.requested_by)) return refused('requester_cannot_decide');
  // The operator who proposed a correction may take it back, but not confirm it.
  if (isSameOperator(by, proposal.by) && verdict === 'confirmed') return refused('proposer_cannot_approve');
  const { details } = proposal;
  const attempt = locked.attempts.find(({ id }) => id === proposal.attempt_id);
  if (verdict === 'confirmed') {
    const objection = await objectionToConfirming(tx, locked, attempt, details, decision.gateway, timings);
    if (objection !== undefined) return refused(objection);
  }
  await tx
    .updateTable('command_results')
    .set({ state: verdict, decided_by: by, decided_at: NOW })
    .where('id', '=', proposal.id)
    .execute();
  const data = { ...dataOf(decision), proposedBy: proposal.by };
  if (verdict === 'confirmed') await apply(tx, locked, attempt, { instruction, details, by, data });
  else {
    await append(tx, {
      key: `refund:${refundId}:correction_refused:${proposal.id}`,
      type: 'refund.correction_rejected',
      paymentId: locked.payment.id,
      refundId,
      actor: by,
      data: { instruction, ...data },
    });
    await bumpVersion(tx, refundId);
  }
  return resulted({ kind: 'done' });
}

/**
 * Returns the result of an equal correction made before. A repetition by the same operator has no effect. Another operator is told who
 * made it. While a proposal is open, another one is refused.
 */
async function answerBefore(tx: Tx, correction: Correction): Promise<Executed<'correct'> | undefined> {
  const proposals = await proposalsOf(tx, correction.refundId);
  // After a return the same command is about a new payment.
  const turns = await returnCounts(tx, correction.refundId);
  const same = proposals.findLast(
    ({ details, attempt_id }) =>
      showsTheSame(details, correction) && (details.returns ?? 0) === (turns.get(attempt_id ?? '') ?? 0),
  );
  const open = proposals.find(({ state }) => state === 'open');
  if (open !== undefined)
    return same === open && isSameOperator(open.by, correction.by)
      ? resulted({ kind: 'proposed', instruction: open.instruction })
      : refused('proposal_open', open.by);
  if (same === undefined || (same.state !== 'confirmed' && same.state !== 'alone')) return undefined;
  return isSameOperator(same.by, correction.by)
    ? resulted({ kind: 'done' })
    : refused('already_decided', same.decided_by ?? same.by);
}

interface Proposal extends Selectable<CommandResultTable> {
  readonly instruction: string;
  readonly details: CorrectionDetails;
}

/** Returns the corrections that were proposed, or applied by a single operator, oldest first. */
async function proposalsOf(tx: Tx, refundId: string): Promise<readonly Proposal[]> {
  const rows = await tx
    .selectFrom('command_results')
    .selectAll()
    .where('refund_id', '=', refundId)
    .where('command', '=', 'correct')
    .orderBy('id')
    .execute();
  // A correction that was refused at once has no content.
  return rows.flatMap((row) => {
    const { instruction, details } = row;
    return instruction === null || details === null ? [] : [{ ...row, instruction, details }];
  });
}

function showsTheSame(
  details: CorrectionDetails,
  { outcome, evidence, reference, case: one }: Correction,
): boolean {
  return (
    details.outcome === outcome &&
    details.evidence === evidence &&
    (reference === undefined || details.reference === reference) &&
    (one === undefined || details.cases?.includes(one) === true)
  );
}

async function objectionOf(
  tx: Tx,
  { refund }: LockedRefund,
  attempt: AttemptRow,
  { outcome }: CorrectionDetails,
  gateway: GatewayEvidence,
  { visibilityLag }: Timings,
): Promise<CommandRefusal | undefined> {
  if (outcome === 'case_closed') return undefined;
  const { sinceSendByMs } = await ageOf(tx, attempt);
  return objectionTo({
    outcome,
    refund: refund.state,
    attempt: attempt.state,
    gateway,
    sinceSendByMs,
    visibilityLag,
  });
}

/**
 * Returns why a proposal may not be confirmed: `superseded` if the attempt was submitted again, was returned, or the cases are closed
 * since.
 */
async function objectionToConfirming(
  tx: Tx,
  locked: LockedRefund,
  attempt: AttemptRow | undefined,
  details: CorrectionDetails,
  gateway: GatewayEvidence,
  timings: Timings,
): Promise<CommandRefusal | undefined> {
  if (details.outcome === 'case_closed') return isFinal(locked.refund.state) ? undefined : 'superseded';
  if (attempt === undefined || attempt.submissions !== details.submissions) return 'superseded';
  if ((await returnCountOf(tx, attempt)) !== (details.returns ?? 0)) return 'superseded';
  return objectionOf(tx, locked, attempt, details, gateway, timings);
}

/** Returns the hash that binds a confirmation to exactly this correction. */
function instructionOf(refundId: string, attemptId: string | null, details: CorrectionDetails): string {
  return hash('sha256', JSON.stringify(['correct', refundId, attemptId, details])).slice(0, 32);
}

const dataOf = ({ reason, ticket }: { readonly reason: string; readonly ticket?: string }) => ({
  reason,
  ...(ticket === undefined ? {} : { ticket }),
});
