/** Runs one command, from its settings to its exit code. Data goes to stdout, everything else to stderr. */
import { shownMessage } from '../../domain/card/shown-text.js';
import { readSettings, SettingsError } from '../../settings/read.js';
import type { Settings } from '../../settings/settings.js';
import { RefundsError, type RefundsErrorCode } from '../errors.js';
import type { OpenRefundsClient } from '../open.js';
import type { Refund } from '../view.js';
import { environment } from './environment.js';
import { Declined, EXIT, WrongUse, type ExitCode } from './exit.js';
import { refundText } from './render.js';
import { screenOf, type Screen } from './screen.js';

/** How a command prints. */
export interface OutputOptions {
  readonly json?: true | undefined;
  /** All of it, though lines get longer than the terminal. */
  readonly wide?: true | undefined;
}

export interface Session extends OpenRefundsClient {
  readonly settings: Settings;
  readonly json: boolean;
  /** Standard output. */
  readonly screen: Screen;
  /** Prints one document on stdout: `value` as JSON with `--json`, else the text. */
  readonly print: (value: unknown, text: () => string) => void;
  readonly printRefund: (refund: Refund) => void;
  readonly note: (text: string) => void;
}

/** Errors of the request itself: the same command would fail again. */
const WRONG_USE: readonly RefundsErrorCode[] = [
  'invalid_request',
  'currency_mismatch',
  'idempotency_key_reused',
  'instruction_missing',
];

/** The option of each field of a request. */
const OPTION_OF = new Map([
  ['paymentId', '--payment'],
  ['amount', '--amount'],
  ['currency', '--currency'],
  ['reason', '--reason'],
  ['orderId', '--order'],
  ['destination', '--registration or --card'],
  ['destination.registrationId', '--registration'],
  ['destination.cardRef', '--card'],
  ['payment.type', '--payment-type'],
  ['payment.amount', '--payment-amount'],
  ['payment.currency', '--currency'],
  ['payment.registrationId', '--payment-registration'],
  ['entityId', '--entity'],
  ['idempotencyKey', '--key'],
  ['requestedBy', '--requested-by'],
  ['by', '--by'],
  ['ticket', '--ticket'],
  ['limit', '--limit'],
]);
export const optionOf = (field: string): string => OPTION_OF.get(field) ?? field;

const note = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** Opens the connections that the environment names, runs `work` and closes them. Prints an error and returns its exit code. */
export async function run(
  options: OutputOptions,
  work: (session: Session) => Promise<ExitCode>,
): Promise<ExitCode> {
  const json = options.json === true;
  const screen = screenOf({ stream: process.stdout, env: process.env, wide: options.wide === true });
  try {
    const env = environment(process.env, note);
    const settings = readSettings(env);
    // Loaded only now: a wrong setting is reported without waiting for it.
    const { openRefundsClient } = await import('../open.js');
    const opened = openRefundsClient(settings, env);
    const print = (value: unknown, text: () => string): void => {
      const indent = process.stdout.isTTY ? 2 : 0;
      process.stdout.write(`${json ? JSON.stringify(value, null, indent) : text()}\n`);
    };
    try {
      return await work({
        ...opened,
        settings,
        json,
        screen,
        print,
        printRefund: (refund) => {
          print(refund, () => refundText(refund, screen));
        },
        note,
      });
    } finally {
      await opened.close();
    }
  } catch (error) {
    return printError(json, error);
  }
}

/** Prints an error on stderr, as JSON with `--json`, and returns the exit code. */
export function printError(json: boolean, error: unknown): ExitCode {
  const { code, message, exit, more } = describe(error);
  if (json) note(shownMessage(JSON.stringify({ error: { code, message: shownMessage(message), ...more } })));
  else {
    note(shownMessage(`${code}: ${message}`));
    if (more?.problems !== undefined)
      for (const { field, message: problem } of more.problems) note(`  ${optionOf(field)} ${problem}`);
  }
  return exit;
}

interface ErrorText {
  readonly code: string;
  readonly message: string;
  readonly exit: ExitCode;
  readonly more?: {
    readonly problems?: WrongUse['problems'];
    readonly details?: Readonly<Record<string, string>>;
  };
}

function describe(error: unknown): ErrorText {
  if (error instanceof SettingsError)
    return { code: 'settings', message: error.message, exit: EXIT.wrongUse };
  if (error instanceof Declined) return { code: 'declined', message: error.message, exit: EXIT.failed };
  if (error instanceof WrongUse)
    return {
      code: 'wrong_use',
      message: 'nothing was changed',
      exit: EXIT.wrongUse,
      more: { problems: error.problems },
    };
  if (error instanceof RefundsError)
    return {
      code: error.code,
      message: error.problems.length > 0 ? 'nothing was stored' : error.message,
      exit: WRONG_USE.includes(error.code) ? EXIT.wrongUse : EXIT.failed,
      more: {
        ...(error.problems.length > 0 ? { problems: error.problems } : {}),
        ...(Object.keys(error.details).length > 0 ? { details: error.details } : {}),
      },
    };
  return { code: 'failed', message: messageOf(error), exit: EXIT.failed };
}

/** Returns the message. A refused connection to a name with two addresses is an `AggregateError` without a message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map((one: unknown) => messageOf(one)).join('; ');
  return error instanceof Error ? error.message : 'failed';
}
