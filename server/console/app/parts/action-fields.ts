/** How each action and each thing it asks for is called, so that the dialog has no case of its own for any of them. */
import type { Action } from '../data/shapes.js';

interface Verb {
  readonly verb: string;
  /** Of the dialog; absent: the verb and "this refund". */
  readonly title?: string;
  /** What is said once it has been done. */
  readonly done: string;
  /** Ends something or moves money: the button looks like it. */
  readonly grave: boolean;
}

export const VERBS: Readonly<Record<Action['action'], Verb>> = {
  approve: { verb: 'Approve', done: 'Approved.', grave: true },
  reject: { verb: 'Reject', done: 'Rejected.', grave: true },
  withdraw: { verb: 'Withdraw', done: 'Withdrawn.', grave: true },
  'change-destination': {
    verb: 'Change destination',
    title: 'Change the destination of this refund',
    done: 'The destination is changed.',
    grave: true,
  },
  sync: {
    verb: 'Check with gateway',
    title: 'Check this refund with the gateway',
    done: 'Checked with the gateway.',
    grave: false,
  },
  link: {
    verb: 'Link a gateway transaction',
    title: 'Link a gateway transaction to this refund',
    done: 'The gateway transaction is linked.',
    grave: false,
  },
  correct: { verb: 'Correct', done: 'The correction is recorded.', grave: true },
  replay: { verb: 'Replay', done: 'It runs again.', grave: false },
};

export interface InputField {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly required: boolean;
  readonly options?: readonly string[];
  /** Most characters; where given, the field has room for sentences. */
  readonly longest?: number;
}

const KNOWN: Readonly<Record<string, Omit<InputField, 'name'>>> = {
  gatewayId: {
    label: 'Gateway id',
    hint: 'Of the transaction that is this attempt: 32 hexadecimal characters.',
    required: true,
  },
  'destination.registrationId': {
    label: 'Registration',
    hint: 'The stored card that the credit goes to: 32 hexadecimal characters.',
    required: true,
  },
  outcome: {
    label: 'What really happened',
    hint: 'Succeeded: it was paid. Failed: it never was. Case closed: what is open is settled elsewhere.',
    required: true,
    options: ['succeeded', 'failed', 'case_closed'],
  },
  evidence: {
    label: 'Evidence',
    hint: 'What shows it: a settlement line, the acquirer’s letter. Kept in the clear: never a card number.',
    required: true,
    longest: 2_000,
  },
};

/** What every action asks for, after what only this one does. */
export const ALWAYS: readonly InputField[] = [
  { name: 'reason', label: 'Reason', hint: 'Kept with the decision.', required: true, longest: 500 },
  { name: 'ticket', label: 'Ticket', hint: 'Where it was discussed, if anywhere.', required: false },
];

export function fieldsOf(action: Action): readonly InputField[] {
  const own = action.input
    .filter((name) => !ALWAYS.some((one) => one.name === name))
    .map((name) => ({ name, ...(KNOWN[name] ?? { label: name, hint: '', required: true }) }));
  return [...own, ...ALWAYS];
}

/** The request's body: what was filled in, each at its place in it. */
export function bodyOf(fields: readonly InputField[], values: Readonly<Record<string, string>>): object {
  const body: Record<string, string | Record<string, string>> = {};
  for (const { name } of fields) {
    const value = values[name]?.trim() ?? '';
    const [outer = '', inner] = name.split('.');
    if (value !== '') body[outer] = inner === undefined ? value : { [inner]: value };
  }
  return body;
}
