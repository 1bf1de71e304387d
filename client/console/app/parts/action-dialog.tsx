/** Before anything changes: what it does to the money, who and why; afterwards what came of it, or what was wrong where. */
import { useMutation } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { queries, useMe } from '../data/queries.js';
import { ApiProblem, request, type FieldProblem } from '../data/request.js';
import type { Action, Refund } from '../data/shapes.js';
import { signOut, useKey } from '../session.js';
import { words } from '../text.js';
import { fieldsOf, VERBS, type InputField } from './action-fields.js';
import { Amount, Button, FIELD } from './basics.js';
import { Modal } from './modal.js';

interface DialogProps {
  readonly refund: Refund;
  readonly onClose: () => void;
  readonly onDone: (text: string) => void;
}

export function ActionDialog({ action, ...rest }: DialogProps & { readonly action: Action | null }) {
  return (
    <Modal
      open={action !== null}
      onClose={rest.onClose}
      title={action === null ? '' : `${VERBS[action.action].verb} this refund`}
    >
      {action === null ? null : <Form action={action} {...rest} />}
    </Modal>
  );
}

function Form({ action, refund, onClose, onDone }: DialogProps & { readonly action: Action }) {
  const key = useKey();
  const { data: me } = useMe();
  const id = useId();
  const fields = fieldsOf(action);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [missing, setMissing] = useState<readonly FieldProblem[]>([]);
  // What the person sees now, and not what may be there when the button is pressed.
  const [instruction] = useState(refund.proposal?.instruction ?? refund.approval?.instruction);
  const { verb, done, grave } = VERBS[action.action];

  const send = useMutation({
    mutationFn: () =>
      request<Refund>(`/v1/refunds/${encodeURIComponent(refund.id)}/${action.action}`, {
        key,
        body: {
          ...Object.fromEntries(
            fields.flatMap(({ name }) => (values[name]?.trim() ? [[name, values[name].trim()]] : [])),
          ),
          ...(action.input.includes('instruction') && instruction !== undefined ? { instruction } : {}),
        },
      }),
    onSuccess: (after) => onDone(`${done} The refund is ${words(after.state)} now.`),
    onError: (error) => {
      if (error instanceof ApiProblem && error.status === 401) signOut(error.message);
    },
    onSettled: () => queries.invalidateQueries({ predicate: ({ meta }) => meta?.['live'] === true }),
  });

  const said = send.error instanceof ApiProblem ? send.error.problems : [];
  const problems = missing.length > 0 ? missing : said;
  const elsewhere = problems.filter(({ field }) => !fields.some(({ name }) => name === field));

  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const absent = fields
          .filter(({ name, required }) => required && !values[name]?.trim())
          .map(({ name, label }) => ({ field: name, code: 'missing', message: `${label} is needed.` }));
        setMissing(absent);
        const [first] = absent;
        if (first !== undefined) document.getElementById(`${id}-${first.field}`)?.focus();
        else send.mutate();
      }}
    >
      <div
        className={`rounded-md px-3 py-2.5 ${grave ? 'bg-warn-soft text-warn' : 'bg-info-soft text-info'}`}
      >
        <p className="font-medium break-words">{action.effect}</p>
        {action.secondPerson ? (
          <p className="mt-1 text-sm">A second person has to confirm it before it counts.</p>
        ) : null}
      </div>
      <p className="mt-2 text-sm text-quiet">
        Refund of <Amount amount={refund.amount} currency={refund.currency} />
        {refund.orderId === null ? '' : ` · order ${refund.orderId}`} · asked for by {refund.requestedBy}
      </p>
      {fields.map((field, index) => (
        <Field
          key={field.name}
          id={`${id}-${field.name}`}
          field={field}
          value={values[field.name] ?? ''}
          first={index === 0}
          problem={problems.find((one) => one.field === field.name)?.message}
          onChange={(value) => setValues({ ...values, [field.name]: value })}
        />
      ))}
      {send.error === null || (said.length > 0 && elsewhere.length === 0) || missing.length > 0 ? null : (
        <p role="alert" className="mt-3 rounded-md bg-bad-soft px-3 py-2 text-sm break-words text-bad">
          {elsewhere.length > 0
            ? elsewhere.map(({ field, message }) => `${field}: ${message}`).join(' ')
            : send.error.message}
        </p>
      )}
      <div className="mt-5 flex flex-wrap items-center justify-end gap-2">
        <span className="mr-auto text-sm text-quiet">as {me?.name}</span>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" disabled={send.isPending}>
          {send.isPending ? 'One moment…' : verb}
        </Button>
      </div>
    </form>
  );
}

function Field({
  id,
  field: { label, hint, required, options, long },
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
          <option value="">choose…</option>
          {options.map((option) => (
            <option key={option} value={option}>
              {words(option)}
            </option>
          ))}
        </select>
      ) : long === true ? (
        <textarea {...shared} rows={2} maxLength={500} onChange={(event) => onChange(event.target.value)} />
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
