/** One field for every id that somebody may have in hand. */
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
          placeholder="Any id: refund, payment, gateway, order, reference…"
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
