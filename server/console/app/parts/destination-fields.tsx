/** Choice of a credit's destination: a registration, a new card, or a card that was sealed before. */
import { useId } from 'react';
import { cardText, DESTINATION_KINDS, type DestinationChoice, type DestinationKind } from '../destination.js';
import type { FieldProblem } from '../data/request.js';
import type { InputField } from './action-fields.js';
import { Button, Moment } from './basics.js';
import { CardEntryFields } from './card-entry.js';
import { Field } from './field.js';

const LABELS: Readonly<Record<DestinationKind, string>> = {
  registration: 'Registration',
  card: 'New card',
  sealed: 'Sealed card',
};

const REGISTRATION: InputField = {
  name: 'destination.registrationId',
  label: 'Registration',
  hint: 'Stored card or account that receives the credit: 32 hexadecimal characters.',
  required: true,
};
const CARD_REF: InputField = {
  name: 'destination.cardRef',
  label: 'Reference of the card',
  hint: 'The cardRef that sealing the card gave. Never a card number.',
  required: true,
};

export function DestinationFields({
  id,
  choice,
  problems,
  first = false,
  onChange,
}: {
  /** Prefix of the ids of the fields. */
  readonly id: string;
  readonly choice: DestinationChoice;
  readonly problems: readonly FieldProblem[];
  readonly first?: boolean;
  readonly onChange: (choice: DestinationChoice) => void;
}) {
  const group = useId();
  const problemOf = (...names: readonly string[]): string | undefined =>
    problems.find(({ field }) => names.includes(field))?.message;
  const problem = problemOf('destination');
  return (
    <fieldset
      className="mt-3"
      aria-describedby={problem === undefined ? undefined : `${id}-destination-note`}
    >
      <legend className="text-sm font-medium">Destination</legend>
      <div className="mt-1 flex flex-wrap gap-x-4 gap-y-1 text-sm">
        {DESTINATION_KINDS.map((kind) => (
          <label key={kind} className="flex items-center gap-1.5">
            <input
              type="radio"
              data-first={first && choice.kind === kind ? '' : undefined}
              name={group}
              checked={choice.kind === kind}
              onChange={() => onChange({ ...choice, kind })}
            />
            {LABELS[kind]}
          </label>
        ))}
      </div>
      {choice.kind === 'registration' ? (
        <Field
          id={`${id}-${REGISTRATION.name}`}
          field={REGISTRATION}
          value={choice.registrationId}
          first={false}
          problem={problemOf(REGISTRATION.name)}
          onChange={(registrationId) => onChange({ ...choice, registrationId })}
        />
      ) : choice.kind === 'sealed' ? (
        <Field
          id={`${id}-${CARD_REF.name}`}
          field={CARD_REF}
          value={choice.cardRef}
          first={false}
          problem={problemOf(CARD_REF.name)}
          onChange={(cardRef) => onChange({ ...choice, cardRef })}
        />
      ) : choice.card === null ? (
        <CardEntryFields onSealed={(card) => onChange({ ...choice, card })} />
      ) : (
        <div className="mt-3 flex flex-wrap items-center justify-between gap-3 rounded-md bg-good-soft px-3 py-2 text-sm">
          <p role="status" className="min-w-0 text-good">
            <span className="font-medium">{cardText(choice.card)}</span> is sealed. Without a credit it is
            destroyed on <Moment at={choice.card.expiresAt} />.
          </p>
          <Button onClick={() => onChange({ ...choice, card: null })}>Use another card</Button>
        </div>
      )}
      {problem === undefined ? null : (
        <p id={`${id}-destination-note`} className="mt-1 text-xs text-bad">
          {problem}
        </p>
      )}
    </fieldset>
  );
}
