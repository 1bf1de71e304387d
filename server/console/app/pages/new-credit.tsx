/** New credit page: pays a customer without a refund, to a registration or to a card. */
import { useId, useState } from 'react';
import { useMe } from '../data/queries.js';
import { ApiProblem, request, type FieldProblem } from '../data/request.js';
import type { Refund } from '../data/shapes.js';
import {
  DESTINATION_FIELDS,
  destinationOf,
  destinationText,
  NO_DESTINATION,
  type DestinationChoice,
} from '../destination.js';
import { bodyOf, type InputField } from '../parts/action-fields.js';
import { Button, Panel } from '../parts/basics.js';
import { DestinationFields } from '../parts/destination-fields.js';
import { Field } from '../parts/field.js';
import { PageFrame } from '../parts/page.js';
import { randomId } from '../random-id.js';
import { signOut, useKey } from '../session.js';
import { grouped } from '../text.js';

const FIELDS: readonly InputField[] = [
  { name: 'amount', label: 'Amount', hint: 'For example 12.30.', required: true },
  { name: 'currency', label: 'Currency', hint: 'Three letters, such as EUR.', required: true },
  {
    name: 'reason',
    label: 'Reason',
    hint: 'For example goodwill. Stored unencrypted: never a card number.',
    required: true,
  },
  {
    name: 'paymentId',
    label: 'Payment',
    hint: 'The credit then counts against what is left of this payment.',
    required: false,
  },
  { name: 'orderId', label: 'Order', hint: 'Number of the order in your own system.', required: false },
];

export function NewCreditPage({ onDone }: { readonly onDone: (refundId: string) => void }) {
  const { data: me } = useMe();
  return (
    <PageFrame title="New credit">
      <div className="max-w-2xl">
        <Panel title="Credit without a refund">
          {me === undefined || me.roles.includes('submit') ? (
            <Form onDone={onDone} />
          ) : (
            <p className="px-4 py-10 text-center text-quiet">The role submit is needed.</p>
          )}
        </Panel>
      </div>
    </PageFrame>
  );
}

function Form({ onDone }: { readonly onDone: (refundId: string) => void }) {
  const key = useKey();
  const { data: me } = useMe();
  const id = useId();
  // One key as long as the page is open: a second click is the same credit.
  const [idempotencyKey] = useState(randomId);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [choice, setChoice] = useState<DestinationChoice>(NO_DESTINATION);
  const [problems, setProblems] = useState<readonly FieldProblem[]>([]);
  const [message, setMessage] = useState<string | null>(null);
  const [pending, setPending] = useState(false);

  function showProblems(found: readonly FieldProblem[]): void {
    setProblems(found);
    const [first] = found;
    if (first !== undefined) document.getElementById(`${id}-${first.field}`)?.focus();
  }

  async function submit(): Promise<void> {
    const destination = destinationOf(choice);
    const missing = [
      ...FIELDS.filter(({ name, required }) => required && !values[name]?.trim()).map(({ name, label }) => ({
        field: name,
        code: 'missing',
        message: `${label} is required.`,
      })),
      ...('field' in destination ? [destination] : []),
    ];
    setMessage(null);
    showProblems(missing);
    if (missing.length > 0) return;
    setPending(true);
    try {
      const body = { ...bodyOf(FIELDS, values), destination };
      const { id: refundId } = await request<Refund>('/v1/credits', { key, idempotencyKey, body });
      onDone(refundId);
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) signOut(error.message);
      const reported = error instanceof ApiProblem ? error.problems : [];
      showProblems(reported);
      const others = reported.filter(({ field }) => !isShown(field));
      if (reported.length === 0) setMessage(error instanceof Error ? error.message : 'Something went wrong.');
      else if (others.length > 0)
        setMessage(others.map(({ field, message: text }) => `${field}: ${text}`).join(' '));
      setPending(false);
    }
  }

  return (
    <form
      noValidate
      autoComplete="off"
      className="px-4 pt-1 pb-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!pending) void submit();
      }}
    >
      <div className="grid gap-x-4 sm:grid-cols-2">
        {FIELDS.map((field) => (
          <Field
            key={field.name}
            id={`${id}-${field.name}`}
            field={field}
            value={values[field.name] ?? ''}
            first={false}
            problem={problems.find((one) => one.field === field.name)?.message}
            onChange={(value) =>
              setValues({ ...values, [field.name]: field.name === 'currency' ? value.toUpperCase() : value })
            }
          />
        ))}
      </div>
      <DestinationFields id={id} choice={choice} problems={problems} onChange={setChoice} />
      <Effect values={values} choice={choice} />
      {message === null ? null : (
        <p role="alert" className="mt-3 rounded-md bg-bad-soft px-3 py-2 text-sm break-words text-bad">
          {message}
        </p>
      )}
      <div className="mt-4 flex flex-wrap items-center justify-end gap-2">
        <span className="mr-auto text-sm text-quiet">Signed in as {me?.name}</span>
        <Button query="primary" type="submit" disabled={pending}>
          {pending ? 'Requesting…' : 'Request credit'}
        </Button>
      </div>
    </form>
  );
}

const isShown = (field: string): boolean =>
  DESTINATION_FIELDS.includes(field) || FIELDS.some(({ name }) => name === field);

/** Describes what the button does to the money. */
function Effect({
  values: { amount = '', currency = '', paymentId = '' },
  choice,
}: {
  readonly values: Readonly<Record<string, string>>;
  readonly choice: DestinationChoice;
}) {
  const what =
    amount.trim() === '' ? 'The credit' : `A credit of ${grouped(amount.trim())} ${currency.trim()}`;
  const needsApprover = choice.kind !== 'registration' || paymentId.trim() === '';
  return (
    <div role="status" className="mt-4 rounded-md bg-warn-soft px-3 py-2.5 text-warn">
      <p className="font-medium break-words">
        {what} goes to {destinationText(choice) ?? 'the destination that you choose'}.
      </p>
      <p className="mt-1 text-sm">
        {needsApprover
          ? 'It always needs an approver: nothing is paid before another operator has approved it.'
          : 'Another operator has to approve it above the limits, or if the payment was not made with this registration.'}
      </p>
    </div>
  );
}
