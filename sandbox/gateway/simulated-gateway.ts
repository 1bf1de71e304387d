/** The OPPWA gateway in memory: takes requests, returns answers and notifications. It has no HTTP, no timers and no clock of its own. */
import { checkAccess, forbidden } from './access.js';
import { bareBody } from './bodies.js';
import { booksOf, creditsOf, executedUnder, outflowOf } from './books.js';
import type { Books, CreditHint, CreditLine, Outflow } from './books.js';
import * as commands from './controls.js';
import * as disputes from './disputes.js';
import type { ActiveFault, FaultRule } from './faults.js';
import { seededIds, transactionId, type IdSource } from './ids.js';
import { query, notFound, withoutLastResult } from './queries.js';
import type { Notification, NotificationContent } from './notifications.js';
import { Platform } from './platform.js';
import { processOrder } from './processing.js';
import { listedCodes } from './result-texts.js';
import { DEFAULT_SETTINGS, gatewaySettings, type Entity, type GatewaySettings } from './settings.js';
import type { StoreEntry } from './store.js';
import { subjectOf, subjectOfQuery } from './subjects.js';
import { Throttle } from './throttle.js';
import { delivered, dropped, html, travel } from './transport.js';
import type { Answer, Delivery, GatewayRequest, Instruction } from './types.js';
import type { QueryEndpoint, Transaction, WriteEndpoint } from './types.js';
import { validateWrite } from './validation.js';

export interface SimulatedGatewayOptions {
  readonly entities: readonly Entity[];
  /** Milliseconds since 1970. Read once in each call. */
  readonly clock: () => number;
  /** Default: seed 1. */
  readonly ids?: IdSource;
  readonly settings?: Partial<GatewaySettings>;
  /** Called with each change before the change becomes visible. If it throws, the change is not made. */
  readonly journal?: (entry: StoreEntry) => void;
  readonly history?: Iterable<StoreEntry>;
}

/**
 * One gateway with its merchants' entities and its own books. Every call is synchronous. It first executes the events that
 * are due by the clock: pending transactions become final, delayed requests are executed. So the same calls at the same
 * times with the same seed give the same books.
 */
export class SimulatedGateway {
  readonly #platform: Platform;
  readonly #clock: () => number;
  readonly #throttle = new Throttle();

