/** The OPPWA gateway as a machine in memory: requests in, answers and webhooks out, no HTTP, no timer, no clock of its own. */
import { checkAccess, forbidden } from './access.js';
import { bareBody } from './bodies.js';
import { booksOf, creditsOf, executedUnder, outflowOf } from './books.js';
import type { Books, CreditHint, CreditLine, Outflow } from './books.js';
import * as commands from './commands.js';
import * as disputes from './disputes.js';
import type { ActiveFault, FaultRule } from './faults.js';
import { seededIds, transactionId, type IdSource } from './ids.js';
import { lookUp, notFound, withoutLastResult } from './look-ups.js';
import type { Notice, NoticeContent } from './notices.js';
import { Platform } from './platform.js';
import { processOrder } from './processing.js';
import { listedCodes } from './result-texts.js';
import { DEFAULT_SETTINGS, gatewaySettings, type Entity, type GatewaySettings } from './settings.js';
import type { StoreEntry } from './store.js';
import { subjectOf, subjectOfLookUp } from './subjects.js';
import { Throttle } from './throttle.js';
import { delivered, dropped, html, travel } from './transport.js';
import type { Answer, Delivery, GatewayRequest, Instruction } from './types.js';
import type { LookUpEndpoint, Transaction, WriteEndpoint } from './types.js';
import { validateWrite } from './validation.js';

export interface SimulatedGatewayOptions {
  readonly entities: readonly Entity[];
  /** Milliseconds since 1970. Read once in each call. */
  readonly clock: () => number;
  /** Default: seed 1. */
  readonly ids?: IdSource;
  readonly settings?: Partial<GatewaySettings>;
  /** Told of each change before anybody sees it; if it throws, the change did not happen. */
  readonly journal?: (entry: StoreEntry) => void;
  readonly history?: Iterable<StoreEntry>;
}

