/** Coverage: what the customer received for a refund outside of the program. Counted for one refund only, and removed when it is undone. */
import {
  claimsAfter,
  coverageOf,
  NO_COVERAGE,
  settlementOf,
  sumOf,
  takeFrom,
  totalOf,
  unpaidOf,
  type Claim,
  type Coverage,
} from '../../domain/refund/settlement.js';
import { isFinal, type RefundState } from '../../domain/refund/states.js';
import { OPEN_ATTEMPT_STATES } from '../../domain/refund/attempt-states.js';
import { openCase } from '../core/cases.js';
import { append, reservedFor } from '../core/events.js';
import { attemptsOf, type LockedRefund, type PaymentRow, type RefundRow } from '../core/locks.js';
import type { Tx } from '../db/database.js';
import { DISPUTE_EVENTS } from './disputes.js';
import { isUnclear } from './doubts.js';
import { GATEWAY_ID, IS_FINAL, NEXT_VERSION, NOW } from '../db/expressions.js';
import { limitOf, overpaidOf, settlementFacts } from '../core/balances.js';

/** Final states of refunds that ended because of outside money. They may claim more of it later. */
const ENDED_OUTSIDE: readonly RefundState[] = ['closed_by_dispute', 'refunded_elsewhere'];
/** Final states of unpaid refunds. They may claim outside money that was pending at their end and is final now. */
const ENDED_UNPAID: readonly RefundState[] = ['failed', 'canceled'];

interface ClaimOfRefund extends Claim {
  readonly refund: RefundRow;
}

const coverageOfRow = ({ elsewhere_minor, charged_back_minor }: RefundRow): Coverage => ({
  elsewhereMinor: elsewhere_minor,
  chargedBackMinor: charged_back_minor,
});

/** Returns the coverage of each refund of a payment, and what it may claim of outside money, oldest first. */
export async function coverageClaimsOn(tx: Tx, paymentId: string): Promise<readonly ClaimOfRefund[]> {
  const refunds = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .where((eb) =>
      eb.or([
        eb('elsewhere_minor', '<>', 0n),
        eb('charged_back_minor', '<>', 0n),
        eb('state', 'in', [...ENDED_OUTSIDE, ...ENDED_UNPAID]),
      ]),
    )
    .orderBy('id')
    .execute();
  if (refunds.length === 0) return [];
  const outside = refunds.some(({ state }) => ENDED_UNPAID.includes(state))
    ? await outsideOn(tx, paymentId)
    : NOTHING_OUTSIDE;
  const claims: ClaimOfRefund[] = [];
  for (const refund of refunds) {
    const mayMiss = ENDED_OUTSIDE.includes(refund.state) || ENDED_UNPAID.includes(refund.state);
    const missing = mayMiss
      ? unpaidOf(settlementFacts({ refund, attempts: await attemptsOf(tx, refund.id) }))
      : 0n;
    claims.push({
      refund,
      ...coverageOfRow(refund),
      missingMinor: missing > 0n ? missing : 0n,
      ...(ENDED_UNPAID.includes(refund.state) ? { inProgress: inProgressAtEnd(refund, outside) } : {}),
    });
  }
  return claims;
}

/** Returns outside money that began before the refund ended and is final now, less what the refund already has of it. */
function inProgressAtEnd(refund: RefundRow, { elsewhere, disputes }: Outside): Coverage {
  const isMeant = ({ at }: { readonly at: Date }): boolean =>
    at > refund.created_at && at < refund.state_since;
  const sum = (found: readonly OutsideFact[]): bigint =>
    found.filter(isMeant).reduce((total, { minor }) => total + minor, 0n);
  const all = { elsewhereMinor: sum(elsewhere), chargedBackMinor: sum(disputes) };
  return {
    elsewhereMinor: all.elsewhereMinor - refund.elsewhere_minor,
    chargedBackMinor: all.chargedBackMinor - refund.charged_back_minor,
  };
}

/** Adds coverage to a refund: that part is not paid by the program, and its reservation is released. */
export async function cover(tx: Tx, refund: RefundRow, more: Coverage): Promise<RefundRow> {
  if (totalOf(more) <= 0n) return refund;
  const held = await reservedFor(tx, refund.id);
  const released = held < totalOf(more) ? held : totalOf(more);
  return setCoverage(tx, refund, sumOf(coverageOfRow(refund), more), -released);
}

/**
 * Returns the part of the refund for which final chargebacks leave no money on the payment, before it is submitted. This is computed here
 * because the gateway's own limit may ignore chargebacks. Open attempts of other refunds count as paid.
 */
