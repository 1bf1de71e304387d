/** The gateway as one activity reaches it: the sandbox's rules and the client's own parsing, over a network that fails. */
import { elapsed } from '../../../domain/clock.js';
import type {
  GatewayTransaction,
  QueryResult,
  NotSentReason,
  RecordedTransaction,
  SendResult,
  TransactionTree,
} from '../../../domain/transaction.js';
import { Form } from '../../../gateway/oppwa/form.js';
import type { CardFields, Gateway, SendLimits } from '../../../gateway/gateway.js';
import { findById, findByReference, findWithLinked, type Reader } from '../../../gateway/oppwa/queries.js';
import type { Exchange } from '../../../gateway/http/one-request.js';
import { sendResultOf } from '../../../gateway/oppwa/send-result.js';
import { interpret } from '../../../gateway/oppwa/transaction.js';
import type { Delivery, QueryEndpoint, WriteEndpoint } from '../../../sandbox/gateway/types.js';
import { setDecline, setTrouble } from './gateway-trouble.js';
import type { ActivityContext } from './process.js';
import { AUTHORIZATION, type Harness } from './harness.js';

const NOT_SENT: readonly [NotSentReason, ...NotSentReason[]] = [
  'refused',
  'dns',
  'tls',
  'connect_timeout',
  'closed',
];
const QUERY_FAULTS = [
  'throttled',
  'forbidden',
  'empty',
  'empty',
  'html',
  'drop',
  'no_result_code',
  'too_many_pages',
] as const;
const HOST = 'test';
const MAX_BODY = 1024 * 1024;

export class GatewayLink implements Gateway {
  readonly #harness: Harness;
  readonly #context: ActivityContext;
  readonly #isReliable: boolean;

  /** `isReliable`: true for an observer that is not under test; its calls never fail. */
  constructor(harness: Harness, context: ActivityContext, isReliable = false) {
    this.#harness = harness;
    this.#context = context;
    this.#isReliable = isReliable;
  }

