/** Labels and input fields of the actions, as data for the dialog. */
import type { Action } from '../data/shapes.js';

interface Verb {
  readonly verb: string;
  /** Title of the dialog. Absent: the verb and "this refund". */
  readonly title?: string;
  /** Message after the action. */
  readonly done: string;
  /** True if the action ends something or moves money: the dialog shows a warning color. */
  readonly grave: boolean;
}

export const VERBS: Readonly<Record<Action['action'], Verb>> = {
  approve: { verb: 'Approve', done: 'Approved.', grave: true },
  reject: { verb: 'Reject', done: 'Rejected.', grave: true },
  withdraw: { verb: 'Withdraw', done: 'Withdrawn.', grave: true },
  'change-destination': {
    verb: 'Change destination',
    title: 'Change the destination of this refund',
    done: 'Destination changed.',
    grave: true,
  },
  sync: {
    verb: 'Check with gateway',
    title: 'Check this refund with the gateway',
    done: 'Checked with the gateway.',
    grave: false,
  },
  link: {
    verb: 'Link transaction',
    title: 'Link a gateway transaction to this refund',
    done: 'Gateway transaction linked.',
    grave: false,
  },
  correct: { verb: 'Correct', done: 'Correction recorded.', grave: true },
  replay: { verb: 'Replay', done: 'Replayed.', grave: false },
};

export interface InputField {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly required: boolean;
  readonly options?: readonly string[];
  /** Maximum number of characters. Given: the field has several lines. */
  readonly longest?: number;
}

const KNOWN: Readonly<Record<string, Omit<InputField, 'name'>>> = {
  gatewayId: {
    label: 'Gateway id',
    hint: 'Id of the transaction at the gateway: 32 hexadecimal characters.',
    required: true,
  },
  outcome: {
    label: 'What really happened',
    hint: 'Succeeded: it was paid. Failed: it was not paid. Case closed: the open case was settled elsewhere.',
    required: true,
    options: ['succeeded', 'failed', 'case_closed'],
  },
  evidence: {
    label: 'Evidence',
    hint: 'For example a settlement line or the acquirer’s letter. Stored unencrypted: never enter a card number.',
    required: true,
    longest: 2_000,
  },
};

/** Fields of every action, shown after its own fields. */
export const NOTE_FIELDS: readonly InputField[] = [
  { name: 'reason', label: 'Reason', hint: 'Recorded in the timeline.', required: true, longest: 500 },
  { name: 'ticket', label: 'Ticket', hint: 'Ticket or case number in your own system.', required: false },
];

/** Returns the fields of an action: its own without the destination, which has a form of its own, then the note. */
export function fieldsOf(action: Action): readonly InputField[] {
  const own = action.input
    .filter((name) => !NOTE_FIELDS.some((one) => one.name === name) && !/^destination\b/u.test(name))
    .map((name) => ({ name, ...(KNOWN[name] ?? { label: name, hint: '', required: true }) }));
  return [...own, ...NOTE_FIELDS];
}

/** Builds the request body from the filled-in values. A dot in a field's name leads into an object. */
export function bodyOf(fields: readonly InputField[], values: Readonly<Record<string, string>>): object {
  const body: Record<string, string | Record<string, string>> = {};
  for (const { name } of fields) {
    const value = values[name]?.trim() ?? '';
    const [outer = '', inner] = name.split('.');
    if (value !== '') body[outer] = inner === undefined ? value : { [inner]: value };
  }
  return body;
}