export async function chargedBackBefore(
  tx: Tx,
  { payment, refund, attempts }: LockedRefund,
): Promise<Coverage> {
  if (payment.excess_minor === 0n || payment.disputed_minor === 0n) return NO_COVERAGE;
  // A payment with doubts settles nothing.
  if (await isUnclear(tx, payment.id)) return NO_COVERAGE;
  const { disputes } = await outsideOn(tx, payment.id);
  const inProgress = await tx
    .selectFrom('attempts')
    .select('amount_minor')
    .where('payment_id', '=', payment.id)
    .where('refund_id', '<>', refund.id)
    .where('state', 'in', OPEN_ATTEMPT_STATES)
    .execute();
  return coverageOf(unpaidOf(settlementFacts({ refund, attempts })), {
    limitMinor: limitOf(payment),
    paidBackMinor: inProgress.reduce(
      (sum, { amount_minor }) => sum + amount_minor,
      payment.succeeded_minor - payment.returned_minor,
    ),
    elsewhereMinor: 0n,
    chargedBackMinor: disputes.reduce((sum, { minor }) => sum + minor, 0n),
    claimed: (await coverageClaimsOn(tx, payment.id)).reduce<Coverage>(sumOf, NO_COVERAGE),
  });
}

/** Returns the amount of undecided chargebacks that leaves no money for what the refund still owes. */
export async function undecidedBeside(tx: Tx, { payment, refund, attempts }: LockedRefund): Promise<bigint> {
  if (payment.excess_minor === 0n || payment.disputed_minor === 0n) return 0n;
  const open = (await outsideFacts(tx, payment.id))
    .filter(({ isDispute, isFinal }) => isDispute && !isFinal)
    .reduce((sum, { minor }) => sum + minor, 0n);
  const remaining =
    limitOf(payment) - payment.succeeded_minor + payment.returned_minor - payment.disputed_minor;
  const beyond = unpaidOf(settlementFacts({ refund, attempts })) - (remaining > 0n ? remaining : 0n);
  return least(open, beyond > 0n ? beyond : 0n);
}

/** True if a part of the refund counts as paid outside. */
export const hasCoverage = (refund: RefundRow): boolean => totalOf(coverageOfRow(refund)) > 0n;

/** Removes coverage for what an attempt turned out to have paid: the attempt counts. */
export async function trimCoverage(tx: Tx, { refund, attempts }: LockedRefund): Promise<void> {
  const covered = coverageOfRow(refund);
  if (totalOf(covered) <= 0n) return;
  const { parts } = settlementOf(settlementFacts({ refund, attempts }));
  const partOf = (by: 'refund_elsewhere' | 'chargeback') => parts.find((part) => part.by === by)?.minor ?? 0n;
  const now = { elsewhereMinor: partOf('refund_elsewhere'), chargedBackMinor: partOf('chargeback') };
  if (totalOf(now) < totalOf(covered)) await setCoverage(tx, refund, now, 0n);
}

/**
 * Revises coverage after chargebacks or refunds elsewhere changed. What a refund loses is owed again; if the refund had ended, a case is
 * opened.
 */
export async function reviseClaims(tx: Tx, paymentId: string): Promise<void> {
  const claims = await coverageClaimsOn(tx, paymentId);
  if (claims.length === 0) return;
  const { elsewhere, disputes } = await outsideOn(tx, paymentId);
  const chargedBackMinor = disputes.reduce((sum, { minor }) => sum + minor, 0n);
  const elsewhereMinor = elsewhere.reduce((sum, { minor }) => sum + minor, 0n);
  for (const { claim, now } of claimsAfter(claims, { elsewhereMinor, chargedBackMinor })) {
    const { refund } = claim;
    const lost = totalOf(claim) - totalOf(now);
    const isOver = isFinal(refund.state);
    const isHeld = !isOver && lost > 0n && (await reservedFor(tx, refund.id)) > 0n;
    await setCoverage(tx, refund, now, isHeld ? lost : 0n);
    if (isOver && lost > 0n) await openCase(tx, refund, 'settlement_undone', { lostMinor: lost.toString() });
  }
}

/**
 * Returns outside money since the refund was requested that counts for no other refund. It counts for this one when it ends unpaid: the
 * customer must not be reported as unpaid while it stands.
 */
