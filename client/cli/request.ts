/** `request`: asks for a refund, and stays with it where asked to. */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { formatAmount, storedMoney } from '../../domain/money.js';
import { readRefundRequest, type InputProblem, type RefundRequest } from '../../domain/request.js';
import { confirm } from './confirm.js';
import { WrongUse, type ExitCode } from './exit.js';
import { follow, outcome } from './read.js';
import { optionOf, run, tell, type Session } from './session.js';

export interface RequestOptions {
  readonly payment?: string | undefined;
  readonly amount?: string | undefined;
  readonly currency?: string | undefined;
  readonly reason?: string | undefined;
  readonly order?: string | undefined;
  readonly registration?: string | undefined;
  readonly entity?: string | undefined;
  readonly key?: string | undefined;
  readonly requestedBy?: string | undefined;
  /** Seconds, or true for as long as it takes. */
  readonly wait?: number | true | undefined;
  readonly yes?: true | undefined;
  readonly json?: true | undefined;
}

/** Whoever asks by the command line shares one space of keys. */
const CALLER = 'cli';

export async function request(options: RequestOptions): Promise<ExitCode> {
  const json = options.json === true;
  const reading = read(options);
  if (!reading.ok) return tell(json, new WrongUse(reading.problems));
  return run(json, async (session) => {
    const { client, note } = session;
    const idempotencyKey = options.key ?? randomUUID();
    await confirm(await effectOf(session, reading.request), options.yes === true);
    if (options.key === undefined)
      note(`key ${idempotencyKey} (give it as --key to ask for the same refund again)`);
    const refund = await client.requestRefund({
      caller: CALLER,
      idempotencyKey,
      requestedBy: reading.requestedBy,
      request: reading.input,
    });
    note(`refund ${refund.id}`);
    if (options.wait === undefined) {
      session.printRefund(refund);
      return outcome(refund);
    }
    const last = await follow(
      session,
      refund.id,
      options.wait === true ? undefined : options.wait * 1_000,
      note,
    );
    session.printRefund(last);
    return outcome(last);
  });
}

type Reading =
  | {
      readonly ok: true;
      readonly request: RefundRequest;
      readonly input: Readonly<Record<string, unknown>>;
      readonly requestedBy: string;
    }
  | { readonly ok: false; readonly problems: readonly InputProblem[] };

/** Everything that can be known to be wrong before anything is opened. */
function read(options: RequestOptions): Reading {
  const { payment, amount, currency, reason, order, registration, entity } = options;
  const input = {
    ...(payment === undefined ? {} : { paymentId: payment }),
    ...(amount === undefined ? {} : { amount }),
    ...(currency === undefined ? {} : { currency }),
    ...(reason === undefined ? {} : { reason }),
    ...(order === undefined ? {} : { orderId: order }),
    ...(registration === undefined ? {} : { destination: { registrationId: registration } }),
    ...(entity === undefined ? {} : { entityId: entity }),
  };
  const reading = readRefundRequest(input);
  const requestedBy = options.requestedBy ?? userName();
  const problems: InputProblem[] = reading.ok ? [] : reading.problems.map(named(input));
  if (requestedBy === undefined)
    problems.push({
      field: '--requested-by',
      code: 'missing',
      message: 'is missing, and this user has no name',
    });
  if (!reading.ok || requestedBy === undefined) return { ok: false, problems };
  return { ok: true, request: reading.request, input, requestedBy };
}

/** As the command line calls it; what is not there at all is missing rather than of the wrong type. */
const named =
  (input: object) =>
  ({ field, code, message }: InputProblem): InputProblem => {
    const isThere = Object.hasOwn(input, field.split('.')[0] ?? field);
    return isThere
      ? { field: optionOf(field), code, message }
      : { field: optionOf(field), code: 'missing', message: 'is missing' };
  };

async function effectOf(
  { ledger }: Session,
  { money, paymentId, reason, destination }: RefundRequest,
): Promise<string[]> {
  const payment = await ledger.findPayment(paymentId);
  return [
    `Pay back ${formatAmount(money)} ${money.currency} on payment ${paymentId} (${reason}).`,
    ...(payment === null
      ? []
      : [
          `Up to ${formatAmount(storedMoney(payment.refundableMinor, payment.currency))} ${payment.currency} can be paid back on it.`,
        ]),
    `It is refunded; only where that is proven impossible it is credited${destination === undefined ? '' : ` to registration ${destination.registrationId}`}.`,
  ];
}

/** A container's user may have no name. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
