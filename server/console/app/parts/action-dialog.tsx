/** Dialog of an action: shows the money effect, asks for the note, sends the command, and shows problems at their fields. */
import { useMutation } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { refetchPages, useMe } from '../data/queries.js';
import { ApiProblem, request, type FieldProblem } from '../data/request.js';
import type { Action, Refund } from '../data/shapes.js';
import { DESTINATION_FIELDS, destinationOf, NO_DESTINATION, type DestinationChoice } from '../destination.js';
import { effectHere } from '../operator-need.js';
import { signOut, useKey } from '../session.js';
import { texts } from '../text.js';
import { bodyOf, fieldsOf, VERBS } from './action-fields.js';
import { Amount, Button, Fact } from './basics.js';
import { DestinationFields } from './destination-fields.js';
import { Field } from './field.js';
import { Modal } from './modal.js';

/** Actions that send the instruction that was shown, so that the API refuses them if the instruction has changed since. */
const WITH_INSTRUCTION: readonly string[] = ['approve', 'reject'];

/** Report of a replay or its dry run. */
interface Replay {
  readonly outcome: string;
  readonly effect: string;
  readonly gateway: string;
  readonly stuck: string | null;
}

/** Response of a command: the refund, and for a replay also its report. */
interface Outcome extends Pick<Refund, 'state'> {
  readonly replay?: Replay;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  over: 'The refund is already final.',
  replayed: 'Replayed from the first step that was not submitted.',
  alive: 'The workflow is already running.',
  started: 'A new workflow run was started.',
  restarted: 'The workflow was restarted.',
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
  const hasDestination = action.action === 'change-destination';
  const [choice, setChoice] = useState<DestinationChoice>(NO_DESTINATION);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [missing, setMissing] = useState<readonly FieldProblem[]>([]);
  // The instruction that the operator sees now. The refund may change before the button is pressed.
  const [instruction] = useState(refund.proposal?.instruction ?? refund.approval?.instruction);
  const { verb, done, grave } = VERBS[action.action];
  const [preview, setPreview] = useState<Replay | null>(null);

  const send = useMutation({
    mutationFn: ({ dryRun }: { readonly dryRun: boolean }) =>
      request<Outcome>(`/v1/refunds/${encodeURIComponent(refund.id)}/${action.action}`, {
        key,
        body: {
          ...(action.action === 'replay' ? { dryRun } : {}),
          ...bodyOf(fields, values),
          ...(hasDestination ? { destination: destinationOf(choice) } : {}),
          ...(WITH_INSTRUCTION.includes(action.action) && instruction !== undefined ? { instruction } : {}),
        },
      }),
    onSuccess: ({ state, replay }, { dryRun }) => {
      if (dryRun) setPreview(replay ?? null);
      else onDone(`${OUTCOMES[replay?.outcome ?? ''] ?? done} New state: ${texts(state)}.`);
    },
    onError: (error) => {
      if (error instanceof ApiProblem && error.status === 401) signOut(error.message);
    },
    onSettled: refetchPages,
  });

  /** Returns true if all required fields are filled. Otherwise marks them and focuses the first. */
  function complete(): boolean {
    const destination = destinationOf(choice);
    const absent = [
      ...(hasDestination && 'field' in destination ? [destination] : []),
      ...fields
        .filter(({ name, required }) => required && !values[name]?.trim())
        .map(({ name, label }) => ({ field: name, code: 'missing', message: `${label} is required.` })),
    ];
    setMissing(absent);
    const [first] = absent;
    if (first !== undefined) document.getElementById(`${id}-${first.field}`)?.focus();
    return first === undefined;
  }

  const reported = send.error instanceof ApiProblem ? send.error.problems : [];
  const problems = missing.length > 0 ? missing : reported;
  const otherProblems = problems.filter(
    ({ field }) =>
      !fields.some(({ name }) => name === field) && !(hasDestination && DESTINATION_FIELDS.includes(field)),
  );

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
        {action.needsApprover ? (
          <p className="mt-1 text-sm">Takes effect after a second approver confirms it.</p>
        ) : null}
      </div>
      <p className="mt-2 text-sm text-quiet">
        Refund of <Amount amount={refund.amount} currency={refund.currency} />
        {refund.orderId === null ? '' : ` · order ${refund.orderId}`} · requested by {refund.requestedBy}
      </p>
      {hasDestination ? (
        <DestinationFields first id={id} choice={choice} problems={problems} onChange={setChoice} />
      ) : null}
      {fields.map((field, index) => (
        <Field
          key={field.name}
          id={`${id}-${field.name}`}
          field={field}
          value={values[field.name] ?? ''}
          first={index === 0 && !hasDestination}
          problem={problems.find((one) => one.field === field.name)?.message}
          onChange={(value) => setValues({ ...values, [field.name]: value })}
        />
      ))}
      {send.error === null ||
      (reported.length > 0 && otherProblems.length === 0) ||
      missing.length > 0 ? null : (
        <p role="alert" className="mt-3 rounded-md bg-bad-soft px-3 py-2 text-sm break-words text-bad">
          {otherProblems.length > 0
            ? otherProblems.map(({ field, message }) => `${field}: ${message}`).join(' ')
            : send.error.message}
        </p>
      )}
      {preview === null ? null : <Preview replay={preview} />}
      <div className="mt-5 flex flex-wrap items-center justify-end gap-2">
        <span className="mr-auto text-sm text-quiet">Signed in as {me?.name}</span>
        <Button onClick={onClose}>Cancel</Button>
        {action.action === 'replay' ? (
          <Button
            disabled={send.isPending}
            onClick={() => {
              if (complete()) send.mutate({ dryRun: true });
            }}
          >
            Preview
          </Button>
        ) : null}
        <Button query="primary" type="submit" disabled={send.isPending}>
          {send.isPending ? 'Working…' : verb}
        </Button>
      </div>
    </form>
  );
}

/** Result of a dry run: what a replay would do. */
function Preview({ replay }: { readonly replay: Replay }) {
  return (
    <dl role="status" className="-mx-4 mt-3 rounded-md bg-raised py-1.5">
      <Fact name="Next step">{replay.effect}</Fact>
      <Fact name="At the gateway">{replay.gateway}</Fact>
      <Fact name="Stuck">{replay.stuck ?? 'No: it continues by itself, or is final'}</Fact>
    </dl>
  );
}
