/** Search field for any id. */
import { useNavigate } from '@tanstack/react-router';
import { FIELD } from '../parts/basics.js';

const ID = 'search-any-id';

export function focusSearch(): void {
  const field = document.getElementById(ID);
  if (!(field instanceof HTMLInputElement)) return;
  field.focus();
  field.select();
}

export function SearchField() {
  const navigate = useNavigate();
  return (
    <search>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const typed = new FormData(event.currentTarget).get('q');
          const q = typeof typed === 'string' ? typed.trim() : '';
          if (q !== '') void navigate({ to: '/search', search: { q } });
        }}
      >
        <label htmlFor={ID} className="sr-only">
          Search by any id
        </label>
        <input
          id={ID}
          name="q"
          type="search"
          autoComplete="off"
          spellCheck={false}
          placeholder="Search by refund, payment, gateway or order id, or reference"
          aria-keyshortcuts="/"
          className={`max-w-xl ${FIELD}`}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
      </form>
    </search>
  );
}
