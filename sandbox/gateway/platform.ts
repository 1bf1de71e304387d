/** The core of the gateway simulator: creates and changes transactions, schedules later changes, and queues a notification for each change. */
import { Faults } from './faults.js';
import { shortId, transactionId, type IdSource } from './ids.js';
import { Notifications } from './notifications.js';
import type { Entity, GatewaySettings } from './settings.js';
import { Store, type StoreEntry } from './store.js';
import type { CardSummary, Deferred, Instruction, PlannedChange, Transaction } from './types.js';

/** A transaction before the platform sets its ids and times. */
export type Draft = Omit<
  Transaction,
  | 'id'
  | 'shortId'
  | 'timestamp'
  | 'changedAt'
  | 'visibleAt'
  | 'executed'
  | 'showsReference'
  | 'hidesAmount'
  | 'isListed'
  | 'plannedChanges'
> & { readonly plannedChanges?: readonly PlannedChange[] };

type ScheduledEvent =
  | {
      readonly at: number;
      readonly kind: 'planned';
      readonly id: string;
      readonly planned: PlannedChange;
    }
  | {
      readonly at: number;
      readonly kind: 'deferred';
      readonly deferred: Deferred;
    };

export interface PlatformOptions {
  readonly entities: readonly Entity[];
  readonly settings: GatewaySettings;
  readonly ids: IdSource;
  readonly journal?: (entry: StoreEntry) => void;
  /** The entries of a journal. Their planned changes and deferred requests are scheduled again. */
  readonly history?: Iterable<StoreEntry>;
}

export class Platform {
  readonly store: Store;
  readonly faults = new Faults();
  readonly notifications = new Notifications();
  readonly ids: IdSource;
  readonly entities: ReadonlyMap<string, Entity>;
  settings: GatewaySettings;
  /** Sorted by time; events at the same time are in the order in which they were scheduled. */
  #schedule: ScheduledEvent[] = [];

  constructor(options: PlatformOptions) {
    this.ids = options.ids;
    this.entities = new Map(options.entities.map((entity) => [entity.id, entity]));
    this.settings = options.settings;
    this.store = new Store(options.journal);
    for (const entry of options.history ?? []) this.store.apply(entry);
    for (const transaction of this.store.all())
      this.#schedulePlanned(transaction.id, transaction.plannedChanges);
    for (const deferred of this.store.deferred()) this.#add({ at: deferred.at, kind: 'deferred', deferred });
  }

  /** `hidden`: fields that answers and queries leave out, and the milliseconds until queries show the transaction. */
  create(
    draft: Draft,
    now: number,
    hidden: {
      readonly lagMs?: number;
      readonly reference?: boolean;
      readonly amount?: boolean;
      readonly listing?: boolean;
    } = {},
  ): Transaction {
    const transaction: Transaction = {
      entityId: draft.entityId,
      type: draft.type,
      amount: draft.amount,
      currency: draft.currency,
      referencedId: draft.referencedId,
      state: draft.state,
      merchantTransactionId: draft.merchantTransactionId,
      registrationId: draft.registrationId,
      paymentBrand: draft.paymentBrand,
      card: draft.card,
      resultCode: draft.resultCode,
      source: draft.source,
      showsAmount: draft.showsAmount,
      id: this.#unusedId(),
      shortId: shortId(this.ids),
      timestamp: now,
      changedAt: now,
      visibleAt: now + (hidden.lagMs ?? this.settings.visibilityLagMs),
      executed: draft.state === 'succeeded',
      showsReference: hidden.reference !== true,
      hidesAmount: hidden.amount === true,
      isListed: hidden.listing !== true,
      plannedChanges: [...(draft.plannedChanges ?? [])],
    };
    this.#write(transaction, now);
    this.#schedulePlanned(transaction.id, transaction.plannedChanges);
    return transaction;
  }

