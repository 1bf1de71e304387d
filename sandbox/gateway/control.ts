/** The control API under `/_control`: tests and the demonstration set faults, create payments and chargebacks, and read the books. */
import { z } from 'zod';
import { formatAmount, parseAmount } from './amounts.js';
import { CommandRefused } from './controls.js';
import { faultRule } from './faults.js';
import type { RequestLog } from './request-log.js';
import type { SimulatedGateway } from './simulated-gateway.js';
import { gatewaySettings } from './settings.js';
import type { Transaction } from './types.js';

export interface ControlAnswer {
  readonly status: number;
  /** JSON; bigints become decimal strings. */
  readonly body: unknown;
}

interface Control {
  readonly engine: SimulatedGateway;
  readonly log: RequestLog;
}
type Handler = (control: Control, body: unknown, query: URLSearchParams, id: string | null) => unknown;

const amount = z.string().transform((text, context) => {
  const parsed = parseAmount(text);
  if (parsed !== null && parsed > 0n) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'must be an amount such as "12.34"',
  });
  return z.NEVER;
});
const code = z.string().regex(/^\d{3}\.\d{3}\.\d{3}$/);
const id = z.string().min(1);

/** Not `.partial()`: with that, a setting could be present and undefined. */
const settingsChange = z.strictObject({
  live: gatewaySettings.shape.live.exactOptional(),
  declineStatus: gatewaySettings.shape.declineStatus.exactOptional(),
  notFoundStatus: gatewaySettings.shape.notFoundStatus.exactOptional(),
  visibilityLagMs: gatewaySettings.shape.visibilityLagMs.exactOptional(),
  reversalOnDebit: gatewaySettings.shape.reversalOnDebit.exactOptional(),
  reversalAfterCapture: gatewaySettings.shape.reversalAfterCapture.exactOptional(),
  reversalShowsAmount: gatewaySettings.shape.reversalShowsAmount.exactOptional(),
  captureLinks: gatewaySettings.shape.captureLinks.exactOptional(),
  throttle: gatewaySettings.shape.throttle.exactOptional(),
  throttledStatus: gatewaySettings.shape.throttledStatus.exactOptional(),
  contentCoding: gatewaySettings.shape.contentCoding.exactOptional(),
  reporting: gatewaySettings.shape.reporting.exactOptional(),
  noReportingStatus: gatewaySettings.shape.noReportingStatus.exactOptional(),
  notifyPortalRefunds: gatewaySettings.shape.notifyPortalRefunds.exactOptional(),
  demandsCvv: gatewaySettings.shape.demandsCvv.exactOptional(),
  answeredLast4: gatewaySettings.shape.answeredLast4.exactOptional(),
});
const payment = z.strictObject({
  entityId: id.exactOptional(),
  type: z.enum(['DB', 'PA']).default('DB'),
  amount,
  currency: z.string().regex(/^[A-Z]{3}$/),
  captures: z.array(amount).exactOptional(),
  merchantTransactionId: id.exactOptional(),
  ageMs: z.number().nonnegative().exactOptional(),
  registered: z.boolean().exactOptional(),
});
const state = z.enum(['succeeded', 'pending', 'rejected']);
const chargeback = z.strictObject({
  paymentId: id,
  amount: amount.exactOptional(),
  code: code.exactOptional(),
  state: state.exactOptional(),
  showsAmount: z.boolean().exactOptional(),
});
const chargebackChange = z.strictObject({ chargebackId: id, amount });
const chargebackReversal = z.strictObject({
  chargebackId: id,
  amount: amount.exactOptional(),
  code: code.exactOptional(),
  state: state.exactOptional(),
  showsReference: z.boolean().exactOptional(),
});
const portalRefund = z.strictObject({
  paymentId: id,
  amount,
  merchantTransactionId: id.exactOptional(),
});
const portalReversal = z.strictObject({ paymentId: id, amount: amount.exactOptional() });
const capture = z.strictObject({ paymentId: id, amount });
const finish = z.strictObject({
  id,
  state: z.enum(['succeeded', 'rejected']),
  code: code.exactOptional(),
});
const lateOutcome = z.strictObject({ id, code: code.exactOptional() });
const forgery = z.strictObject({
  entityId: id,
  content: z.object({
    type: z.string(),
    action: z.string().exactOptional(),
    payload: z.unknown().exactOptional(),
  }),
  key: z.enum(['right', 'wrong']).default('wrong'),
});