  constructor(options: SimulatedGatewayOptions) {
    this.#clock = options.clock;
    this.#platform = new Platform({
      entities: options.entities,
      settings: { ...DEFAULT_SETTINGS, ...options.settings },
      ids: options.ids ?? seededIds(1),
      ...(options.journal === undefined ? {} : { journal: options.journal }),
      ...(options.history === undefined ? {} : { history: options.history }),
    });
  }

  /** Handles a request that may move money (DB, PA, CD, CP, RF, RV), registers a card, or removes a registration. */
  execute(request: GatewayRequest<WriteEndpoint>): Delivery {
    const now = this.advance();
    const { endpoint, parameters } = request;
    const { entities, ids, settings } = this.#platform;
    const access = checkAccess(entities, request.authorization, parameters.get('entityId'), ids, now);
    if (!access.granted) return delivered(access.answer);

    const validation = validateWrite(endpoint, access.entity, parameters, settings);
    if (!validation.valid) {
      const body = bareBody(ids, access.entity.id, now, validation.code, validation.errors);
      return delivered({ httpStatus: 400, body });
    }
    if (!this.#throttle.admit(access.entity.id, endpoint, settings.throttle, now)) {
      return delivered(this.#throttled(access.entity, now));
    }
    return this.#carryOut(validation.instruction, now);
  }

  /** Handles a request that only reads. */
  query(request: GatewayRequest<QueryEndpoint>): Delivery {
    const now = this.advance();
    const { endpoint, parameters } = request;
    const { entities, faults, ids, settings, store } = this.#platform;
    if (endpoint.kind === 'result_codes') {
      // Public on the real gateway too.
      const body = {
        ...bareBody(ids, 'public', now, '000.000.100'),
        resultCodes: listedCodes(),
      };
      return delivered({ httpStatus: 200, body });
    }
    const access = checkAccess(entities, request.authorization, parameters.get('entityId'), ids, now);
    if (!access.granted) return delivered(access.answer);
    const { entity } = access;
    if (!this.#throttle.admit(entity.id, endpoint, settings.throttle, now)) {
      return delivered(this.#throttled(entity, now));
    }
    const context = { store, ids, entity, settings, now };
    if (isV3(endpoint) && (entity.reporting ?? settings.reporting) === 'v1')
      return delivered({
        httpStatus: settings.noReportingStatus,
        body: bareBody(ids, entity.id, now, '800.121.100'),
      });
    const fault = faults.take('query', subjectOfQuery(endpoint, parameters));
    switch (fault?.how) {
      case 'throttled':
        return delivered(this.#throttled(entity, now));
      case 'forbidden':
        return delivered(forbidden(entity.id, ids, now));
      case 'no_result_code':
        return delivered(withoutLastResult(query(context, endpoint, parameters)));
      case 'too_many_pages': {
        const answer = query(context, endpoint, parameters);
        return delivered({ ...answer, body: { ...answer.body, pages: 21 } });
      }
      case 'empty':
        return delivered(notFound(context));
      case 'html':
        return html(fault.status, null);
      case 'drop':
        return dropped(0);
      case 'currency_differs':
        return delivered(query({ ...context, shownIn: fault.currency }, endpoint, parameters));
      case undefined:
        return delivered(query(context, endpoint, parameters));
    }
  }

  /** Executes the events that are due, as every other call does too. Returns the time that it used. */
  advance(): number {
    const now = this.#clock();
    this.#platform.settle(now, (order, at) => void processOrder(this.#platform, order, at));
    return now;
  }

  /** Removes and returns the notifications that are due. A doubled one is returned twice. */
  due(): Notification[] {
    return this.#platform.notifications.due(this.advance());
  }

  /** Returns the time of the gateway's next own event, or null if there is none. */
  nextAt(): number | null {
    return this.#platform.nextAt();
  }

  /** Adds a fault rule and returns its id. @throws a `ZodError` for an invalid rule. */
  setFault(rule: FaultRule): string {
    return this.#platform.faults.add(rule);
  }

  faults(): readonly ActiveFault[] {
    return this.#platform.faults.list();
  }

  /** Removes a fault rule, or all rules if `id` is absent. False if there is no such rule. */
  clearFault(id?: string): boolean {
    return this.#platform.faults.clear(id);
  }

  settings(): GatewaySettings {
    return this.#platform.settings;
  }

  changeSettings(changes: Partial<GatewaySettings>): GatewaySettings {
    this.#platform.settings = gatewaySettings.parse({
      ...this.#platform.settings,
      ...changes,
    });
    return this.#platform.settings;
  }

  createPayment(order: commands.NewPayment): commands.CreatedPayment {
    return commands.createPayment(this.#platform, order, this.advance());
  }

  chargeback(order: disputes.ChargebackOrder): Transaction {
    return disputes.chargeback(this.#platform, order, this.advance());
  }

  changeChargeback(order: disputes.ChargebackChange): Transaction {
    return disputes.changeChargeback(this.#platform, order, this.advance());
  }

  /** Reverses a chargeback, or the reversal of one. */
  reverseChargeback(id: string, order: disputes.ChargebackReversal = {}): Transaction {
    return disputes.reverseChargeback(this.#platform, id, order, this.advance());
  }

  refundInPortal(order: { paymentId: string; amount: bigint; merchantTransactionId?: string }): Transaction {
    return commands.refundInPortal(this.#platform, order, this.advance());
  }

  reverseInPortal(order: { paymentId: string; amount?: bigint }): Transaction {
    return commands.reverseInPortal(this.#platform, order, this.advance());
  }

  /** Captures an authorization or a part of it, as the merchant's shop does. */
  capture(order: { paymentId: string; amount: bigint }): Transaction {
    return commands.capture(this.#platform, order, this.advance());
  }

  finishPending(order: { id: string; state: 'succeeded' | 'rejected'; code?: string }): Transaction {
    return commands.finishPending(this.#platform, order, this.advance());
  }

  failLate(order: { id: string; code?: string }): Transaction {
    return commands.failLate(this.#platform, order, this.advance());
  }

  succeedLate(order: { id: string; code?: string }): Transaction {
    return commands.succeedLate(this.#platform, order, this.advance());
  }

  /** Makes a transaction visible to queries before its lag ends. */
  show(order: { id: string }): Transaction {
    return commands.show(this.#platform, order, this.advance());
  }

  /** Queues a forged webhook, encrypted with the merchant's key or with another one. */
  forgeWebhook(entityId: string, content: NotificationContent, key: 'right' | 'wrong'): void {
    this.#platform.notifications.add({
      entityId,
      dueAt: this.advance(),
      content,
      key,
    });
  }

  /** Returns all transactions, oldest first. */
  transactions(): readonly Transaction[] {
    this.advance();
    return [...this.#platform.store.all()];
  }

  /** Returns the sums of one original, or null if there is no such original. */
  books(originalId: string, hint: CreditHint = {}): Books | null {
    this.advance();
    const original = this.#platform.store.any(originalId);
    return original === null ? null : booksOf(this.#platform.store, original, hint);
  }

  credits(entityId: string, hint: CreditHint = {}): readonly CreditLine[] {
    this.advance();
    return creditsOf(this.#platform.store, entityId, hint);
  }

  /** Returns the money that left the merchant under these references and for these originals, by currency. */
  leftMerchant(of: { references?: readonly string[]; originals?: readonly string[] }): readonly Outflow[] {
    this.advance();
    return outflowOf(this.#platform.store, of.references ?? [], of.originals ?? []);
  }

  /** Counts the refunds, reversals and credits with one reference that moved money or are pending. More than one is a double payment. */
  executedByReference(merchantTransactionId: string): number {
    this.advance();
    return executedUnder(this.#platform.store, merchantTransactionId);
  }

  #carryOut(order: Instruction, now: number): Delivery {
    const { faults } = this.#platform;
    const subject = subjectOf(order);
    const arrival = faults.take('arrival', subject);
    if (arrival !== null) {
      if (arrival.kind === 'execute_after') this.#platform.defer(order, now + arrival.ms);
      return dropped(arrival.dropAfterMs);
    }
    const fault = faults.take('transport', subject);
    return travel(fault, () => processOrder(this.#platform, order, now));
  }

  /** The answer to a throttled request, which is not executed. No transaction has the id in its body. */
  #throttled(entity: Entity, now: number): Answer {
    const { ids, settings } = this.#platform;
    const body = {
      id: transactionId(ids),
      ...bareBody(ids, entity.id, now, '800.120.100'),
    };
    return { httpStatus: settings.throttledStatus, body };
  }
}

function isV3({ kind }: QueryEndpoint): boolean {
  return kind === 'v3_query' || kind === 'v3_search';
}
