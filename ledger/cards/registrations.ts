/** Registrations of cards at the gateway, for entities whose credits to cards go to registrations. */
import { sql } from 'kysely';
import { v7 as uuid } from 'uuid';
import type { SealedCard } from '../../domain/card/sealed-card.js';
import { provesAbsence } from '../../domain/refund/absence.js';
import type { Timings } from '../../domain/refund/config.js';
import { registrationReference } from '../../domain/refund/reference.js';
import { usableCard } from '../attempts/credit-target.js';
import { append } from '../core/events.js';
import type { CardRegistrationTable, Database, Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { lockRefund } from '../core/locks.js';
import type { OpenRegistration, RegistrationOpened, RegistrationOutcome } from '../ledger.js';
import { destroyCard, isSameSealed, lockCard, readSealedCard, takeCvv } from './cards.js';

type Key = Pick<OpenRegistration, 'cardRef' | 'entityId'>;

const find = (tx: Tx, { cardRef, entityId }: Key) =>
  tx
    .selectFrom('card_registrations')
    .selectAll()
    .where('card_id', '=', cardRef)
    .where('entity_id', '=', entityId)
    .executeTakeFirst();

const isOpen = ({ state }: Pick<CardRegistrationTable, 'state'>): boolean =>
  state === 'submitting' || state === 'unknown';

/** A registration that is proven absent is sent again under its reference. After a decline, another request has another reference. */
export function openRegistration(
  database: Database,
  prepared: SealedCard,
  entityId: string,
  timings: Timings,
): Promise<RegistrationOpened> {
  return database.transaction(async (tx) => {
    const { cardRef } = prepared;
    await lockCard(tx, cardRef, 'update');
    const before = await find(tx, { cardRef, entityId });
    const usable = usableCard(await readSealedCard(tx, cardRef));
    if (before?.state === 'registered' || (before !== undefined && isOpen(before)))
      return { kind: 'check_again' };
    if (usable.kind === 'case' || !isSameSealed(prepared, usable.card)) return { kind: 'check_again' };
    const reference = before?.state === 'absent' ? before.reference : registrationReference(uuid());
    const opened = {
      reference,
      state: 'submitting' as const,
      result_code: null,
      result_description: null,
      not_found_count: 0,
      last_not_found_at: null,
      send_by: sql<Date>`now() + ${timings.sendWindow} * interval '1 millisecond'`,
      sent_at: NOW,
      answered_at: null,
    };
    if (before === undefined)
      await tx
        .insertInto('card_registrations')
        .values({ card_id: cardRef, entity_id: entityId, ...opened })
        .execute();
    else
      await tx
        .updateTable('card_registrations')
        .set(opened)
        .where('card_id', '=', cardRef)
        .where('entity_id', '=', entityId)
        .execute();
    if (prepared.cvv !== null) await takeCvv(tx, cardRef);
    return { kind: 'send', reference };
  });
}

export function recordRegistration(
  database: Database,
  refundId: string,
  { cardRef, entityId, reference }: Omit<OpenRegistration, 'at'>,
  outcome: RegistrationOutcome,
): Promise<void> {
  return database.transaction(async (tx) => {
    // The payment before the card, as every transaction that opens a credit: the event below needs the payment.
    const { payment } = await lockRefund(tx, refundId);
    await lockCard(tx, cardRef, 'update');
    const row = await find(tx, { cardRef, entityId });
    // A late answer of a registration that was proven absent counts as well.
    if (row === undefined || row.reference !== reference || row.state === 'registered') return;
    await tx
      .updateTable('card_registrations')
      .set(columnsOf(outcome))
      .where('card_id', '=', cardRef)
      .where('entity_id', '=', entityId)
      .execute();
    if (outcome.kind !== 'registered') return;
    await destroyCard(tx, cardRef, 'system', 'registered');
    await append(tx, {
      key: `card:${cardRef}:registered:${entityId}`,
      type: 'refund.card_registered',
      paymentId: payment.id,
      refundId,
      data: { cardRef, reference, registrationId: outcome.registrationId },
    });
  });
}

function columnsOf(outcome: RegistrationOutcome) {
  switch (outcome.kind) {
    case 'registered':
      return {
        state: 'registered',
        registration_id: outcome.registrationId,
        ...resultOf(outcome),
      } as const;
    case 'rejected':
      return { state: 'rejected', ...resultOf(outcome) } as const;
    case 'unknown':
      return { state: 'unknown' } as const;
    case 'not_sent':
      return { state: 'absent' } as const;
    default:
      return outcome satisfies never;
  }
}

const resultOf = ({ result }: Extract<RegistrationOutcome, { kind: 'registered' | 'rejected' }>) => ({
  result_code: result.code,
  result_description: result.description,
  answered_at: NOW,
});

/** True if the outcome is still open. */
export function recordRegistrationNotFound(
  database: Database,
  { cardRef, entityId, reference, at }: OpenRegistration,
  timings: Timings,
): Promise<boolean> {
  return database.transaction(async (tx) => {
    await lockCard(tx, cardRef, 'update');
    const row = await find(tx, { cardRef, entityId });
    if (row === undefined || row.reference !== reference || !isOpen(row)) return false;
    const verdict = provesAbsence(
      {
        sinceSendByMs: at.getTime() - row.send_by.getTime(),
        sinceLastNotFoundMs:
          row.last_not_found_at === null ? null : at.getTime() - row.last_not_found_at.getTime(),
        notFoundCount: row.not_found_count,
        // A registration refers to no payment that the same query could find.
        originalFound: true,
      },
      timings,
    );
    if (verdict === 'no_proof') return true;
    await tx
      .updateTable('card_registrations')
      .set({
        state: verdict === 'absent' ? 'absent' : 'unknown',
        not_found_count: row.not_found_count + 1,
        last_not_found_at: at,
      })
      .where('card_id', '=', cardRef)
      .where('entity_id', '=', entityId)
      .execute();
    return verdict !== 'absent';
  });
}
