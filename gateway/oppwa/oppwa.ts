/** Implements the {@link Gateway} interface for OPPWA, the open payment platform of ACI: six writes of one request each, and the reads. */
import type { QueryNeed } from '../../domain/query-budget.js';
import type { SendResult } from '../../domain/transaction.js';
import { sendResultOf } from './send-result.js';
import { GatewayMisuseError, GatewaySettingsError } from '../errors.js';
import { Form } from './form.js';
import type { CardPayer } from '../../domain/card/sealed-card.js';
import type { CardFields, Gateway, SendLimits } from '../gateway.js';
import { findById, findByReference, findWithLinked, resultCodes, type Get, type Reader } from './queries.js';
import { endpointOf, takeTurn } from '../query-budget.js';
import { isThrottled } from './search-answer.js';
import { settingsOf, type Entity, type GatewayOptions, type HostKind } from '../settings.js';
import { interpret, PAYMENT_TYPES } from './transaction.js';
import { createTransport } from '../http/transport.js';

/**
 * Returns a client with its own connections; `close()` ends them. Failures of the network and of the gateway are returned, not thrown.
 * Throws before a byte is sent: {@link GatewaySettingsError} (unusable options, unknown entity), {@link GatewayMisuseError}
 * (`refuseWhen` returned a reason) and `GatewayInputError` (malformed fields). Never logs. Results and errors hold no token, no request
 * body and no card data.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const settings = settingsOf(options);
  const transport = createTransport(settings);

  function entityOf(entityId: string): Entity {
    const entity = settings.entities.get(entityId);
    if (entity === undefined) throw new GatewaySettingsError(`entity ${entityId} is not configured`);
    return entity;
  }

  /** Checks that writes are allowed now, and starts the form with the fields that all writes share. */
  function begin(operation: string, entityId: string, limits: SendLimits): { entity: Entity; form: Form } {
    const refusal = settings.refuseWhen();
    if (refusal !== undefined) throw new GatewayMisuseError(`${operation} was not sent: ${refusal}`);
    const entity = entityOf(entityId);
    const form = new Form(operation)
      .limit('limits.openedAt.monotonic', limits.openedAt.monotonic)
      .limit('limits.openedAt.wall', limits.openedAt.wall)
      .limit('limits.sendWindow', limits.sendWindow)
      .limit('limits.answerWithin', limits.answerWithin)
      .need('entityId', entityId);
    return { entity, form };
  }

  async function remove(entity: Entity, path: string, limits: SendLimits): Promise<SendResult> {
    const headers = { ...common, authorization: `Bearer ${entity.accessToken.reveal()}` };
    const exchange = await transport.send({ method: 'DELETE', url: entity.root + path, headers }, limits);
    return sendResultOf(exchange, hostKindOf(entity));
  }

  /** Overwrites the bytes of the form when the exchange has ended: nothing of them is written to a socket after that. */
  async function post(entity: Entity, path: string, form: string, limits: SendLimits): Promise<SendResult> {
    // A buffer of its own: a pooled one would keep a card until another text takes its place.
    const body = Buffer.allocUnsafeSlow(Buffer.byteLength(form));
    body.write(form);
    const exchange = await transport.send(
      {
        method: 'POST',
        url: entity.root + path,
        headers: {
          ...common,
          authorization: `Bearer ${entity.accessToken.reveal()}`,
          'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
        },
        body,
      },
      limits,
    );
    body.fill(0);
    return sendResultOf(exchange, hostKindOf(entity));
  }

  function getFrom(entity: Entity, authorized: boolean): Get {
    const headers = authorized
      ? { ...common, authorization: `Bearer ${entity.accessToken.reveal()}` }
      : common;
    return (path, finishBy) => {
      const openedAt = settings.clock();
      const sendWindow = finishBy - openedAt.monotonic;
      return transport.send(
        { method: 'GET', url: entity.root + path, headers },
        { openedAt, sendWindow, answerWithin: settings.queryTimeoutMs, finishBy },
      );
    };
  }

  const finishBy = (): number => settings.clock().monotonic + settings.queryTimeoutMs;

  /** Returns the context of one entity's queries. Each request waits for its turn in the query budget. */
  function readerOf(entityId: string, need: QueryNeed = 'pending'): Reader {
    const entity = entityOf(entityId);
    const get = getFrom(entity, true);
    const { budget, reporting } = settings;
    return {
      entityId,
      host: hostKindOf(entity),
      finishBy: finishBy(),
      reporting,
      isOrdered: need === 'operator',
      async get(path, until) {
        const endpoint = endpointOf(path);
        if (budget === undefined || endpoint === undefined) return get(path, until);
        // A further page waits for its turn until the deadline. Failing here would repeat the first pages and never reach the last one.
        const within = path.includes('&pageNo=') ? until - settings.clock().monotonic : undefined;
        await takeTurn(budget, entityId, endpoint, need, within);
        const exchange = await get(path, until);
        if (isThrottled(exchange)) await budget.throttled(entityId, endpoint);
        return exchange;
      },
    };
  }

  return {
    async refund(order) {
      const { entity, form } = begin('refund', order.entityId, order.limits);
      const body = form
        .inPath('paymentId', order.paymentId)
        .need('amount', order.amount)
        .need('currency', order.currency)
        .need('paymentType', PAYMENT_TYPES.refund)
        .need('merchantTransactionId', order.merchantTransactionId)
        .may('testMode', entity.testMode)
        .encode();
      return post(entity, `/v1/payments/${order.paymentId}`, body, order.limits);
    },

    async reverse(order) {
      const { entity, form } = begin('reverse', order.entityId, order.limits);
      if (order.partial !== undefined) {
        form.need('amount', order.partial.amount).need('currency', order.partial.currency);
      }
      const body = form
        .inPath('paymentId', order.paymentId)
        .need('paymentType', PAYMENT_TYPES.reversal)
        .need('merchantTransactionId', order.merchantTransactionId)
        .may('testMode', entity.testMode)
        .encode();
      return post(entity, `/v1/payments/${order.paymentId}`, body, order.limits);
    },

    async creditRegistration(order) {
      const { entity, form } = begin('creditRegistration', order.entityId, order.limits);
      const body = form
        .inPath('registrationId', order.registrationId)
        .need('amount', order.amount)
        .need('currency', order.currency)
        .need('paymentType', PAYMENT_TYPES.credit)
        .need('merchantTransactionId', order.merchantTransactionId)
        .may('testMode', entity.testMode)
        .encode();
      return post(entity, `/v1/registrations/${order.registrationId}/payments`, body, order.limits);
    },

    async creditCard(order) {
      const { entity, form } = begin('creditCard', order.entityId, order.limits);
      form
        .need('amount', order.amount)
        .need('currency', order.currency)
        .need('paymentType', PAYMENT_TYPES.credit);
      addCard(form, order);
      form.need('merchantTransactionId', order.merchantTransactionId);
      addPayer(form, order);
      return post(entity, '/v1/payments', form.may('testMode', entity.testMode).encode(), order.limits);
    },

    async registerCard(order) {
      const { entity, form } = begin('registerCard', order.entityId, order.limits);
      addCard(form, order);
      form.need('merchantTransactionId', order.merchantTransactionId);
      addPayer(form, order);
      return post(entity, '/v1/registrations', form.may('testMode', entity.testMode).encode(), order.limits);
    },

    // The documented request has no other parameter than `entityId`, so `testMode` is left out.
    async removeRegistration(entityId, registrationId, limits) {
      const { entity, form } = begin('removeRegistration', entityId, limits);
      const query = form.inPath('registrationId', registrationId).encode();
      return remove(entity, `/v1/registrations/${registrationId}?${query}`, limits);
    },

    async findByReference(entityId, merchantTransactionId, need) {
      return findByReference(readerOf(entityId, need), merchantTransactionId);
    },

    async findWithLinked(entityId, id, need) {
      return findWithLinked(readerOf(entityId, need), id);
    },

    async findById(entityId, id, need) {
      return findById(readerOf(entityId, need), id);
    },

    // The list is public, so the request carries no access token.
    async resultCodes(entityId) {
      return resultCodes(getFrom(entityOf(entityId), false), finishBy());
    },

    interpret: (entityId, recorded) => interpret(recorded, hostKindOf(settings.entities.get(entityId))),

    close: () => transport.close(),
  };
}

const hostKindOf = (entity: Entity | undefined): HostKind => entity?.hostKind ?? 'live';

const common = {
  accept: 'application/json',
  'accept-encoding': 'identity',
  'user-agent': 'oppwa-refunds',
};

function addCard(form: Form, { paymentBrand, card }: CardFields): void {
  form
    .need('paymentBrand', paymentBrand)
    .need('card.number', card.number)
    .need('card.holder', card.holder)
    .need('card.expiryMonth', card.expiryMonth)
    .need('card.expiryYear', card.expiryYear)
    .may('card.cvv', card.cvv);
}

function addPayer(form: Form, { billing, customer }: CardPayer): void {
  form
    .may('billing.street1', billing?.street1)
    .may('billing.city', billing?.city)
    .may('billing.state', billing?.state)
    .may('billing.postcode', billing?.postcode)
    .may('billing.country', billing?.country)
    .may('customer.givenName', customer?.givenName)
    .may('customer.surname', customer?.surname)
    .may('customer.merchantCustomerId', customer?.merchantCustomerId)
    .may('customer.email', customer?.email)
    .may('customer.phone', customer?.phone)
    .may('customer.ip', customer?.ip)
    .may('customer.birthDate', customer?.birthDate);
}
