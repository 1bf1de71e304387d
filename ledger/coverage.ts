/** What the customer has of a refund from outside of the program: counted for one refund, taken back when it was undone, never twice. */
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
} from '../domain/settlement.js';
import { isFinal, OPEN_ATTEMPT_STATES, type RefundState } from '../domain/states.js';
import { append, attemptsOf, openCase, reservedFor, type Locked, type RefundRow } from './books.js';
import type { Tx } from './database.js';
import { DISPUTE_EVENTS } from './disputes.js';
import { isUnclear } from './doubts.js';
import { GATEWAY_ID, IS_FINAL, NEXT_VERSION, NOW } from './expressions.js';
import { limitOf, settlementFacts } from './records.js';

/** States in which a refund takes what comes back to it: it ended because of just that. */
const ENDED_OUTSIDE: readonly RefundState[] = ['closed_by_dispute', 'refunded_elsewhere'];

interface ClaimOfRefund extends Claim {
  readonly refund: RefundRow;
}

const coverageOfRow = ({ elsewhere_minor, charged_back_minor }: RefundRow): Coverage => ({
  elsewhereMinor: elsewhere_minor,
  chargedBackMinor: charged_back_minor,
});

/** What each refund of a payment counts as its own, oldest first. */
export async function claimsOn(tx: Tx, paymentId: string): Promise<readonly ClaimOfRefund[]> {
  const refunds = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .where((eb) =>
      eb.or([
        eb('elsewhere_minor', '<>', 0n),
        eb('charged_back_minor', '<>', 0n),
        eb('state', 'in', ENDED_OUTSIDE),
      ]),
    )
    .orderBy('id')
    .execute();
  const claims: ClaimOfRefund[] = [];
  for (const refund of refunds) {
    const missing = ENDED_OUTSIDE.includes(refund.state)
      ? unpaidOf(settlementFacts({ refund, attempts: await attemptsOf(tx, refund.id) }))
      : 0n;
    claims.push({ refund, ...coverageOfRow(refund), missingMinor: missing > 0n ? missing : 0n });
  }
  return claims;
}

/** Counts `more` for the refund: that part is not paid any more, and nothing is held for it. */
export async function cover(tx: Tx, refund: RefundRow, more: Coverage): Promise<RefundRow> {
  if (totalOf(more) <= 0n) return refund;
  const held = await reservedFor(tx, refund.id);
  const released = held < totalOf(more) ? held : totalOf(more);
  return setCoverage(tx, refund, sumOf(coverageOfRow(refund), more), -released);
}

/**
 * What chargebacks that are final leave no room for, known before the refund is sent: the gateway caps refunds by refunds, and need not
 * count a chargeback. What others have under way counts as paid.
 */
export async function chargedBackBefore(tx: Tx, { payment, refund, attempts }: Locked): Promise<Coverage> {
  if (payment.excess_minor === 0n || payment.disputed_minor === 0n) return NO_COVERAGE;
  // What cannot be counted settles nothing.
  if (await isUnclear(tx, payment.id)) return NO_COVERAGE;
  const disputes = await finalDisputes(tx, payment.id);
  const underWay = await tx
    .selectFrom('attempts')
    .select('amount_minor')
    .where('payment_id', '=', payment.id)
    .where('refund_id', '<>', refund.id)
    .where('state', 'in', OPEN_ATTEMPT_STATES)
    .execute();
  return coverageOf(unpaidOf(settlementFacts({ refund, attempts })), {
    limitMinor: limitOf(payment),
    givenMinor: underWay.reduce(
      (sum, { amount_minor }) => sum + amount_minor,
      payment.succeeded_minor - payment.returned_minor,
    ),
    elsewhereMinor: 0n,
    chargedBackMinor: disputes.reduce((sum, { disputed_delta }) => sum + disputed_delta, 0n),
    claimed: (await claimsOn(tx, payment.id)).reduce<Coverage>(sumOf, NO_COVERAGE),
  });
}

/** True where something of the refund is counted as paid outside. */
export const hasCoverage = (refund: RefundRow): boolean => totalOf(coverageOfRow(refund)) > 0n;

/** An attempt turned out to have paid what was counted as paid outside: the attempt counts. */
export async function trimCoverage(tx: Tx, { refund, attempts }: Locked): Promise<void> {
  const covered = coverageOfRow(refund);
  if (totalOf(covered) <= 0n) return;
  const { parts } = settlementOf(settlementFacts({ refund, attempts }));
  const partOf = (by: 'refund_elsewhere' | 'chargeback') => parts.find((part) => part.by === by)?.minor ?? 0n;
  const now = { elsewhereMinor: partOf('refund_elsewhere'), chargedBackMinor: partOf('chargeback') };
  if (totalOf(now) < totalOf(covered)) await setCoverage(tx, refund, now, 0n);
}