export async function unclaimedSince(tx: Tx, { payment, refund, attempts }: LockedRefund): Promise<Coverage> {
  const unpaid = unpaidOf(settlementFacts({ refund, attempts }));
  const { elsewhere, disputes } = await outsideOn(tx, payment.id);
  if (elsewhere.length === 0 && disputes.length === 0) return NO_COVERAGE;
  const sum = (found: OutsideFact['changes']): bigint =>
    found.reduce((total, { minor }) => total + minor, 0n);
  const isLater = ({ at }: { readonly at: Date }): boolean => at.getTime() > refund.created_at.getTime();
  const changes = disputes.flatMap((dispute) => dispute.changes);
  const all: Coverage = { elsewhereMinor: sum(elsewhere), chargedBackMinor: sum(disputes) };
  const claimed = (await coverageClaimsOn(tx, payment.id)).reduce<Coverage>(sumOf, NO_COVERAGE);
  const free = takeFrom(totalOf(all), { ...all, claimed });
  return takeFrom(unpaid, {
    elsewhereMinor: least(free.elsewhereMinor, sum(elsewhere.filter(isLater))),
    chargedBackMinor: least(free.chargedBackMinor, sum(changes.filter(isLater))),
    claimed: NO_COVERAGE,
  });
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Final outside money: refunds made elsewhere, and chargebacks. */
interface Outside {
  readonly elsewhere: readonly OutsideFact[];
  readonly disputes: readonly OutsideFact[];
}

const NOTHING_OUTSIDE: Outside = { elsewhere: [], disputes: [] };
const OUTSIDE_EVENTS = ['payment.returned_elsewhere', ...DISPUTE_EVENTS] as const;

interface OutsideFact {
  readonly isDispute: boolean;
  readonly isFinal: boolean;
  readonly minor: bigint;
  readonly at: Date;
  /** The changes that add up to `minor`, each with its time. */
  readonly changes: readonly { readonly minor: bigint; readonly at: Date }[];
}

async function outsideFacts(tx: Tx, paymentId: string): Promise<readonly OutsideFact[]> {
  const events = await tx
    .selectFrom('events')
    .select([
      GATEWAY_ID.as('gateway_id'),
      IS_FINAL.as('final'),
      'type',
      'succeeded_delta',
      'disputed_delta',
      'at',
    ])
    .where('payment_id', '=', paymentId)
    .where('type', 'in', OUTSIDE_EVENTS)
    .orderBy('events.id')
    .execute();
  const found = new Map<string, OutsideFact>();
  for (const { gateway_id, final, type, succeeded_delta, disputed_delta, at } of events) {
    const isDispute = type !== 'payment.returned_elsewhere';
    const key = `${isDispute ? 'dispute' : 'return'} ${gateway_id}`;
    const before = found.get(key);
    const change = { minor: isDispute ? disputed_delta : succeeded_delta, at };
    found.set(key, {
      ...{ isDispute, isFinal: final, at: before?.at ?? at },
      minor: (before?.minor ?? 0n) + change.minor,
      changes: [...(before?.changes ?? []), change],
    });
  }
  return [...found.values()].filter(({ minor }) => minor > 0n);
}

/** Pending facts are left out: they block credits and prove nothing. */
async function outsideOn(tx: Tx, paymentId: string): Promise<Outside> {
  const final = (await outsideFacts(tx, paymentId)).filter(({ isFinal }) => isFinal);
  return {
    elsewhere: final.filter(({ isDispute }) => !isDispute),
    disputes: final.filter(({ isDispute }) => isDispute),
  };
}

/** Returns the amount that was certainly paid back beyond the limit. Pending facts from outside do not count. */
export async function certainOverpaid(tx: Tx, payment: PaymentRow): Promise<bigint> {
  const overpaid = overpaidOf(payment);
  if (overpaid === 0n) return 0n;
  const pending = (await outsideFacts(tx, payment.id)).filter(({ isFinal }) => !isFinal);
  const certain = pending.reduce((left, { minor }) => left - minor, overpaid);
  return certain > 0n ? certain : 0n;
}

/** True if a chargeback or a refund elsewhere began since the refund was requested and is not final. */
export async function mayBeSettledOutside(tx: Tx, { payment, refund }: LockedRefund): Promise<boolean> {
  const facts = await outsideFacts(tx, payment.id);
  return facts.some(({ isFinal, at }) => !isFinal && at > refund.created_at);
}

async function setCoverage(
  tx: Tx,
  refund: RefundRow,
  covered: Coverage,
  reserved: bigint,
): Promise<RefundRow> {
  const after = await tx
    .updateTable('refunds')
    .set({
      elsewhere_minor: covered.elsewhereMinor,
      charged_back_minor: covered.chargedBackMinor,
      version: NEXT_VERSION,
      updated_at: NOW,
    })
    .where('id', '=', refund.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await append(tx, {
    key: `refund:${refund.id}:settlement:${after.version}`,
    type: 'refund.settlement_changed',
    paymentId: refund.payment_id,
    refundId: refund.id,
    reserved,
    fromOutside: true,
    actor: 'gateway',
    data: {
      elsewhereMinor: covered.elsewhereMinor.toString(),
      chargedBackMinor: covered.chargedBackMinor.toString(),
    },
  });
  return after;
}
