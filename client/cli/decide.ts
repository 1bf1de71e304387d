/** The commands `approve`, `reject`, `withdraw` and `sync` on one refund. */
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import { ROLES } from '../../domain/principal.js';
import type { InputProblem } from '../../domain/refund/request.js';
import type { ActionName } from '../operator-actions.js';
import { instructionMissing } from '../errors.js';
import { OPERATOR_STATES, type Refund } from '../view.js';
import { confirm } from './confirm.js';
import { EXIT, WrongUse, type ExitCode } from './exit.js';
import { run, printError, type OutputOptions, type Session } from './session.js';

export interface NoteOptions extends OutputOptions {
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
  readonly ticket?: string | undefined;
  readonly yes?: true | undefined;
}

export interface DecideOptions extends NoteOptions {
  readonly instruction?: string | undefined;
}

/** Approves or rejects. Without `--instruction` it only prints the instruction that waits, with its effect. */
export function decide(verb: 'approve' | 'reject', id: string, options: DecideOptions): Promise<ExitCode> {
  return withNote(options, (note) =>
    run(options, async (session) => {
      const { instruction } = options;
      if (instruction === undefined) {
        const { approval, proposal } = await session.client.getRefund(id);
        const waiting = proposal?.instruction ?? approval?.instruction;
        if (waiting !== undefined) session.note(await effectFor(session, id, verb, note.by));
        throw instructionMissing(id, waiting);
      }
      await confirm([await effectFor(session, id, verb, note.by)], options.yes === true);
      const decided = await session.client[verb](id, { ...note, instruction });
      session.printRefund(decided);
      return needsOperator(decided);
    }),
  );
}

/** Returns the effect of an action on the money, in the words that the API and the console show. */
export async function effectFor(
  { client }: Session,
  id: string,
  action: ActionName,
  name: string,
): Promise<string> {
  // The command line acts with every role. The workflow checks who may approve.
  const actions = await client.actions(id, { name, roles: ROLES });
  return actions.find((one) => one.action === action)?.effect ?? '';
}

export function withdraw(id: string, options: NoteOptions): Promise<ExitCode> {
  return withNote(options, (note) =>
    run(options, async (session) => {
      await confirm([await effectFor(session, id, 'withdraw', note.by)], options.yes === true);
      session.printRefund(await session.client.withdraw(id, note));
      return EXIT.done;
    }),
  );
}

/** Queries the gateway, so it needs no confirmation. The operator is recorded where `--by` and `--reason` are given. */
export function sync(id: string, options: NoteOptions): Promise<ExitCode> {
  const { by, reason, ticket } = options;
  const note =
    by === undefined || reason === undefined
      ? undefined
      : { by, reason, ...(ticket === undefined ? {} : { ticket }) };
  return run(options, async (session) => {
    const refund = await session.client.sync(id, note);
    session.printRefund(refund);
    return needsOperator(refund);
  });
}

/** Runs `work` with the operator's note. `needed`: further options that the command needs, by name. Names every missing option. */
export function withNote(
  { by, reason, ticket, json }: NoteOptions,
  work: (note: OperatorNote) => Promise<ExitCode>,
  needed: Readonly<Record<string, string | undefined>> = {},
): Promise<ExitCode> {
  const isComplete = Object.values(needed).every((value) => value !== undefined);
  if (by !== undefined && reason !== undefined && isComplete)
    return work({ by, reason, ...(ticket === undefined ? {} : { ticket }) });
  const problems: InputProblem[] = Object.entries({ by, reason, ...needed }).flatMap(([field, value]) =>
    value === undefined ? [{ field: `--${field}`, code: 'missing', message: 'is missing' }] : [],
  );
  return Promise.resolve(printError(json === true, new WrongUse(problems)));
}

export const needsOperator = ({ state, proposal }: Refund): ExitCode =>
  OPERATOR_STATES.includes(state) || proposal !== null ? EXIT.operatorNeeded : EXIT.done;
