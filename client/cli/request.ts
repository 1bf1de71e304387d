/** The commands `request` and `credit`: request a refund or a standalone credit, and follow it with `--wait`. */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { formatAmount, storedMoney } from '../../domain/money/money.js';
import {
  isCreditRequest,
  readCreditRequest,
  readRefundRequest,
  type CreditRequest,
  type InputProblem,
  type RefundRequest,
} from '../../domain/refund/request.js';
import { namedText } from '../money-effects.js';
import { confirm } from './confirm.js';
import { WrongUse, type ExitCode } from './exit.js';
import { follow, outcome } from './read.js';
import { optionOf, run, printError, type OutputOptions, type Session } from './session.js';

export interface RequestOptions extends OutputOptions {
  readonly payment?: string | undefined;
  readonly amount?: string | undefined;
  readonly currency?: string | undefined;
  readonly reason?: string | undefined;
  readonly order?: string | undefined;
  readonly registration?: string | undefined;
  readonly card?: string | undefined;
  readonly paymentType?: string | undefined;
  readonly paymentAmount?: string | undefined;
  readonly paymentRegistration?: string | undefined;
  readonly entity?: string | undefined;
  readonly key?: string | undefined;
  readonly requestedBy?: string | undefined;
  /** Seconds; true: without a limit. */
  readonly wait?: number | true | undefined;
  readonly yes?: true | undefined;
}

/** The client id of all requests by the command line: they share one space of idempotency keys. */
export const CLIENT = 'cli';

export async function request(what: 'refund' | 'credit', options: RequestOptions): Promise<ExitCode> {
  const json = options.json === true;
  const reading = read(what, options);
  if (!reading.ok) return printError(json, new WrongUse(reading.problems));
  return run(options, async (session) => {
    const { client, note } = session;
    const idempotencyKey = options.key ?? randomUUID();
    await confirm(await effectOf(session, reading.request), options.yes === true);
    if (options.key === undefined) note(`key ${idempotencyKey} (pass it as --key to repeat this request)`);
    const { requestedBy, input } = reading;
    const order = { clientId: CLIENT, idempotencyKey, requestedBy, request: input };
    const refund = await (what === 'credit' ? client.requestCredit(order) : client.requestRefund(order));
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
      readonly request: RefundRequest | CreditRequest;
      readonly input: Readonly<Record<string, unknown>>;
      readonly requestedBy: string;
    }
  | { readonly ok: false; readonly problems: readonly InputProblem[] };

/** Reads the options, and finds every problem that needs no connection. */
function read(what: 'refund' | 'credit', options: RequestOptions): Reading {
  const { payment, amount, currency, reason, order, entity } = options;
  const input = {
    ...(payment === undefined ? {} : { paymentId: payment }),
    ...(amount === undefined ? {} : { amount }),
    ...(currency === undefined ? {} : { currency }),
    ...(reason === undefined ? {} : { reason }),
    ...(order === undefined ? {} : { orderId: order }),
    ...destinationBy(options),
    ...declaredBy(options),
    ...(entity === undefined ? {} : { entityId: entity }),
  };
  const reading = what === 'credit' ? readCreditRequest(input) : readRefundRequest(input);
  const requestedBy = options.requestedBy ?? userName();
  const problems: InputProblem[] = reading.ok ? [] : reading.problems.map(named(input));
  if (requestedBy === undefined)
    problems.push({
      field: '--requested-by',
      code: 'missing',
      message: 'is missing, and the user of this machine has no name',
    });
  if (!reading.ok || requestedBy === undefined) return { ok: false, problems };
  return { ok: true, request: reading.request, input, requestedBy };
}

/** Returns the destination, where one of its options is given. */
function destinationBy({ registration, card }: RequestOptions): Readonly<Record<string, unknown>> {
  const destination = {
    ...(registration === undefined ? {} : { registrationId: registration }),
    ...(card === undefined ? {} : { cardRef: card }),
  };
  return Object.keys(destination).length === 0 ? {} : { destination };
}

/** Returns the declared payment, where any of its options is given. */
function declaredBy({
  currency,
  paymentType,
  paymentAmount,
  paymentRegistration,
}: RequestOptions): Readonly<Record<string, unknown>> {
  if (paymentType === undefined && paymentAmount === undefined && paymentRegistration === undefined)
    return {};
  return {
    payment: {
      type: paymentType,
      amount: paymentAmount,
      currency,
      ...(paymentRegistration === undefined ? {} : { registrationId: paymentRegistration }),
    },
  };
}

/** Names a problem by its option. An absent option is missing, not of a wrong type. */
const named =
  (input: object) =>
  ({ field, code, message }: InputProblem): InputProblem => {
    const isThere = Object.hasOwn(input, field.split('.')[0] ?? field);
    return isThere
      ? { field: optionOf(field), code, message }
      : { field: optionOf(field), code: 'missing', message: 'is missing' };
  };

async function effectOf(session: Session, request: RefundRequest | CreditRequest): Promise<string[]> {
  const { money, paymentId, reason, destination } = request;
  const amount = `${formatAmount(money)} ${money.currency}`;
  const to = destination === undefined ? '' : ` to ${namedText(destination)}`;
  if (paymentId === undefined)
    return [
      `Credit ${amount}${to} (${reason}).`,
      'It is linked to no payment, so no balance limits it: another operator has to approve it before it is submitted.',
    ];
  return [
    `Pay back ${amount} on payment ${paymentId} (${reason}).`,
    ...(await leftOn(session, paymentId)),
    isCreditRequest(request)
      ? `It is credited${to}; no refund is submitted.`
      : `It is refunded. Only if a refund is proven impossible, it is credited${to}.`,
  ];
}

async function leftOn({ ledger }: Session, paymentId: string): Promise<string[]> {
  const payment = await ledger.findPayment(paymentId);
  if (payment === null) return [];
  const { refundableMinor, currency } = payment;
  return [
    `Up to ${formatAmount(storedMoney(refundableMinor, currency))} ${currency} can be paid back on it.`,
  ];
}

/** Returns undefined where the user has no name, as in a container. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
