/** Finds the destination of a credit, and whether its card may be submitted now. */
import type { SealedCard } from '../../domain/card/sealed-card.js';
import {
  isCardDestination,
  type Destination,
  type ShownDestination,
} from '../../domain/refund/destination.js';
import type { CaseReason } from '../../domain/refund/reasons.js';
import { isSameSealed, lockCard, readSealedCard, takeCvv, type FoundCard } from '../cards/cards.js';
import type { AttemptRow, PaymentRow, RefundRow } from '../core/locks.js';
import { shownDestination } from '../core/shown-destination.js';
import type { Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import type { OpenRegistration } from '../ledger.js';

/** The destination of a credit as the guard, the limits and the approver need it. */
export interface CreditTarget {
  readonly destination: Destination;
  readonly shown: ShownDestination;
  /** One text for each destination, for the limits: the registration, or the fingerprint of the card. */
  readonly key: string;
}

/** Returns the destination of the refund's credit: the one that was named, or the registration that paid. */
export async function creditTarget(
  tx: Tx,
  { destination }: Pick<RefundRow, 'destination'>,
  { registration_id: registrationId }: Pick<PaymentRow, 'registration_id'>,
): Promise<CreditTarget | null> {
  if (isCardDestination(destination)) {
    const found = await shownDestination(tx, destination);
    return found === null ? null : { destination, ...found };
  }
  const id = destination?.registrationId ?? registrationId;
  if (id === null) return null;
  const registration = { registrationId: id };
  return { destination: registration, shown: registration, key: id };
}

/** True if the absent attempt went to this destination: only then it is submitted again. */
export function isFor(attempt: AttemptRow, { destination }: CreditTarget): boolean {
  return isCardDestination(destination)
    ? attempt.card_id === destination.cardRef
    : attempt.card_id === null && attempt.registration_id === destination.registrationId;
}

/** The means that are submitted, the card that has to be opened first, or why an operator is needed. */
export type Means =
  | {
      readonly kind: 'ready';
      readonly registrationId: string | null;
      readonly cardRef: string | null;
      readonly withCvv: boolean;
    }
  | { readonly kind: 'open_card'; readonly card: SealedCard }
  | { readonly kind: 'open_registration'; readonly registration: OpenRegistration }
  | {
      readonly kind: 'case';
      readonly why: CaseReason;
      readonly details: Readonly<Record<string, unknown>>;
    };

/**
 * Returns the means of a credit that the guard allows. A card is ready once it was opened exactly as it is sealed now. The key of its CVV is
 * deleted here, so in the transaction that opens the attempt and before a byte leaves.
 */
export async function meansOf(
  tx: Tx,
  { destination }: CreditTarget,
  entityId: string,
  prepared: SealedCard | undefined,
): Promise<Means> {
  if (!isCardDestination(destination))
    return { kind: 'ready', registrationId: destination.registrationId, cardRef: null, withCvv: false };
  const { cardRef } = destination;
  await lockCard(tx, cardRef, 'update');
  const registration = await tx
    .selectFrom('card_registrations')
    .select(['state', 'reference', 'registration_id', NOW.as('now')])
    .where('card_id', '=', cardRef)
    .where('entity_id', '=', entityId)
    .executeTakeFirst();
  if (registration?.state === 'registered')
    return { kind: 'ready', registrationId: registration.registration_id, cardRef, withCvv: false };
  if (registration?.state === 'submitting' || registration?.state === 'unknown') {
    const { reference, now: at } = registration;
    return { kind: 'open_registration', registration: { cardRef, entityId, reference, at } };
  }
  const usable = usableCard(await readSealedCard(tx, cardRef));
  if (usable.kind === 'case') return usable;
  const withCvv = usable.card.cvv !== null;
  if (prepared === undefined || !isSameSealed(prepared, usable.card)) return usable;
  if (withCvv) await takeCvv(tx, cardRef);
  return { kind: 'ready', registrationId: null, cardRef, withCvv };
}

/** Returns the sealed card, or the case if it cannot be submitted as it is. */
export function usableCard(found: FoundCard): Extract<Means, { kind: 'open_card' | 'case' }> {
  switch (found.kind) {
    case 'unknown':
      return { kind: 'case', why: 'card_destroyed', details: {} };
    case 'destroyed':
      return { kind: 'case', why: 'card_destroyed', details: { end: found.why } };
    case 'no_key':
      return { kind: 'case', why: 'card_unreadable', details: { problem: 'the key of the card is missing' } };
    case 'sealed':
      return found.row.needs_cvv && found.sealed.cvv === null
        ? { kind: 'case', why: 'cvv_needed', details: {} }
        : { kind: 'open_card', card: found.sealed };
    default:
      return found satisfies never;
  }
}
