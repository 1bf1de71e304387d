/** What the gateway says about an original, brought into the ledger: captures, disputes, returns made elsewhere. */
import { sql } from 'kysely';
import { takenByReturns, type OriginalDoubt, type OriginalFacts } from '../../domain/payment/original.js';
import type { Tx } from '../db/database.js';
import { standingMinor } from '../../domain/payment/disputes.js';
import { withoutCaptures } from '../../domain/payment/one-capture.js';
import { placeDrawn } from '../../domain/payment/captures.js';
import { openCase } from '../core/cases.js';
import { appendOutside } from '../core/events.js';
import { lockAttempt, lockPayment, reload, type AttemptRow, type PaymentRow } from '../core/locks.js';
import { bookDisputes, type BookedDisputes } from './disputes.js';
import { overpaidFor, reviseClaims } from './coverage.js';
import { askAboutDoubts, noteDoubts } from './doubts.js';
import { GATEWAY_ID, IS_FINAL } from '../db/expressions.js';
import { LedgerError, type Evidence, type ImportedPayment } from '../ledger.js';
import { takenByOurs } from '../core/amounts.js';
import { comeBack } from '../attempts/returned.js';
import { measureReversals } from './reversals.js';

/** What became of an observation. */
export interface Observed {
  readonly payment: PaymentRow;
  /** What of it cannot be counted as it is shown. */
  readonly doubts: readonly OriginalDoubt[];
  /** It began before the one that the payment was last brought up to date with, so nothing of it was booked. */
  readonly isOutdated: boolean;
  /** The observation without captures that are payments of their own, and without what was given back on these. */
  readonly own: OriginalFacts;
}