/**
 * One gateway with its merchants' entities and its own books. Every call is synchronous and first does what had become due
 * by the clock (pending becomes final, delayed requests are carried out), so the same calls at the same times with the same
 * seed give the same world.
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

  /** A request that may move money: DB, PA, CD, CP, RF, RV, or a registration. */
  execute(request: GatewayRequest<WriteEndpoint>): Delivery {
    const now = this.advance();
    const { endpoint, parameters } = request;
    const { entities, ids, settings } = this.#platform;
    const access = checkAccess(entities, request.authorization, parameters.get('entityId'), ids, now);
    if (!access.granted) return delivered(access.answer);

    const validation = validateWrite(endpoint, access.entity.id, parameters, settings.live);
    if (!validation.valid) {
      const body = bareBody(ids, access.entity.id, now, validation.code, validation.errors);
      return delivered({ httpStatus: 400, body });
    }
    if (!this.#throttle.admit(access.entity.id, endpoint, settings.throttle, now)) {
      return delivered(this.#throttled(access.entity, now));
    }
    const order = validation.instruction;
    return endpoint.kind === 'register'
      ? delivered(this.#register(access.entity, order, now))
      : this.#carryOut(order, now);
  }

  /** A request that only asks. */
  query(request: GatewayRequest<LookUpEndpoint>): Delivery {
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
    const desk = { store, ids, entity, settings, now };
    if (isV3(endpoint) && (entity.reporting ?? settings.reporting) === 'v1')
      return delivered({
        httpStatus: settings.noReportingStatus,
        body: bareBody(ids, entity.id, now, '800.121.100'),
      });
    const fault = faults.take('lookUp', subjectOfLookUp(endpoint, parameters));
    switch (fault?.how) {
      case 'throttled':
        return delivered(this.#throttled(entity, now));
      case 'forbidden':
        return delivered(forbidden(entity.id, ids, now));
      case 'no_result_code':
        return delivered(withoutLastResult(lookUp(desk, endpoint, parameters)));
      case 'too_many_pages': {
        const answer = lookUp(desk, endpoint, parameters);
        return delivered({ ...answer, body: { ...answer.body, pages: 21 } });
      }
      case 'empty':
        return delivered(notFound(desk));
      case 'html':
        return html(fault.status, null);
      case 'drop':
        return dropped(0);
      case 'other_currency':
        return delivered(lookUp({ ...desk, shownIn: fault.currency }, endpoint, parameters));
      case undefined:
        return delivered(lookUp(desk, endpoint, parameters));
    }
  }

  /** Does what has become due. Every other call does so too. Returns the time it acted on. */
  advance(): number {
    const now = this.#clock();
    this.#platform.settle(now, (order, at) => void processOrder(this.#platform, order, at));
    return now;
  }

  /** The webhooks that are due, each handed out once (a doubled one twice). */
  due(): Notice[] {
    return this.#platform.notices.due(this.advance());
  }

  /** The next moment at which the gateway will act by itself, for whoever moves a clock. Null: never. */
  nextAt(): number | null {
    return this.#platform.nextAt();
  }

  /** Returns the rule's id. Throws a `ZodError` for a rule that makes no sense. */
  setFault(rule: FaultRule): string {
    return this.#platform.faults.add(rule);
  }

  faults(): readonly ActiveFault[] {
    return this.#platform.faults.list();
  }

  /** Without an id: all rules. False when there was no such rule. */
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

  /** Of a chargeback, or of a reversal. */
  reverseChargeback(id: string, order: disputes.ChargebackReversal = {}): Transaction {
    return disputes.reverseChargeback(this.#platform, id, order, this.advance());
  }

  refundInPortal(order: { paymentId: string; amount: bigint; merchantTransactionId?: string }): Transaction {
    return commands.refundInPortal(this.#platform, order, this.advance());
  }

  reverseInPortal(order: { paymentId: string; amount?: bigint }): Transaction {
    return commands.reverseInPortal(this.#platform, order, this.advance());
  }

  /** The merchant's shop captures an authorisation, or a part of it. */
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

  /** Ends the lag that hides a transaction from look-ups. */
  show(order: { id: string }): Transaction {
    return commands.show(this.#platform, order, this.advance());
  }

  /** A webhook that the gateway never meant to send: by somebody with the merchant's key, or without it. */
  forgeWebhook(entityId: string, content: NoticeContent, key: 'right' | 'wrong'): void {
    this.#platform.notices.add({
      entityId,
      dueAt: this.advance(),
      content,
      key,
    });
  }

  /** Every transaction, oldest first. */
  transactions(): readonly Transaction[] {
    this.advance();
    return [...this.#platform.store.all()];
  }

  /** Null: there is no such original. */
  books(originalId: string, hint: CreditHint = {}): Books | null {
    this.advance();
    const original = this.#platform.store.any(originalId);
    return original === null ? null : booksOf(this.#platform.store, original, hint);
  }

  credits(entityId: string, hint: CreditHint = {}): readonly CreditLine[] {
    this.advance();
    return creditsOf(this.#platform.store, entityId, hint);
  }

  /** What left the merchant under these references and, linked or not, for these originals. By currency. */
  leftMerchant(of: { references?: readonly string[]; originals?: readonly string[] }): readonly Outflow[] {
    this.advance();
    return outflowOf(this.#platform.store, of.references ?? [], of.originals ?? []);
  }

  /** How many instructions under one reference moved money or still may. More than one is a double payment. */
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

  #register(entity: Entity, order: Instruction, now: number): Answer {
    const { ids } = this.#platform;
    const card = order.card ?? { bin: '', last4Digits: '' };
    const code = order.testMode === 'EXTERNAL' ? '000.100.112' : '000.100.110';
    const body = {
      id: this.#platform.register(entity.id, card),
      paymentBrand: order.paymentBrand ?? undefined,
      card,
      ...bareBody(ids, entity.id, now, this.#platform.settings.live ? '000.000.000' : code),
    };
    return { httpStatus: 200, body };
  }

  /** Rejected by throttling: not executed. The id in the body names no transaction. */
  #throttled(entity: Entity, now: number): Answer {
    const { ids, settings } = this.#platform;
    const body = {
      id: transactionId(ids),
      ...bareBody(ids, entity.id, now, '800.120.100'),
    };
    return { httpStatus: settings.throttledStatus, body };
  }
}

function isV3({ kind }: LookUpEndpoint): boolean {
  return kind === 'v3_query' || kind === 'v3_search';
}
