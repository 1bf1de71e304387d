/** How each action and each thing it asks for is called, so that the dialog has no case of its own for any of them. */
import type { Action } from '../data/shapes.js';

interface Verb {
  readonly verb: string;
  /** What is said once it has been done. */
  readonly done: string;
  /** Ends something or moves money: the button looks like it. */
  readonly grave: boolean;
}

export const VERBS: Readonly<Record<Action['action'], Verb>> = {
  approve: { verb: 'Approve', done: 'Approved.', grave: true },
  reject: { verb: 'Reject', done: 'Rejected.', grave: true },
  withdraw: { verb: 'Withdraw', done: 'Withdrawn.', grave: true },
  redirect: { verb: 'Redirect', done: 'Another destination is set.', grave: true },
  resolve: { verb: 'Look now', done: 'Asked the gateway.', grave: false },
  adopt: { verb: 'Adopt', done: 'The gateway’s transaction is attached.', grave: false },
  correct: { verb: 'Correct', done: 'The correction is recorded.', grave: true },
  replay: { verb: 'Replay', done: 'It runs again.', grave: false },
};

export interface InputField {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly required: boolean;
  readonly options?: readonly string[];
  readonly long?: boolean;
}

const KNOWN: Readonly<Record<string, Omit<InputField, 'name'>>> = {
  gatewayId: {
    label: 'Gateway id',
    hint: 'Of the transaction that is this attempt: 32 hexadecimal characters.',
    required: true,
  },
  registrationId: {
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
    long: true,
  },
};

/** What every action asks for, after what only this one does. */
const ALWAYS: readonly InputField[] = [
  { name: 'reason', label: 'Reason', hint: 'Kept with the decision.', required: true, long: true },
  { name: 'ticket', label: 'Ticket', hint: 'Where it was discussed, if anywhere.', required: false },
];

export function fieldsOf(action: Action): readonly InputField[] {
  const own = action.input
    .filter((name) => !ALWAYS.some((one) => one.name === name))
    .map((name) => ({ name, ...(KNOWN[name] ?? { label: name, hint: '', required: true }) }));
  return [...own, ...ALWAYS];
}