const POST: Readonly<Record<string, Handler>> = {
  faults: ({ engine }, body) => ({
    id: engine.setFault(faultRule.parse(body)),
  }),
  settings: ({ engine }, body) => engine.changeSettings(settingsChange.parse(body)),
  'create-payment': ({ engine }, body) => engine.createPayment(payment.parse(body)),
  chargeback: ({ engine }, body) => engine.chargeback(chargeback.parse(body)),
  'chargeback-change': ({ engine }, body) => engine.changeChargeback(chargebackChange.parse(body)),
  'chargeback-reversal': ({ engine }, body) => {
    const { chargebackId, ...order } = chargebackReversal.parse(body);
    return engine.reverseChargeback(chargebackId, order);
  },
  'portal-refund': ({ engine }, body) => engine.refundInPortal(portalRefund.parse(body)),
  'portal-reversal': ({ engine }, body) => engine.reverseInPortal(portalReversal.parse(body)),
  capture: ({ engine }, body) => engine.capture(capture.parse(body)),
  'finish-pending': ({ engine }, body) => engine.finishPending(finish.parse(body)),
  'late-failure': ({ engine }, body) => engine.failLate(lateOutcome.parse(body)),
  'late-success': ({ engine }, body) => engine.succeedLate(lateOutcome.parse(body)),
  show: ({ engine }, body) => engine.show(z.strictObject({ id }).parse(body)),
  'forge-webhook': ({ engine }, body) => {
    const { entityId, content, key } = forgery.parse(body);
    engine.forgeWebhook(entityId, content, key);
    return { forged: true };
  },
};

/** Removes the holder and the expiry of the card. */
function withoutHolder({ card, ...transaction }: Transaction): Transaction {
  const shown = card === null ? null : { bin: card.bin, last4Digits: card.last4Digits };
  return { ...transaction, card: shown };
}

const GET: Readonly<Record<string, Handler>> = {
  faults: ({ engine }) => engine.faults(),
  settings: ({ engine }) => engine.settings(),
  requests: ({ log }) => log.list(),
  transactions: ({ engine }, _body, query) => {
    const reference = query.get('merchantTransactionId');
    const all = engine.transactions().map(withoutHolder);
    return reference === null ? all : all.filter((found) => found.merchantTransactionId === reference);
  },
  books: ({ engine }, _body, query) => {
    const paymentId = query.get('paymentId');
    const references = listOf(query, 'references');
    const registrationId = query.get('registrationId');
    const hint = {
      ...(references.length === 0 ? {} : { references }),
      ...(registrationId === null ? {} : { registrationId }),
    };
    if (paymentId === null) {
      const originals = engine.transactions().filter(({ type }) => type === 'DB' || type === 'PA');
      // Credits are linked to no original, so they are listed once, beside the originals.
      const books = originals.map((original) => engine.books(original.id, { references: [] }));
      const credits = engine
        .transactions()
        .filter(({ type }) => type === 'CD')
        .map(withoutHolder);
      return { books, credits };
    }
    const books = engine.books(paymentId, hint);
    if (books === null) throw new CommandRefused('not_found', `There is no transaction ${paymentId}.`);
    return books;
  },
  'left-merchant': ({ engine }, _body, query) =>
    engine.leftMerchant({
      references: listOf(query, 'references'),
      originals: listOf(query, 'originals'),
    }),
  executed: ({ engine }, _body, query) => {
    const merchantTransactionId = id.parse(query.get('merchantTransactionId'));
    return {
      merchantTransactionId,
      count: engine.executedByReference(merchantTransactionId),
    };
  },
};

const DELETE: Readonly<Record<string, Handler>> = {
  faults: ({ engine }, _body, _query, faultId) => {
    if (engine.clearFault(faultId ?? undefined)) return { cleared: faultId ?? 'all' };
    throw new CommandRefused('not_found', `There is no fault ${faultId ?? ''}.`);
  },
  requests: ({ log }) => {
    log.clear();
    return { cleared: 'all' };
  },
};

const METHODS: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  GET,
  POST,
  DELETE,
};

/** Answers a control request; `path` begins with `/_control/`. A wrong request gets an error answer, never an exception. */
export function control(
  on: Control,
  method: string,
  path: string,
  query: URLSearchParams,
  bodyText: string,
): ControlAnswer {
  const [, , name = '', itemId = null, ...more] = path.split('/');
  const handler = own(own(METHODS, method) ?? {}, name);
  const takesItem = method === 'DELETE' && name === 'faults';
  if (handler === undefined || more.length > 0 || (itemId !== null && !takesItem)) {
    return problem(404, `There is no ${method} ${path}.`);
  }
  try {
    const body: unknown = method === 'POST' ? JSON.parse(bodyText) : null;
    return { status: 200, body: handler(on, body, query, itemId) };
  } catch (error) {
    if (error instanceof z.ZodError) return problem(400, z.prettifyError(error));
    if (error instanceof SyntaxError) return problem(400, 'The body is not JSON.');
    if (error instanceof CommandRefused)
      return problem(error.code === 'not_found' ? 404 : 409, error.message);
    throw error;
  }
}

/** Replacer for `JSON.stringify`: writes amounts as decimal strings. */
export function amountsAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? formatAmount(value) : value;
}

function problem(status: number, message: string): ControlAnswer {
  return { status, body: { error: message } };
}

function own<V>(record: Readonly<Record<string, V>>, key: string): V | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function listOf(query: URLSearchParams, name: string): string[] {
  return (query.get(name) ?? '').split(',').filter((item) => item !== '');
}