/** Stores an original, or brings one that is known up to date. */
export async function importPayment(tx: Tx, { entityId, facts }: ImportedPayment): Promise<Observed> {
  await tx
    .insertInto('payments')
    .values({
      id: facts.id,
      entity_id: entityId,
      type: facts.type,
      state: facts.state,
      currency: facts.currency,
      authorized_minor: facts.authorizedMinor,
      captured_minor: facts.capturedMinor,
      registration_id: facts.registrationId,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  return book(tx, await asShown(tx, await lockPayment(tx, facts.id), entityId, facts), facts);
}

/**
 * A declaration may name the wrong entity or currency. Before the gateway has shown the payment, and while nothing is promised on it and
 * nothing may have been given back, what is shown takes its place.
 */
async function asShown(
  tx: Tx,
  payment: PaymentRow,
  entityId: string,
  { currency }: OriginalFacts,
): Promise<PaymentRow> {
  const { id, is_seen, reserved_minor, succeeded_minor, returned_minor, disputed_minor } = payment;
  const isOther = payment.entity_id !== entityId || payment.currency !== currency;
  const isUsed = [reserved_minor, succeeded_minor, returned_minor, disputed_minor].some((sum) => sum !== 0n);
  if (is_seen || !isOther || isUsed) return payment;
  const attempts = await tx.selectFrom('attempts').select('state').where('payment_id', '=', id).execute();
  if (attempts.some(({ state }) => state !== 'rejected' && state !== 'absent')) return payment;
  await tx
    .updateTable('payments')
    .set({ entity_id: entityId, currency, declared: null })
    .where('id', '=', id)
    .execute();
  return reload(tx, id);
}

/** Brings a payment, as it was locked, up to date, and opens a case for what an operator has to look at. */
export async function observe(tx: Tx, before: PaymentRow, facts: OriginalFacts): Promise<Observed> {
  const observed = await book(tx, before, facts);
  await askAboutDoubts(tx, observed);
  return observed;
}

/** Refunds of ours that were paid and are listed as declined now: the money came back, whether or not anybody was told. */
async function ownDeclined(
  tx: Tx,
  paymentId: string,
  { declined, observedAt }: OriginalFacts,
): Promise<void> {
  if (declined.length === 0) return;
  const attempts = await tx
    .selectFrom('attempts')
    .select(['id', 'sends', 'gateway_id'])
    .where('payment_id', '=', paymentId)
    .where('state', '=', 'succeeded')
    .where('gateway_id', 'in', declined)
    .execute();
  for (const { id, sends, gateway_id } of attempts) {
    const evidence: Evidence = {
      attemptId: id,
      source: 'look_up',
      asked: { send: sends, at: observedAt },
      outcome: { kind: 'unknown', why: 'not_a_result' },
      description: 'the payment lists it as declined',
    };
    await comeBack(tx, await lockAttempt(tx, id), evidence, gateway_id ?? undefined);
  }
}

/**
 * Books an observation. Facts from outside are never refused: where they break the balance, the payment has an excess and its refunds
 * get a case. Of two observations the one whose query began later wins, whichever is stored last.
 */
async function book(tx: Tx, before: PaymentRow, shown: OriginalFacts): Promise<Observed> {
  const { id, currency } = before;
  if (shown.id !== id)
    throw new LedgerError('payment_unknown', `payment ${id} was looked up, the gateway showed ${shown.id}`);
  // Its amounts would be read as amounts of the currency that everything else of this payment is kept in.
  if (shown.currency !== currency)
    throw new LedgerError(
      'currency_mismatch',
      `payment ${id} is in ${currency}, the gateway showed it in ${shown.currency}`,
      { currency },
    );
  if (before.observed_at !== null && shown.observedAt < before.observed_at)
    return { payment: before, doubts: [], isOutdated: true, own: shown };
  const facts = await ownPart(tx, shown);
  const captures = await bookCaptures(tx, facts);
  const limits = {
    state: facts.state,
    captured_minor: facts.capturedMinor + captures.keptMinor,
    authorized_minor: facts.authorizedMinor,
  };
  await tx
    .updateTable('payments')
    .set({
      ...limits,
      type: facts.type,
      is_seen: true,
      registration_id: sql<string | null>`coalesce(registration_id, ${facts.registrationId})`,
      not_found_count: 0,
      last_miss_at: null,
      observed_at: facts.observedAt,
    })
    .where('id', '=', id)
    .execute();
  await noteLimits(tx, before, limits, facts.observedAt);
  const linked = await bookLinked(tx, facts, captures.drawn);
  // Before reversals are measured: one that came back has released nothing.
  await ownDeclined(tx, id, facts);
  let payment = await reload(tx, id);
  const isMeasured = await measureReversals(tx, payment);
  if (isMeasured || linked.isChanged) {
    await reviseClaims(tx, id);
    payment = await reload(tx, id);
  }
  const overpaid = await overpaidFor(tx, payment);
  if (overpaid > 0n) await askAboutExcess(tx, payment, overpaid);
  const doubts = [...facts.doubts, ...captures.doubts, ...linked.doubts];
  return { payment, doubts, isOutdated: false, own: facts };
}

/** What happened outside, where links are shown. */
async function bookLinked(
  tx: Tx,
  facts: OriginalFacts,
  drawn: ReadonlyMap<string, Drawn>,
): Promise<BookedDisputes> {
  if (facts.hidesLinks === true) return { isChanged: false, doubts: [] };
  const disputes = await bookDisputes(tx, facts);
  const isReturnChanged = await recordForeignReturns(tx, facts, drawn);
  return { ...disputes, isChanged: disputes.isChanged || isReturnChanged };
}

/** Captures that are payments of their own stay that, and are no part of this one. */
async function ownPart(tx: Tx, facts: OriginalFacts): Promise<OriginalFacts> {
  if (facts.type !== 'PA' || facts.captures.length === 0) return facts;
  const ids = facts.captures.map(({ id }) => id);
  const own = await tx
    .selectFrom('captures')
    .select('id')
    .where('id', 'in', ids)
    .where('payment_id', 'in', ids)
    .execute();
  return withoutCaptures(facts, new Set(own.map(({ id }) => id)));
}

/** The limit is not a sum of events, so a change of it is on record beside them. */
async function noteLimits(
  tx: Tx,
  before: PaymentRow,
  limits: Pick<PaymentRow, 'state' | 'captured_minor' | 'authorized_minor'>,
  observedAt: Date,
): Promise<void> {
  const isSame =
    before.state === limits.state &&
    before.captured_minor === limits.captured_minor &&
    before.authorized_minor === limits.authorized_minor;
  if (isSame) return;
  await appendOutside(tx, {
    key: `payment:${before.id}:limits:${observedAt.getTime()}:${limits.captured_minor}:${limits.authorized_minor}:${limits.state}`,
    type: 'payment.changed',
    paymentId: before.id,
    data: {
      state: limits.state,
      capturedMinor: limits.captured_minor.toString(),
      authorizedMinor: limits.authorized_minor.toString(),
    },
  });
}

interface BookedCaptures {
  readonly doubts: readonly OriginalDoubt[];
  /** Of captures that are known and cannot be read now. */
  readonly keptMinor: bigint;
  /** What is on record as taken from each without us; absent of a capture that is new. */
  readonly drawn: ReadonlyMap<string, Drawn>;
}

interface Drawn {
  readonly certainMinor: bigint;
  readonly doubtfulMinor: bigint;
}

/** Each with the amount that is shown now; one that is not listed any more has nothing left. */
async function bookCaptures(tx: Tx, facts: OriginalFacts): Promise<BookedCaptures> {
  const rows = await tx.selectFrom('captures').selectAll().where('payment_id', '=', facts.id).execute();
  const known = new Map(rows.map((row) => [row.id, row.amount_minor]));
  const doubts: OriginalDoubt[] = [];
  for (const { id, amountMinor } of facts.captures) {
    const before = known.get(id);
    known.delete(id);
    if (before === undefined) {
      if (!(await insertCapture(tx, facts.id, id, amountMinor)))
        doubts.push({ gatewayId: id, why: 'capture_elsewhere' });
    } else if (before !== amountMinor) await setCapture(tx, id, amountMinor);
  }
  const unreadable = new Set(
    facts.doubts.filter(({ why }) => why === 'capture_unreadable').map(({ gatewayId }) => gatewayId),
  );
  let keptMinor = 0n;
  for (const [id, before] of known)
    if (unreadable.has(id)) keptMinor += before;
    else if (before > 0n && facts.hidesLinks !== true) await setCapture(tx, id, 0n);
  const drawn = new Map(
    rows.map((row) => [row.id, { certainMinor: row.elsewhere_minor, doubtfulMinor: row.doubtful_minor }]),
  );
  return { doubts, keptMinor, drawn };
}

/** False where it is on record as a capture of another payment. */
async function insertCapture(tx: Tx, paymentId: string, id: string, amountMinor: bigint): Promise<boolean> {
  const inserted = await tx
    .insertInto('captures')
    .values({ id, payment_id: paymentId, amount_minor: amountMinor })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted !== undefined) return true;
  const { payment_id: other } = await tx
    .selectFrom('captures')
    .select('payment_id')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  await noteDoubts(tx, other, [{ gatewayId: id, why: 'capture_elsewhere' }]);
  return false;
}

async function setCapture(tx: Tx, id: string, amountMinor: bigint): Promise<void> {
  await tx.updateTable('captures').set({ amount_minor: amountMinor }).where('id', '=', id).execute();
}

/**
 * Refunds and reversals that nobody here made, each counted with what the gateway shows now. An open one counts like a finished one.
 * One that is no longer listed was declined, if it was open; a finished one ends only where it is listed as declined.
 */
async function recordForeignReturns(
  tx: Tx,
  facts: OriginalFacts,
  drawn: ReadonlyMap<string, Drawn>,
): Promise<boolean> {
  const attempts = await tx.selectFrom('attempts').selectAll().where('payment_id', '=', facts.id).execute();
  const ours = new Set(attempts.flatMap(({ reference, gateway_id }) => [reference, gateway_id ?? reference]));
  const standing = await foreignReturns(tx, facts.id);
  const foreign = takenByReturns(facts).filter(
    ({ entry }) => !ours.has(entry.id) && (entry.reference === null || !ours.has(entry.reference)),
  );
  await placeOnCaptures(tx, facts, { foreign, attempts, drawn });
  let isChanged = false;
  for (const { entry, takenMinor } of foreign) {
    const before = standing.get(entry.id);
    const isFinal = entry.state === 'succeeded';
    if (await setForeignReturn(tx, facts.id, entry.id, before, takenMinor, isFinal)) isChanged = true;
  }
  const listed = new Set(facts.returns.map((entry) => entry.id));
  for (const [id, before] of standing) {
    if (listed.has(id)) continue;
    const isOver = facts.declined.includes(id) || (!before.isFinal && facts.coversCaptures);
    if (isOver && (await setForeignReturn(tx, facts.id, id, before, 0n, false))) isChanged = true;
  }
  return isChanged;
}

/**
 * What was taken from each capture without us: a refund goes where something is left. A query that may not show what hangs on a capture
 * makes none of it undone.
 */
async function placeOnCaptures(
  tx: Tx,
  { captures, disputes, coversCaptures }: OriginalFacts,
  known: {
    readonly foreign: ReturnType<typeof takenByReturns>;
    readonly attempts: readonly AttemptRow[];
    readonly drawn: ReadonlyMap<string, Drawn>;
  },
): Promise<void> {
  const taken = [
    ...known.foreign.map(({ entry, takenMinor }) => ({
      referencedId: entry.referencedId,
      amountMinor: takenMinor,
    })),
    ...disputes.map((dispute) => ({
      referencedId: dispute.referencedId ?? null,
      amountMinor: standingMinor(dispute),
      isDispute: true as const,
    })),
  ].filter(({ amountMinor }) => amountMinor > 0n);
  for (const placed of placeDrawn(captures, taken, (capture) => takenByOurs(known.attempts, capture))) {
    const { id } = placed;
    const before = known.drawn.get(id) ?? { certainMinor: 0n, doubtfulMinor: 0n };
    const now = coversCaptures ? placed : mostOf(before, placed);
    if (before.certainMinor === now.certainMinor && before.doubtfulMinor === now.doubtfulMinor) continue;
    await tx
      .updateTable('captures')
      .set({ elsewhere_minor: now.certainMinor, doubtful_minor: now.doubtfulMinor })
      .where('id', '=', id)
      .execute();
  }
}

const mostOf = (a: Drawn, b: Drawn): Drawn => ({
  certainMinor: a.certainMinor > b.certainMinor ? a.certainMinor : b.certainMinor,
  doubtfulMinor: a.doubtfulMinor > b.doubtfulMinor ? a.doubtfulMinor : b.doubtfulMinor,
});

interface ForeignReturn {
  /** What the balance holds for it now. */
  readonly minor: bigint;
  readonly isFinal: boolean;
  /** Events so far: the next one's number. */
  readonly events: number;
}

async function foreignReturns(tx: Tx, paymentId: string): Promise<Map<string, ForeignReturn>> {
  const events = await tx
    .selectFrom('events')
    .select([GATEWAY_ID.as('id'), IS_FINAL.as('final')])
    .select('succeeded_delta')
    .where('payment_id', '=', paymentId)
    .where('type', '=', 'payment.returned_elsewhere')
    .orderBy('events.id')
    .execute();
  const found = new Map<string, ForeignReturn>();
  for (const event of events) {
    const before = found.get(event.id);
    found.set(event.id, {
      minor: (before?.minor ?? 0n) + event.succeeded_delta,
      isFinal: event.final,
      events: (before?.events ?? 0) + 1,
    });
  }
  return found;
}

async function setForeignReturn(
  tx: Tx,
  paymentId: string,
  gatewayId: string,
  before: ForeignReturn | undefined,
  minor: bigint,
  isFinal: boolean,
): Promise<boolean> {
  const delta = minor - (before?.minor ?? 0n);
  if (before !== undefined && delta === 0n && before.isFinal === isFinal) return false;
  return appendOutside(tx, {
    key: `gateway:${gatewayId}:returned_elsewhere:${before?.events ?? 0}`,
    type: 'payment.returned_elsewhere',
    paymentId,
    succeeded: delta,
    data: { gatewayId, final: isFinal },
  });
}

/** It was ours after all: from now on the attempt counts it. True where it had been counted as one made elsewhere. */
export async function forgetForeignReturn(tx: Tx, paymentId: string, gatewayId: string): Promise<boolean> {
  const before = (await foreignReturns(tx, paymentId)).get(gatewayId);
  if (before === undefined || before.minor === 0n) return false;
  await setForeignReturn(tx, paymentId, gatewayId, before, 0n, false);
  return true;
}

/** On every refund that paid or may pay, else on the newest one. */
async function askAboutExcess(tx: Tx, payment: PaymentRow, overpaid: bigint): Promise<void> {
  const refunds = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', payment.id)
    .where('state', 'in', ['succeeded', 'settled', 'pending', 'unknown', 'submitting', 'manual_review'])
    .execute();
  const newest = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', payment.id)
    .orderBy('id', 'desc')
    .limit(1)
    .execute();
  for (const refund of refunds.length > 0 ? refunds : newest)
    await openCase(tx, refund, 'paid_twice', { excessMinor: overpaid.toString() });
}
