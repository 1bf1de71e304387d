/** The gateway simulator's data in memory, with indexes. Each change is written to the journal before it becomes visible. */
import type { Deferred, Registration, Transaction } from './types.js';

/** One line of the journal. The last line for a transaction holds its current state. */
export type StoreEntry =
  | { readonly kind: 'transaction'; readonly transaction: Transaction }
  | { readonly kind: 'registration'; readonly registration: Registration }
  | { readonly kind: 'deferred'; readonly deferred: Deferred }
  | { readonly kind: 'deferred_done'; readonly key: string };

export class Store {
  readonly #transactions = new Map<string, Transaction>();
  readonly #byReference = new Map<string, Set<string>>();
  readonly #children = new Map<string, Set<string>>();
  readonly #registrations = new Map<string, Registration>();
  readonly #deferred = new Map<string, Deferred>();
  readonly #journal: (entry: StoreEntry) => void;

  constructor(journal: (entry: StoreEntry) => void = () => undefined) {
    this.#journal = journal;
  }

  /** Writes the change to the journal, then applies it. If the journal throws, nothing has changed. */
  put(entry: StoreEntry): void {
    this.#journal(entry);
    this.apply(entry);
  }

  /** Applies an entry without writing it, for entries read from the journal. */
  apply(entry: StoreEntry): void {
    switch (entry.kind) {
      case 'transaction': {
        const { transaction } = entry;
        this.#transactions.set(transaction.id, transaction);
        index(this.#byReference, transaction.merchantTransactionId, transaction.id);
        index(this.#children, transaction.referencedId, transaction.id);
        return;
      }
      case 'registration':
        this.#registrations.set(entry.registration.id, entry.registration);
        return;
      case 'deferred':
        this.#deferred.set(entry.deferred.key, entry.deferred);
        return;
      case 'deferred_done':
        this.#deferred.delete(entry.key);
        return;
    }
  }

  /** Returns the transaction with this id, of whichever entity. */
  any(id: string): Transaction | null {
    return this.#transactions.get(id) ?? null;
  }

  /** Returns the transaction with this id if it belongs to `entityId`, else null. */
  find(entityId: string, id: string): Transaction | null {
    const transaction = this.any(id);
    return transaction?.entityId === entityId ? transaction : null;
  }

  byReference(merchantTransactionId: string): Transaction[] {
    return this.#withIds(this.#byReference.get(merchantTransactionId));
  }

  /** Returns the transactions of the same entity that refer to `original` directly. */
  children(original: Transaction): Transaction[] {
    return this.#withIds(this.#children.get(original.id)).filter(
      (child) => child.entityId === original.entityId,
    );
  }

  /** Returns all transactions that refer to `original`, directly or through another one, parents before children. */
  descendants(original: Transaction): Transaction[] {
    return this.children(original).flatMap((child) => [child, ...this.descendants(child)]);
  }

  all(): IterableIterator<Transaction> {
    return this.#transactions.values();
  }

  registration(entityId: string, id: string): Registration | null {
    const registration = this.#registrations.get(id);
    return registration?.entityId === entityId ? registration : null;
  }

  deferred(): IterableIterator<Deferred> {
    return this.#deferred.values();
  }

  isTaken(id: string): boolean {
    return this.#transactions.has(id) || this.#registrations.has(id) || this.#deferred.has(id);
  }

  #withIds(ids: ReadonlySet<string> | undefined): Transaction[] {
    return [...(ids ?? [])].flatMap((id) => this.any(id) ?? []);
  }
}

function index(map: Map<string, Set<string>>, key: string | null, id: string): void {
  if (key === null) return;
  const ids = map.get(key) ?? new Set();
  map.set(key, ids.add(id));
}
