/** Input field of card data. Its value is in the element only: it has no state, no name and no entry in what the browser remembers. */
import type { CardField } from '../card-entry.js';
import { FIELD } from './basics.js';

/**
 * Attributes that keep card data out of the browser. With `autocomplete="off"` browsers store a value neither for suggestions nor in the
 * form data of the session history; `one-time-code` would be stored there. Autofill of cards ignores it and goes by names and labels: there
 * is no name, and no label of a field alone says that it belongs to a card. The `data-` attributes are those that password managers read.
 */
const NOT_KEPT = {
  type: 'text',
  autoComplete: 'off',
  autoCorrect: 'off',
  autoCapitalize: 'off',
  spellCheck: false,
  'data-1p-ignore': '',
  'data-bwignore': '',
  'data-lpignore': 'true',
  'data-form-type': 'other',
} as const;

export interface CardFieldSpec {
  readonly field: CardField;
  readonly label: string;
  readonly hint: string;
  readonly longest: number;
  readonly optional?: true;
  readonly digits?: true;
  /** Shows dots instead of characters. A field of type `password` would be offered to password managers. */
  readonly masked?: true;
}

export function CardInput({
  id,
  spec: { field, label, hint, longest, optional, digits, masked },
  problem,
  first = false,
}: {
  readonly id: string;
  readonly spec: CardFieldSpec;
  readonly problem: string | undefined;
  readonly first?: boolean;
}) {
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
        {optional === true ? <span className="font-normal text-quiet"> (optional)</span> : null}
      </label>
      <input
        {...NOT_KEPT}
        id={id}
        data-card-field={field}
        data-first={first ? '' : undefined}
        inputMode={digits === true ? 'numeric' : 'text'}
        maxLength={longest}
        required={optional !== true}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-note`}
        className={`mt-1 ${FIELD} ${masked === true ? '[-webkit-text-security:disc]' : ''} ${problem === undefined ? '' : 'border-bad'}`}
      />
      <p id={`${id}-note`} className={`mt-1 text-xs ${problem === undefined ? 'text-quiet' : 'text-bad'}`}>
        {problem ?? hint}
      </p>
    </div>
  );
}
