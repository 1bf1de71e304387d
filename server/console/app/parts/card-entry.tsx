/** Fields of a new card, with the button that seals it. Typed card data is sent once and cleared at the same moment. */
import { useId, useReducer, useRef, useState } from 'react';
import { CARD_BRANDS } from '../../../../domain/card/schemes.js';
import { clearFields, problemsOfEntry, readEntry, SECRET_FIELDS } from '../card-entry.js';
import { useClearing } from '../card-clearing.js';
import { sealCard } from '../data/cards.js';
import { ApiProblem, type FieldProblem } from '../data/request.js';
import type { SealedCard } from '../data/shapes.js';
import { signOut, useKey } from '../session.js';
import { Button, FIELD } from './basics.js';
import { CardInput, type CardFieldSpec } from './card-field.js';

const NUMBER: CardFieldSpec = {
  field: 'number',
  label: 'Number',
  hint: '12 to 19 digits; blanks are ignored.',
  longest: 40,
  digits: true,
};
const HOLDER: CardFieldSpec = {
  field: 'holder',
  label: 'Holder',
  hint: 'As printed on the card.',
  longest: 128,
};
const MONTH: CardFieldSpec = {
  field: 'expiryMonth',
  label: 'Month',
  hint: '01 to 12.',
  longest: 2,
  digits: true,
};
const YEAR: CardFieldSpec = {
  field: 'expiryYear',
  label: 'Year',
  hint: 'Four digits.',
  longest: 4,
  digits: true,
};
const CVV: CardFieldSpec = {
  field: 'cvv',
  label: 'CVV',
  hint: 'Kept for one use, 24 hours at most.',
  longest: 4,
  digits: true,
  optional: true,
  masked: true,
};

export function CardEntryFields({
  onSealed,
  first = false,
}: {
  readonly onSealed: (card: SealedCard) => void;
  readonly first?: boolean;
}) {
  const key = useKey();
  const id = useId();
  const box = useRef<HTMLFieldSetElement>(null);
  const isSending = useRef(false);
  // New elements for number and CVV after each clearing: the browser can undo what was typed into the old ones.
  const [generation, renew] = useReducer((count: number) => count + 1, 0);
  const [problems, setProblems] = useState<readonly FieldProblem[]>([]);
  const [message, setMessage] = useState<string | null>(null);
  const [pending, setPending] = useState(false);

  useClearing(box, () => {
    renew();
    setProblems([]);
    setMessage('The card data was cleared after five minutes without input.');
  });

  function showProblems(found: readonly FieldProblem[]): void {
    setProblems(found);
    const [wrong] = found;
    if (wrong !== undefined) document.getElementById(`${id}-${wrong.field}`)?.focus();
  }

  async function seal(): Promise<void> {
    if (box.current === null || isSending.current) return;
    const entry = readEntry(box.current);
    const found = problemsOfEntry(entry);
    setMessage(null);
    showProblems(found);
    if (found.length > 0) return;
    clearFields(box.current, SECRET_FIELDS);
    renew();
    isSending.current = true;
    setPending(true);
    try {
      onSealed(await sealCard(key, entry));
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) signOut(error.message);
      const reported = error instanceof ApiProblem ? error.problems : [];
      showProblems(reported);
      setMessage(
        `${reported.length > 0 || !(error instanceof Error) ? 'The card was not sealed.' : error.message} Number and CVV were cleared: type them again.`,
      );
    } finally {
      isSending.current = false;
      setPending(false);
    }
  }

  const shown = { id, problems };
  const other = problems.filter(({ field }) => !FIELDS.includes(field));
  return (
    <fieldset
      ref={box}
      className="mt-3 grid gap-3 rounded-md border border-line p-3 sm:grid-cols-2"
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.target instanceof HTMLInputElement)) return;
        // Enter would submit the form around these fields.
        event.preventDefault();
        void seal();
      }}
    >
      <legend className="px-1 text-sm font-medium">New card</legend>
      <Input key={`number-${generation}`} spec={NUMBER} first={first} {...shown} />
      <Input spec={HOLDER} {...shown} />
      <fieldset className="grid grid-cols-2 gap-3">
        <legend className="sr-only">Valid until</legend>
        <Input spec={MONTH} {...shown} />
        <Input spec={YEAR} {...shown} />
      </fieldset>
      <div className="grid grid-cols-2 gap-3">
        <Input key={`cvv-${generation}`} spec={CVV} {...shown} />
        <Brand {...shown} />
      </div>
      <div className="flex flex-wrap items-center gap-3 sm:col-span-2">
        <Button disabled={pending} onClick={() => void seal()}>
          {pending ? 'Sealing…' : 'Seal card'}
        </Button>
        <p
          role={problems.length > 0 || message !== null ? 'alert' : undefined}
          className="min-w-0 text-sm break-words text-quiet"
        >
          {[message, ...other.map((one) => `${one.field}: ${one.message}`)]
            .filter((text) => text !== null)
            .join(' ') ||
            'Number and CVV leave this page when the card is sealed. They cannot be shown again.'}
        </p>
      </div>
    </fieldset>
  );
}

const FIELDS: readonly string[] = [...[NUMBER, HOLDER, MONTH, YEAR, CVV].map(({ field }) => field), 'brand'];

interface Shown {
  readonly id: string;
  readonly problems: readonly FieldProblem[];
}

const problemOf = (problems: readonly FieldProblem[], field: string): string | undefined =>
  problems.find((one) => one.field === field)?.message;

function Input({
  id,
  problems,
  spec,
  first = false,
}: Shown & { readonly spec: CardFieldSpec; readonly first?: boolean }) {
  return (
    <CardInput
      id={`${id}-${spec.field}`}
      spec={spec}
      problem={problemOf(problems, spec.field)}
      first={first}
    />
  );
}

function Brand({ id, problems }: Shown) {
  const problem = problemOf(problems, 'brand');
  return (
    <div className="min-w-0">
      <label htmlFor={`${id}-brand`} className="text-sm font-medium">
        Brand
      </label>
      <select
        id={`${id}-brand`}
        data-card-field="brand"
        autoComplete="off"
        defaultValue=""
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-brand-note`}
        className={`mt-1 ${FIELD} ${problem === undefined ? '' : 'border-bad'}`}
      >
        <option value="">By number</option>
        {[...CARD_BRANDS].map((brand) => (
          <option key={brand}>{brand}</option>
        ))}
      </select>
      <p
        id={`${id}-brand-note`}
        className={`mt-1 text-xs ${problem === undefined ? 'text-quiet' : 'text-bad'}`}
      >
        {problem ?? 'Needed where the number does not decide it.'}
      </p>
    </div>
  );
}
