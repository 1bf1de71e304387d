/** Dialogs of a sealed card: gives it a new CVV, or destroys it. */
import { useId, useReducer, useRef, useState } from 'react';
import { clearFields, isCvv, readEntry } from '../card-entry.js';
import { useClearing } from '../card-clearing.js';
import { destroyCard, giveCvv } from '../data/cards.js';
import { refetchPages } from '../data/queries.js';
import { ApiProblem } from '../data/request.js';
import type { Card } from '../data/shapes.js';
import { cardText } from '../destination.js';
import { signOut, useKey } from '../session.js';
import { Button } from './basics.js';
import { CardInput } from './card-field.js';
import { Modal } from './modal.js';

interface DialogProps {
  readonly open: boolean;
  readonly card: Card;
  readonly shown: { readonly brand: string; readonly last4: string; readonly initials: string };
  /** `done`: the message after the command, absent if it was not executed. */
  readonly onClose: (done?: string) => void;
}

/** Runs a command about a card. Returns true if it was executed. */
function useCardCommand(): {
  readonly pending: boolean;
  readonly message: string | null;
  readonly setMessage: (text: string | null) => void;
  readonly run: (command: () => Promise<unknown>) => Promise<boolean>;
} {
  const [pending, setPending] = useState(false);
  const [message, setMessage] = useState<string | null>(null);
  async function run(command: () => Promise<unknown>): Promise<boolean> {
    setPending(true);
    setMessage(null);
    try {
      await command();
      return true;
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) signOut(error.message);
      const reported = error instanceof ApiProblem ? error.problems.map((one) => one.message).join(' ') : '';
      setMessage(
        reported !== '' ? reported : error instanceof Error ? error.message : 'Something went wrong.',
      );
      return false;
    } finally {
      setPending(false);
      void refetchPages();
    }
  }
  return { pending, message, setMessage, run };
}

export function CvvDialog({ open, onClose, ...rest }: DialogProps) {
  return (
    <Modal open={open} onClose={() => onClose()} title="Give the card a new CVV">
      <CvvForm onClose={onClose} {...rest} />
    </Modal>
  );
}

function CvvForm({ card, shown, onClose }: Omit<DialogProps, 'open'>) {
  const key = useKey();
  const id = useId();
  const box = useRef<HTMLFormElement>(null);
  const [generation, renew] = useReducer((count: number) => count + 1, 0);
  const { pending, message, setMessage, run } = useCardCommand();
  useClearing(box, () => {
    renew();
    setMessage('The CVV was cleared after five minutes without input.');
  });

  async function submit(): Promise<void> {
    if (box.current === null || pending) return;
    const { cvv = '' } = readEntry(box.current);
    if (!isCvv(cvv)) {
      setMessage('A CVV has three or four digits.');
      document.getElementById(`${id}-cvv`)?.focus();
      return;
    }
    clearFields(box.current);
    renew();
    if (await run(() => giveCvv(key, card.cardRef, cvv)))
      onClose('The new CVV is sealed. Replay the refund that needs it.');
  }

  return (
    <form
      ref={box}
      noValidate
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <p className="mb-3 rounded-md bg-info-soft px-3 py-2.5 text-sm text-info">
        The CVV of {cardText(shown)} is replaced. Nothing is paid by this. The next credit to the card carries
        the new CVV once; without a credit it is destroyed after 24 hours.
      </p>
      <CardInput
        key={generation}
        id={`${id}-cvv`}
        spec={{
          field: 'cvv',
          label: 'CVV',
          hint: 'Three digits, four for AMEX.',
          longest: 4,
          digits: true,
          masked: true,
        }}
        problem={message ?? undefined}
        first
      />
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={() => onClose()}>Cancel</Button>
        <Button query="primary" type="submit" disabled={pending}>
          {pending ? 'Sealing…' : 'Seal CVV'}
        </Button>
      </div>
    </form>
  );
}

export function DestroyCardDialog({
  open,
  onClose,
  ...rest
}: DialogProps & { readonly openRefunds: number }) {
  return (
    <Modal open={open} onClose={() => onClose()} title="Destroy this card">
      <DestroyForm onClose={onClose} {...rest} />
    </Modal>
  );
}

function DestroyForm({
  card,
  shown,
  openRefunds,
  onClose,
}: Omit<DialogProps, 'open'> & { readonly openRefunds: number }) {
  const key = useKey();
  const { pending, message, run } = useCardCommand();
  async function destroy(): Promise<void> {
    if (await run(() => destroyCard(key, card.cardRef))) onClose('The card is destroyed.');
  }
  return (
    <>
      <div className="rounded-md bg-warn-soft px-3 py-2.5 text-sm text-warn">
        <p className="font-medium">
          The keys of {cardText(shown)} are deleted. Nothing opens the card again, and this cannot be undone.
        </p>
        <p className="mt-1">
          Money that was paid to it stays paid. If a credit to it comes back, another destination is needed.
        </p>
      </div>
      {openRefunds === 0 ? null : (
        <p className="mt-3 text-sm text-quiet">
          {openRefunds === 1 ? 'One refund' : `${openRefunds} refunds`} with this card{' '}
          {openRefunds === 1 ? 'is' : 'are'} not final. The card cannot be destroyed before.
        </p>
      )}
      {message === null ? null : (
        <p role="alert" className="mt-3 rounded-md bg-bad-soft px-3 py-2 text-sm break-words text-bad">
          {message}
        </p>
      )}
      <div className="mt-5 flex justify-end gap-2">
        <Button data-first="" onClick={() => onClose()}>
          Cancel
        </Button>
        <Button query="danger" disabled={pending} onClick={() => void destroy()}>
          {pending ? 'Destroying…' : 'Destroy card'}
        </Button>
      </div>
    </>
  );
}