  async refund(order: Parameters<Gateway['refund']>[0]): Promise<SendResult> {
    new Form('refund')
      .inPath('paymentId', order.paymentId)
      .need('amount', order.amount)
      .need('currency', order.currency)
      .need('merchantTransactionId', order.merchantTransactionId)
      .encode();
    return this.#write({ kind: 'backoffice', id: order.paymentId }, order.limits, {
      entityId: order.entityId,
      paymentType: 'RF',
      amount: order.amount,
      currency: order.currency,
      merchantTransactionId: order.merchantTransactionId,
    });
  }

  async reverse(order: Parameters<Gateway['reverse']>[0]): Promise<SendResult> {
    new Form('reverse').inPath('paymentId', order.paymentId).encode();
    return this.#write({ kind: 'backoffice', id: order.paymentId }, order.limits, {
      entityId: order.entityId,
      paymentType: 'RV',
      merchantTransactionId: order.merchantTransactionId,
      ...order.partial,
    });
  }

  async creditRegistration(order: Parameters<Gateway['creditRegistration']>[0]): Promise<SendResult> {
    new Form('creditRegistration')
      .inPath('registrationId', order.registrationId)
      .need('amount', order.amount)
      .need('currency', order.currency)
      .need('merchantTransactionId', order.merchantTransactionId)
      .encode();
    return this.#write({ kind: 'pay_registration', registrationId: order.registrationId }, order.limits, {
      entityId: order.entityId,
      paymentType: 'CD',
      amount: order.amount,
      currency: order.currency,
      merchantTransactionId: order.merchantTransactionId,
    });
  }

  async creditCard(order: Parameters<Gateway['creditCard']>[0]): Promise<SendResult> {
    return this.#write({ kind: 'create' }, order.limits, {
      entityId: order.entityId,
      paymentType: 'CD',
      amount: order.amount,
      currency: order.currency,
      ...cardFields(order),
      merchantTransactionId: order.merchantTransactionId,
    });
  }

  async registerCard(order: Parameters<Gateway['registerCard']>[0]): Promise<SendResult> {
    return this.#write({ kind: 'register' }, order.limits, {
      entityId: order.entityId,
      ...cardFields(order),
      merchantTransactionId: order.merchantTransactionId,
    });
  }

  async removeRegistration(
    entityId: string,
    registrationId: string,
    limits: SendLimits,
  ): Promise<SendResult> {
    return this.#write({ kind: 'deregister', registrationId }, limits, { entityId });
  }

  resultCodes(): ReturnType<Gateway['resultCodes']> {
    return Promise.resolve({ kind: 'not_found' });
  }

  interpret(_entityId: string, recorded: RecordedTransaction): GatewayTransaction {
    return interpret(recorded, HOST);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  findByReference(entityId: string, reference: string): Promise<QueryResult<readonly GatewayTransaction[]>> {
    return findByReference(this.#reader(entityId), reference);
  }

  findWithLinked(entityId: string, id: string): Promise<QueryResult<TransactionTree>> {
    return findWithLinked(this.#reader(entityId), id);
  }

  findById(entityId: string, id: string): Promise<QueryResult<GatewayTransaction>> {
    return findById(this.#reader(entityId), id);
  }

  #reader(entityId: string): Reader {
    return {
      entityId,
      host: HOST,
      get: (path) => this.#get(path),
      finishBy: this.#harness.scheduler.now + 30_000,
    };
  }

  #write(
    endpoint: WriteEndpoint,
    limits: SendLimits,
    fields: Readonly<Record<string, string>>,
  ): Promise<SendResult> {
    const { scheduler, chaos, random, trace, coverage } = this.#harness;
    const { process } = this.#context;
    return new Promise((resolve) => {
      const fault = chaos.write(fields);
      if (fault !== undefined && fault !== 'gateway' && fault !== 'declined')
        trace.note(process.name, `${fields['paymentType']}: fault ${fault}`);
      const settle = (result: SendResult): void => {
        if (trace.isKept)
          trace.note(
            process.name,
            `${fields['paymentType']} answered ${JSON.stringify(result).slice(0, 200)}`,
          );
        resolve(result);
      };
      if (fault === 'crash_before') process.crash();
      if (fault === 'freeze_before') chaos.stop(process);
      if (fault === 'not_sent') {
        scheduler.after(random.spread(1, 20_000), () =>
          process.deliver(() => settle({ kind: 'not_sent', why: random.pick(NOT_SENT) })),
        );
        return;
      }
      scheduler.after(random.between(1, 30), () =>
        process.deliver(() => {
          // The client's own check, in the tick in which it writes the request to the socket.
          if (!(elapsed(limits.openedAt, process.clock()) <= limits.sendWindow)) {
            coverage.hit('fault', 'write deadline_passed');
            settle({ kind: 'not_sent', why: 'deadline_passed' });
            return;
          }
          if (fault === 'crash_after_handing_over') process.crash();
          if (fault === 'freeze_while_waiting') chaos.stop(process);
          let isOver = false;
          const once = (result: SendResult): void => {
            if (isOver) return;
            isOver = true;
            scheduler.cancel(timer);
            settle(result);
          };
          const timer = scheduler.after(limits.answerWithin, () =>
            process.deliver(() => once({ kind: 'no_answer', why: 'timeout' })),
          );
          scheduler.after(random.between(1, 60), () => {
            if (fault === 'gateway') setTrouble(this.#harness, fields);
            if (fault === 'declined') setDecline(this.#harness, fields);
            const delivery = this.#atGateway(endpoint, fields);
            this.#harness.watchGateway();
            scheduler.after(delivery.afterMs + random.between(1, 60), () => {
              if (fault === 'crash_with_answer') process.crash();
              process.deliver(() => once(sendResultOf(exchangeOf(delivery), HOST)));
            });
          });
        }),
      );
    });
  }

  #atGateway(endpoint: WriteEndpoint, fields: Readonly<Record<string, string>>): Delivery {
    const { gateway, trace, arrivals, scheduler, vault } = this.#harness;
    const reference = fields['merchantTransactionId'] ?? '';
    arrivals.set(reference, [...(arrivals.get(reference) ?? []), scheduler.now]);
    const number = fields['card.number'];
    if (number !== undefined) vault.arrived({ reference, number, cvv: fields['card.cvv'] });
    const delivery = gateway.execute({
      endpoint,
      authorization: AUTHORIZATION,
      parameters: new Map(Object.entries(fields)),
    });
    if (trace.isKept)
      trace.note(
        'gateway',
        `${fields['paymentType']} ${fields['amount'] ?? 'all'} under ${fields['merchantTransactionId']} → ${
          delivery.kind === 'answer'
            ? `${delivery.body.result?.code} after ${delivery.afterMs} ms`
            : delivery.kind
        }`,
      );
    return delivery;
  }

  #get(path: string): Promise<Exchange> {
    const { scheduler, chaos, random, trace, gateway } = this.#harness;
    const { process } = this.#context;
    const [endpoint, parameters] = routed(path);
    return new Promise((resolve) => {
      const fault = this.#isReliable ? undefined : chaos.read();
      if (fault !== undefined) trace.note(process.name, `query: fault ${fault}`);
      if (fault === 'crash_before') process.crash();
      if (fault === 'freeze_before') chaos.stop(process);
      process.deliver(() =>
        scheduler.after(random.between(1, 40), () => {
          if (fault === 'unavailable') {
            process.deliver(() => resolve({ kind: 'not_sent', why: 'refused' }));
            return;
          }
          if (fault === 'query')
            gateway.setFault({
              effect: { kind: 'query', how: random.pick(QUERY_FAULTS) },
            });
          const delivery = gateway.query({ endpoint, authorization: AUTHORIZATION, parameters });
          this.#harness.watchGateway();
          if (trace.isKept)
            trace.note(
              'gateway',
              `query ${path.slice(0, 20)} → ${delivery.kind === 'answer' ? (delivery.body.records?.map((r) => `${r.paymentType} ${r.result?.code}`).join(', ') ?? delivery.body.result?.code) : delivery.kind}`,
            );
          if (fault === 'crash_after') process.crash();
          if (fault === 'freeze_after') chaos.stop(process);
          process.deliver(() => resolve(exchangeOf(delivery)));
        }),
      );
    });
  }
}

/** The form fields of a card, as the client sends them. Billing and customer fields change nothing in the sandbox. */
const cardFields = ({ paymentBrand, card }: CardFields): Readonly<Record<string, string>> => ({
  paymentBrand,
  'card.number': card.number,
  'card.holder': card.holder,
  'card.expiryMonth': card.expiryMonth,
  'card.expiryYear': card.expiryYear,
  ...(card.cvv === undefined ? {} : { 'card.cvv': card.cvv }),
});

const QUERY = '/v3/query';

function routed(path: string): [QueryEndpoint, ReadonlyMap<string, string>] {
  const question = path.indexOf('?');
  const parameters = new Map<string, string>();
  let start = question + 1;
  while (start <= path.length) {
    const next = path.indexOf('&', start);
    const end = next === -1 ? path.length : next;
    const at = path.indexOf('=', start);
    const value = path.slice(at + 1, end);
    parameters.set(path.slice(start, at), value.includes('%') ? decodeURIComponent(value) : value);
    start = end + 1;
  }
  // `/v3/query`, or `/v3/query/` and an id.
  const id = question > QUERY.length ? path.slice(QUERY.length + 1, question) : undefined;
  if (path.startsWith('/v1/payments/'))
    return [{ kind: 'v1_payment', id: path.slice('/v1/payments/'.length, question) }, parameters];
  if (path.startsWith('/v1'))
    return [id === undefined ? { kind: 'v1_search' } : { kind: 'v1_query', id }, parameters];
  return [id === undefined ? { kind: 'v3_search' } : { kind: 'v3_query', id }, parameters];
}

/** Converts a delivery to the result that the client's transport reports for one HTTP request. */
function exchangeOf(delivery: Delivery): Exchange {
  switch (delivery.kind) {
    case 'answer':
      return { kind: 'answered', httpStatus: delivery.httpStatus, body: JSON.stringify(delivery.body) };
    case 'dropped':
      return { kind: 'no_answer', why: 'connection_lost' };
    case 'raw': {
      const { httpStatus } = delivery;
      if (delivery.cutOff)
        return {
          kind: 'no_answer',
          why: 'body_cut_off',
          httpStatus,
          // As much as the server writes before it closes the connection.
          received: delivery.text.slice(0, delivery.text.length / 2),
        };
      if (httpStatus >= 300 && httpStatus < 400)
        return { kind: 'no_answer', why: 'destination_changed', httpStatus, received: delivery.text };
      if (delivery.text.length > MAX_BODY) return { kind: 'no_answer', why: 'body_too_large', httpStatus };
      return { kind: 'answered', httpStatus, body: delivery.text };
    }
    default:
      return delivery satisfies never;
  }
}
