/** `approve`, `reject`, `withdraw`, `resolve`: what a person says about one refund. */
import type { InputProblem } from '../../domain/request.js';
import { refusal } from '../errors.js';
import { PERSON_STATES, type Refund } from '../view.js';
import { confirm } from './confirm.js';
import { EXIT, WrongUse, type ExitCode } from './exit.js';
import { approvalText } from './render.js';
import { run, tell } from './session.js';

export interface WordOptions {
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
  readonly ticket?: string | undefined;
  readonly yes?: true | undefined;
  readonly json?: true | undefined;
}

/** The instruction that is shown here is the one that is sent: what changes meanwhile is not approved. */
export function decide(verb: 'approve' | 'reject', id: string, options: WordOptions): Promise<ExitCode> {
  return withWord(options, (word) =>
    run(options.json === true, async (session) => {
      const refund = await session.client.getRefund(id);
      if (refund.approval === null) throw refusal(id, 'not_awaiting_approval');
      const what = approvalText(refund);
      const effect =
        verb === 'approve'
          ? `Approve for refund ${id} ${what}.`
          : `Refuse for refund ${id} ${what}. The refund ends and pays nothing.`;
      await confirm([effect], options.yes === true);
      const { instruction } = refund.approval;
      const decided = await session.client[verb](id, { ...word, instruction });
      session.printRefund(decided);
      return needsPerson(decided);
    }),
  );
}

export function withdraw(id: string, options: WordOptions): Promise<ExitCode> {
  return withWord(options, (word) =>
    run(options.json === true, async (session) => {
      const { amount, currency, paymentId } = await session.client.getRefund(id);
      await confirm(
        [
          `Withdraw refund ${id}: ${amount} ${currency} on payment ${paymentId} are not paid back and no longer reserved.`,
        ],
        options.yes === true,
      );
      session.printRefund(await session.client.withdraw(id, word));
      return EXIT.done;
    }),
  );
}

/** Reads only, so nothing is confirmed. */
export function resolve(id: string, options: { readonly json?: true | undefined }): Promise<ExitCode> {
  return run(options.json === true, async (session) => {
    const refund = await session.client.resolve(id);
    session.printRefund(refund);
    return needsPerson(refund);
  });
}

interface GivenWord {
  readonly by: string;
  readonly reason: string;
  readonly ticket?: string;
}

function withWord(
  { by, reason, ticket, json }: WordOptions,
  work: (word: GivenWord) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (by !== undefined && reason !== undefined)
    return work({ by, reason, ...(ticket === undefined ? {} : { ticket }) });
  const problems: InputProblem[] = Object.entries({ by, reason }).flatMap(([field, value]) =>
    value === undefined ? [{ field: `--${field}`, code: 'missing', message: 'is missing' }] : [],
  );
  return Promise.resolve(tell(json === true, new WrongUse(problems)));
}

const needsPerson = ({ state }: Refund): ExitCode =>
  PERSON_STATES.includes(state) ? EXIT.personNeeded : EXIT.done;