/**
 * After chargebacks or refunds elsewhere changed: no refund counts what is not there any more. What a refund loses is owed again, and an operator
 * decides where it had ended.
 */
export async function reviseClaims(tx: Tx, paymentId: string): Promise<void> {
  const claims = await claimsOn(tx, paymentId);
  if (claims.length === 0) return;
  const chargedBackMinor = (await finalDisputes(tx, paymentId)).reduce(
    (sum, { disputed_delta }) => sum + disputed_delta,
    0n,
  );
  const elsewhereMinor = (await elsewhereOn(tx, paymentId)).reduce((sum, { minor }) => sum + minor, 0n);
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
 * What happened outside since this refund was asked for and counts for no other: when the refund ends without paying, it counts for this one.
 * Nobody may conclude that the customer has nothing while it stands.
 */
export async function unclaimedSince(tx: Tx, { payment, refund, attempts }: Locked): Promise<Coverage> {
  const unpaid = unpaidOf(settlementFacts({ refund, attempts }));
  const elsewhere = await elsewhereOn(tx, payment.id);
  const disputes = await finalDisputes(tx, payment.id);
  if (elsewhere.length === 0 && disputes.length === 0) return NO_COVERAGE;
  const isLater = ({ at }: { readonly at: Date }): boolean => at.getTime() > refund.created_at.getTime();
  const sum = (minors: readonly bigint[]): bigint => minors.reduce((total, minor) => total + minor, 0n);
  const all: Coverage = {
    elsewhereMinor: sum(elsewhere.map(({ minor }) => minor)),
    chargedBackMinor: sum(disputes.map(({ disputed_delta }) => disputed_delta)),
  };
  const claimed = (await claimsOn(tx, payment.id)).reduce<Coverage>(sumOf, NO_COVERAGE);
  const free = takeFrom(totalOf(all), { ...all, claimed });
  const since: Coverage = {
    elsewhereMinor: sum(elsewhere.filter(isLater).map(({ minor }) => minor)),
    chargedBackMinor: sum(disputes.filter(isLater).map(({ disputed_delta }) => disputed_delta)),
  };
  return takeFrom(unpaid, {
    elsewhereMinor: least(free.elsewhereMinor, since.elsewhereMinor),
    chargedBackMinor: least(free.chargedBackMinor, since.chargedBackMinor),
    claimed: NO_COVERAGE,
  });
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** What chargebacks that are final took, change by change. One that is pending blocks credits and proves nothing. */
async function finalDisputes(
  tx: Tx,
  paymentId: string,
): Promise<readonly { readonly disputed_delta: bigint; readonly at: Date }[]> {
  const events = await tx
    .selectFrom('events')
    .select([GATEWAY_ID.as('gateway_id'), IS_FINAL.as('final'), 'disputed_delta', 'at'])
    .where('payment_id', '=', paymentId)
    .where('type', 'in', DISPUTE_EVENTS)
    .orderBy('events.id')
    .execute();
  const final = new Map(events.map((event) => [event.gateway_id, event.final]));
  return events.filter(({ gateway_id }) => final.get(gateway_id) === true);
}

/** Refunds and reversals that were not made here and are final: what each counts, and when it was first seen. */
async function elsewhereOn(
  tx: Tx,
  paymentId: string,
): Promise<readonly { readonly minor: bigint; readonly at: Date }[]> {
  const events = await tx
    .selectFrom('events')
    .select([GATEWAY_ID.as('gateway_id'), IS_FINAL.as('final'), 'succeeded_delta', 'at'])
    .where('payment_id', '=', paymentId)
    .where('type', '=', 'payment.returned_elsewhere')
    .orderBy('events.id')
    .execute();
  const found = new Map<string, { minor: bigint; at: Date; isFinal: boolean }>();
  for (const event of events) {
    const before = found.get(event.gateway_id);
    found.set(event.gateway_id, {
      minor: (before?.minor ?? 0n) + event.succeeded_delta,
      at: before?.at ?? event.at,
      isFinal: event.final,
    });
  }
  return [...found.values()].filter(({ minor, isFinal }) => isFinal && minor > 0n);
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
