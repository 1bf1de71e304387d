/** The simulated platform itself: creates and changes transactions, keeps what is to happen later, announces each change. */
import { Faults } from './faults.js';
import { shortId, transactionId, type IdSource } from './ids.js';
import { Notices } from './notices.js';
import type { Entity, GatewaySettings } from './settings.js';
import { Store, type StoreEntry } from './store.js';
import type { CardSummary, Deferred, Instruction, Plan, Transaction } from './types.js';

/** A transaction before the platform gave it its ids and times. */
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
  | 'plans'
> & { readonly plans?: readonly Plan[] };

type Appointment =
  | {
      readonly at: number;
      readonly kind: 'plan';
      readonly id: string;
      readonly plan: Plan;
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
  /** What a journal remembered. Plans and deferred requests in it are kept. */
  readonly history?: Iterable<StoreEntry>;
}

export class Platform {
  readonly store: Store;
  readonly faults = new Faults();
  readonly notices = new Notices();
  readonly ids: IdSource;
  readonly entities: ReadonlyMap<string, Entity>;
  settings: GatewaySettings;
  /** Ordered by time; the same time in the order of making. */
  #agenda: Appointment[] = [];

  constructor(options: PlatformOptions) {
    this.ids = options.ids;
    this.entities = new Map(options.entities.map((entity) => [entity.id, entity]));
    this.settings = options.settings;
    this.store = new Store(options.journal);
    for (const entry of options.history ?? []) this.store.apply(entry);
    for (const transaction of this.store.all()) this.#schedule(transaction.id, transaction.plans);
    for (const deferred of this.store.deferred()) this.#note({ at: deferred.at, kind: 'deferred', deferred });
  }

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
      plans: [...(draft.plans ?? [])],
    };
    this.#write(transaction, now);
    this.#schedule(transaction.id, transaction.plans);
    return transaction;
  }

  /** The gateway's word on a transaction changes: pending becomes final, a success comes back. */
  change(transaction: Transaction, to: Transaction['state'], resultCode: string, now: number): Transaction {
    const changed: Transaction = {
      ...transaction,
      state: to,
      resultCode,
      changedAt: now,
      executed: transaction.executed || to === 'succeeded',
      plans: transaction.plans.filter((plan) => plan.from === to),
    };
    this.#write(changed, now);
    return changed;
  }

  /** A lag ends early. */
  show(transaction: Transaction, now: number): Transaction {
    const shown: Transaction = { ...transaction, visibleAt: now };
    this.store.put({ kind: 'transaction', transaction: shown });
    return shown;
  }

  register(entityId: string, card: CardSummary): string {
    const id = this.#unusedId();
    this.store.put({
      kind: 'registration',
      registration: { id, entityId, card },
    });
    return id;
  }

  /** Accepted now, carried out at `at`. */
  defer(instruction: Instruction, at: number): void {
    const deferred: Deferred = { key: this.#unusedId(), at, instruction };
    this.store.put({ kind: 'deferred', deferred });
    this.#note({ at, kind: 'deferred', deferred });
  }

  /** Does everything that was to happen until `now`, in order, each at its own time. */
  settle(now: number, perform: (instruction: Instruction, at: number) => void): void {
    for (let next = this.#agenda[0]; next !== undefined && next.at <= now; next = this.#agenda[0]) {
      this.#agenda.shift();
      if (next.kind === 'deferred') {
        perform(next.deferred.instruction, next.at);
        this.store.put({ kind: 'deferred_done', key: next.deferred.key });
      } else {
        this.#follow(next.id, next.plan);
      }
    }
  }

  /** When something will happen or be announced next, null when nothing is planned. */
  nextAt(): number | null {
    const planned = this.#agenda[0]?.at ?? null;
    const announced = this.notices.nextAt();
    if (planned === null || announced === null) return planned ?? announced;
    return Math.min(planned, announced);
  }

  entityOf(transaction: Transaction): Entity {
    const known = this.entities.get(transaction.entityId);
    // A journal may hold transactions of an entity that is no longer configured.
    return known ?? { id: transaction.entityId, token: '' };
  }

  #follow(id: string, plan: Plan): void {
    const transaction = this.store.any(id);
    // A person may have been quicker; then the plan is off.
    const stands = transaction?.plans.some((own) => own.at === plan.at && own.from === plan.from);
    if (transaction === null || stands !== true || transaction.state !== plan.from) return;
    this.change(transaction, plan.to, plan.resultCode, plan.at);
  }

  #write(transaction: Transaction, now: number): void {
    this.store.put({ kind: 'transaction', transaction });
    if (transaction.source === 'SYSTEM' && transaction.type === 'RF' && !this.settings.notifyPortalRefunds)
      return;
    this.notices.announce(this.ids, this.entityOf(transaction), transaction, this.faults, now);
  }

  #schedule(id: string, plans: readonly Plan[]): void {
    for (const plan of plans) this.#note({ at: plan.at, kind: 'plan', id, plan });
  }

  #note(appointment: Appointment): void {
    const index = this.#agenda.findIndex((other) => other.at > appointment.at);
    this.#agenda.splice(index === -1 ? this.#agenda.length : index, 0, appointment);
  }

  /** A seeded source starts over with the process; ids from before a restart are stepped over. */
  #unusedId(): string {
    let id = transactionId(this.ids);
    while (this.store.isTaken(id)) id = transactionId(this.ids);
    return id;
  }
}
