/** Input field with its label, hint and problem. */
import { texts } from '../text.js';
import type { InputField } from './action-fields.js';
import { FIELD } from './basics.js';

export function Field({
  id,
  field: { label, hint, required, options, longest },
  value,
  first,
  problem,
  onChange,
}: {
  readonly id: string;
  readonly field: InputField;
  readonly value: string;
  readonly first: boolean;
  readonly problem: string | undefined;
  readonly onChange: (value: string) => void;
}) {
  const shared = {
    id,
    value,
    required,
    'data-first': first ? '' : undefined,
    'aria-invalid': problem !== undefined,
    'aria-describedby': `${id}-note`,
    className: `mt-1 ${FIELD} ${problem === undefined ? '' : 'border-bad'}`,
  };
  return (
    <div className="mt-3">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
        {required ? null : <span className="font-normal text-quiet"> (optional)</span>}
      </label>
      {options !== undefined ? (
        <select {...shared} onChange={(event) => onChange(event.target.value)}>
          <option value="">Select…</option>
          {options.map((option) => (
            <option key={option} value={option}>
              {texts(option)}
            </option>
          ))}
        </select>
      ) : longest !== undefined ? (
        <textarea
          {...shared}
          rows={2}
          maxLength={longest}
          onChange={(event) => onChange(event.target.value)}
        />
      ) : (
        <input
          {...shared}
          type="text"
          autoComplete="off"
          spellCheck={false}
          maxLength={500}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
      <p id={`${id}-note`} className={`mt-1 text-xs ${problem === undefined ? 'text-quiet' : 'text-bad'}`}>
        {problem ?? hint}
      </p>
    </div>
  );
}