  /** Changes the state of a transaction: a pending one becomes final, or a success is returned. */
  change(transaction: Transaction, to: Transaction['state'], resultCode: string, now: number): Transaction {
    const changed: Transaction = {
      ...transaction,
      state: to,
      resultCode,
      changedAt: now,
      executed: transaction.executed || to === 'succeeded',
      plannedChanges: transaction.plannedChanges.filter((planned) => planned.from === to),
    };
    this.#write(changed, now);
    return changed;
  }

  /** Makes a transaction visible to queries now, before its lag ends. */
  show(transaction: Transaction, now: number): Transaction {
    const shown: Transaction = { ...transaction, visibleAt: now };
    this.store.put({ kind: 'transaction', transaction: shown });
    return shown;
  }

  /** Returns the registration's id: that of the transaction which created it, or a new one. */
  register(entityId: string, card: CardSummary, id = this.#unusedId()): string {
    this.store.put({
      kind: 'registration',
      registration: { id, entityId, card, isRemoved: false },
    });
    return id;
  }

  removeRegistration(entityId: string, id: string): void {
    const registration = this.store.registration(entityId, id);
    if (registration !== null)
      this.store.put({ kind: 'registration', registration: { ...registration, isRemoved: true } });
  }

  /** Accepts a request now and executes it at `at`. */
  defer(instruction: Instruction, at: number): void {
    const deferred: Deferred = { key: this.#unusedId(), at, instruction };
    this.store.put({ kind: 'deferred', deferred });
    this.#add({ at, kind: 'deferred', deferred });
  }

  /** Executes all scheduled events up to `now`, in order, each with its own time. */
  settle(now: number, perform: (instruction: Instruction, at: number) => void): void {
    for (let next = this.#schedule[0]; next !== undefined && next.at <= now; next = this.#schedule[0]) {
      this.#schedule.shift();
      if (next.kind === 'deferred') {
        perform(next.deferred.instruction, next.at);
        this.store.put({ kind: 'deferred_done', key: next.deferred.key });
      } else {
        this.#follow(next.id, next.planned);
      }
    }
  }

  /** Returns the time of the next scheduled event or notification, or null if there is none. */
  nextAt(): number | null {
    const planned = this.#schedule[0]?.at ?? null;
    const announced = this.notifications.nextAt();
    if (planned === null || announced === null) return planned ?? announced;
    return Math.min(planned, announced);
  }

  entityOf(transaction: Transaction): Entity {
    const known = this.entities.get(transaction.entityId);
    // A journal may hold transactions of an entity that is not configured now.
    return known ?? { id: transaction.entityId, token: '' };
  }

  #follow(id: string, planned: PlannedChange): void {
    const transaction = this.store.any(id);
    // A control may have changed the transaction first; then the planned change is dropped.
    const stands = transaction?.plannedChanges.some(
      (own) => own.at === planned.at && own.from === planned.from,
    );
    if (transaction === null || stands !== true || transaction.state !== planned.from) return;
    this.change(transaction, planned.to, planned.resultCode, planned.at);
  }

  #write(transaction: Transaction, now: number): void {
    this.store.put({ kind: 'transaction', transaction });
    if (transaction.source === 'SYSTEM' && transaction.type === 'RF' && !this.settings.notifyPortalRefunds)
      return;
    this.notifications.announce(this.ids, this.entityOf(transaction), transaction, this.faults, now);
  }

  #schedulePlanned(id: string, plannedChanges: readonly PlannedChange[]): void {
    for (const planned of plannedChanges) this.#add({ at: planned.at, kind: 'planned', id, planned });
  }

  #add(event: ScheduledEvent): void {
    const index = this.#schedule.findIndex((other) => other.at > event.at);
    this.#schedule.splice(index === -1 ? this.#schedule.length : index, 0, event);
  }

  /** Returns an unused id. A seeded source starts again with the process, so ids from before a restart are skipped. */
  #unusedId(): string {
    let id = transactionId(this.ids);
    while (this.store.isTaken(id)) id = transactionId(this.ids);
    return id;
  }
}
