/** Destination of a credit as an operator chooses it on a form. */
import type { FieldProblem } from './data/request.js';
import type { SealedCard } from './data/shapes.js';

export const DESTINATION_KINDS = ['registration', 'card', 'sealed'] as const;
export type DestinationKind = (typeof DESTINATION_KINDS)[number];

export interface DestinationChoice {
  /** `card`: a card that is typed here. `sealed`: a card that was sealed before, by its reference. */
  readonly kind: DestinationKind;
  readonly registrationId: string;
  readonly card: SealedCard | null;
  readonly cardRef: string;
}

export const NO_DESTINATION: DestinationChoice = {
  kind: 'registration',
  registrationId: '',
  card: null,
  cardRef: '',
};

/** Fields of the form, by the names that the API gives them. */
export const DESTINATION_FIELDS: readonly string[] = [
  'destination',
  'destination.registrationId',
  'destination.cardRef',
];

type Destination = { readonly registrationId: string } | { readonly cardRef: string };

/** Returns the destination as the API takes it, or the problem of a choice that names none yet. */
export function destinationOf(choice: DestinationChoice): Destination | FieldProblem {
  const { kind, card } = choice;
  const missing = (field: string, message: string): FieldProblem => ({ field, code: 'missing', message });
  switch (kind) {
    case 'registration': {
      const registrationId = choice.registrationId.trim();
      return registrationId === ''
        ? missing('destination.registrationId', 'Registration is required.')
        : { registrationId };
    }
    case 'sealed': {
      const cardRef = choice.cardRef.trim();
      return cardRef === ''
        ? missing('destination.cardRef', 'Reference of the card is required.')
        : { cardRef };
    }
    case 'card':
      return card === null
        ? missing('destination', 'Seal the card first: then you see where the credit goes.')
        : { cardRef: card.cardRef };
  }
}

/** Describes the destination: `VISA …0000`, `registration 8ac7…`. Null if none is named yet. */
export function destinationText({ kind, registrationId, card, cardRef }: DestinationChoice): string | null {
  switch (kind) {
    case 'registration':
      return registrationId.trim() === '' ? null : `registration ${registrationId.trim()}`;
    case 'sealed':
      return cardRef.trim() === '' ? null : `the sealed card ${cardRef.trim()}`;
    case 'card':
      return card === null ? null : cardText(card);
  }
}

/** Shows a card by brand and last digits, and the holder's initials if they are known: `VISA …0000 of JD`. */
export const cardText = ({ brand, last4, initials }: ShownCard): string =>
  `${brand} …${last4}${initials === undefined ? '' : ` of ${initials}`}`;

interface ShownCard extends Pick<SealedCard, 'brand' | 'last4'> {
  readonly initials?: string;
}
