/** Before anything changes: what it does to the money, who and why; afterwards what came of it, or what was wrong where. */
import { useMutation } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { queries, useMe } from '../data/queries.js';
import { ApiProblem, request, type FieldProblem } from '../data/request.js';
import type { Action, Refund } from '../data/shapes.js';
import { effectHere } from '../need.js';
import { signOut, useKey } from '../session.js';
import { words } from '../text.js';
import { bodyOf, fieldsOf, VERBS } from './action-fields.js';
import { Amount, Button, Fact } from './basics.js';
import { Field } from './field.js';
import { Modal } from './modal.js';

/** A word about exactly what was shown: it does not count for anything that has changed meanwhile. */
const BOUND: readonly string[] = ['approve', 'reject'];

/** Found and done by a replay. */
interface Replay {
  readonly outcome: string;
  readonly effect: string;
  readonly gateway: string;
  readonly stuck: string | null;
}

/** Every command answers the refund, a replay also what it found and did. */
interface Outcome extends Pick<Refund, 'state'> {
  readonly replay?: Replay;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  over: 'Nothing was left to do.',
  replayed: 'It goes on from its first unsent step.',
  alive: 'A run is under way and was left alone.',
  started: 'It runs again.',
  restarted: 'It was started anew.',
};

interface DialogProps {
  readonly refund: Refund;
  readonly onClose: () => void;
  readonly onDone: (text: string) => void;
}

function titleOf({ action }: Action): string {
  const { verb, title } = VERBS[action];
  return title ?? `${verb} this refund`;
}

export function ActionDialog({ action, ...rest }: DialogProps & { readonly action: Action | null }) {
  return (
    <Modal open={action !== null} onClose={rest.onClose} title={action === null ? '' : titleOf(action)}>
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
  const [foreseen, setForeseen] = useState<Replay | null>(null);

  const send = useMutation({
    mutationFn: ({ dryRun }: { readonly dryRun: boolean }) =>
      request<Outcome>(`/v1/refunds/${encodeURIComponent(refund.id)}/${action.action}`, {
        key,
        body: {
          ...(action.action === 'replay' ? { dryRun } : {}),
          ...bodyOf(fields, values),
          ...(BOUND.includes(action.action) && instruction !== undefined ? { instruction } : {}),
        },
      }),
    onSuccess: ({ state, replay }, { dryRun }) => {
      if (dryRun) setForeseen(replay ?? null);
      else onDone(`${OUTCOMES[replay?.outcome ?? ''] ?? done} It is ${words(state)} now.`);
    },
    onError: (error) => {
      if (error instanceof ApiProblem && error.status === 401) signOut(error.message);
    },
    onSettled: () => queries.invalidateQueries({ predicate: ({ meta }) => meta?.['live'] === true }),
  });

  /** What is missing is named, and the focus goes there. */
  function complete(): boolean {
    const absent = fields
      .filter(({ name, required }) => required && !values[name]?.trim())
      .map(({ name, label }) => ({ field: name, code: 'missing', message: `${label} is needed.` }));
    setMissing(absent);
    const [first] = absent;
    if (first !== undefined) document.getElementById(`${id}-${first.field}`)?.focus();
    return first === undefined;
  }

  const said = send.error instanceof ApiProblem ? send.error.problems : [];
  const problems = missing.length > 0 ? missing : said;
  const elsewhere = problems.filter(({ field }) => !fields.some(({ name }) => name === field));

  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (complete()) send.mutate({ dryRun: false });
      }}
    >
      <div
        className={`rounded-md px-3 py-2.5 ${grave ? 'bg-warn-soft text-warn' : 'bg-info-soft text-info'}`}
      >
        <p className="font-medium break-words">{effectHere(action.effect, refund)}</p>
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
      {foreseen === null ? null : <Foreseen replay={foreseen} />}
      <div className="mt-5 flex flex-wrap items-center justify-end gap-2">
        <span className="mr-auto text-sm text-quiet">as {me?.name}</span>
        <Button onClick={onClose}>Cancel</Button>
        {action.action === 'replay' ? (
          <Button
            disabled={send.isPending}
            onClick={() => {
              if (complete()) send.mutate({ dryRun: true });
            }}
          >
            What would it do?
          </Button>
        ) : null}
        <Button look="primary" type="submit" disabled={send.isPending}>
          {send.isPending ? 'One moment…' : verb}
        </Button>
      </div>
    </form>
  );
}

/** What a re-run would do, as the service found out without doing it. */
function Foreseen({ replay }: { readonly replay: Replay }) {
  return (
    <dl role="status" className="-mx-4 mt-3 rounded-md bg-raised py-1.5">
      <Fact name="It would do">{replay.effect}</Fact>
      <Fact name="Gateway shows">{replay.gateway}</Fact>
      <Fact name="Stuck">{replay.stuck ?? 'no: it goes on by itself, or is over'}</Fact>
    </dl>
  );
}
