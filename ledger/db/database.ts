/** Connection to PostgreSQL, the types of its tables, and transactions. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely, PostgresDialect, sql, type ColumnType, type Generated, type Transaction } from 'kysely';
import type { CardEnd } from '../../domain/card/sealed-card.js';
import type { DeclaredPayment } from '../../domain/payment/declared-payment.js';
import type { OriginalType } from '../../domain/payment/original.js';
import type { UnreadPayment } from '../../domain/refund/next-step.js';
import type { RefundState } from '../../domain/refund/states.js';
import type { AttemptState } from '../../domain/refund/attempt-states.js';
import type { Destination } from '../../domain/refund/destination.js';
import type { Operation } from '../../domain/refund/operation.js';
import type { SettlementDetails } from '../../domain/transaction.js';
import { CHECK_WRITABLE, openPool, type ConnectionOptions } from './connections.js';
import type { Instruction } from '../core/refund-record.js';
import type { CommandResults, CorrectionDetails } from '../core/commands.js';

type Stamp = ColumnType<Date, Date | undefined, Date>;
/** Written as JSON text, read as the parsed value. */
type Json<T> = ColumnType<T, string | null, string | null>;

/** A client's declaration of a payment, as stored. */
export interface StoredDeclaration {
  readonly type: DeclaredPayment['type'];
  readonly minor: string;
  readonly currency: string;
  readonly registrationId?: string;
}

export interface PaymentTable {
  id: string;
  entity_id: string;
  /** `credit`: an unlinked credit, whose balance is this row and whose limit is the requested amount. */
  type: OriginalType | 'credit';
  state: 'succeeded' | 'pending' | 'rejected';
  currency: string;
  authorized_minor: bigint;
  captured_minor: bigint;
  registration_id: string | null;
  reserved_minor: Generated<bigint>;
  succeeded_minor: Generated<bigint>;
  returned_minor: Generated<bigint>;
  disputed_minor: Generated<bigint>;
  /** Released by our reversals: never captured. */
  released_minor: Generated<bigint>;
  /** Paid back or reserved beyond the limit. A generated column. */
  excess_minor: ColumnType<bigint, never, never>;
  not_found_count: Generated<number>;
  last_not_found_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  /** The client's first declaration. */
  declared: ColumnType<StoredDeclaration | null, string | null | undefined, string | null>;
  /** False until a query has shown the payment. */
  is_confirmed: Generated<boolean>;
  imported_at: Stamp;
  /** Time at which the query of the stored observation began. */
  observed_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
}

interface CaptureTable {
  id: string;
  payment_id: string;
  amount_minor: bigint;
  /** Taken by refunds made elsewhere: certainly (`elsewhere_minor`) and possibly (`doubtful_minor`). */
  elsewhere_minor: Generated<bigint>;
  doubtful_minor: Generated<bigint>;
}

export interface RefundTable {
  id: string;
  payment_id: string;
  capture_id: string | null;
  client_id: string;
  idempotency_key: string;
  fingerprint: string;
  amount_minor: bigint;
  currency: string;
  reason: string;
  requested_by: string;
  asked_for: Generated<'refund' | 'credit'>;
  order_id: string | null;
  destination: Json<Destination | null>;
  metadata: Json<Record<string, string> | null>;
  state: RefundState;
  why: string | null;
  blocks: Json<string[] | null>;
  instruction: Json<Instruction | null>;
  /** The step that needs the payment, if the payment could not be read when it was last needed. */
  unread_for: UnreadPayment['for'] | null;
  unread_since: ColumnType<Date | null, Date | null | undefined, Date | null>;
  unread_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  unread_count: Generated<number>;
  unread_answer: string | null;
  replays: Generated<number>;
  /** Attempts up to this number count towards no budget. */
  attempts_before_replay: Generated<number>;
  /** Paid to the customer outside of the program. */
  elsewhere_minor: Generated<bigint>;
  charged_back_minor: Generated<bigint>;
  version: Generated<number>;
  state_since: Stamp;
  created_at: Stamp;
  updated_at: Stamp;
}

export interface AttemptTable {
  id: string;
  refund_id: string;
  payment_id: string;
  /** The entity of the payment. */
  entity_id: string;
  number: number;
  operation: Operation;
  original_id: string | null;
  registration_id: string | null;
  /** The sealed card of a credit. */
  card_id: ColumnType<string | null, string | null | undefined, string | null>;
  /** The registration, or the fingerprint of the card: one destination for the limits of credits. */
  destination_key: ColumnType<string | null, string | null | undefined, string | null>;
  /** True if a submission carried a CVV. */
  with_cvv: Generated<boolean>;
  reference: string;
  amount_minor: bigint;
  /** Amount that a reversal released, if it was less than ordered. */
  paid_back_minor: ColumnType<bigint | null, bigint | null | undefined, bigint | null>;
  currency: string;
  /** The requester of the refund, normalized by `principalKey`. */
  requester: string;
  /** True for a credit that an operator approved. */
  approved: Generated<boolean>;
  state: AttemptState;
  submissions: Generated<number>;
  /** Number of submissions of which the sender knows that no byte left. */
  not_sent_count: Generated<number>;
  /** Number of submissions that count towards no budget. */
  submissions_before: Generated<number>;
  send_by: Stamp;
  /** The gateway id of a certain outcome. */
  gateway_id: string | null;
  /** All other ids that the gateway gave, as received. */
  seen_ids: ColumnType<string[] | null, string[] | null | undefined, string[] | null>;
  result_code: string | null;
  result_description: string | null;
  decline_class: string | null;
  /** Ids and texts of the answer that find the transaction in settlement. */
  settlement: ColumnType<SettlementDetails | null, string | null | undefined, string | null>;
  /** Last four digits of the card in the answer, if they differ from those of the sealed card. */
  other_last4: ColumnType<string | null, string | null | undefined, string | null>;
  note: string | null;
  queries: Generated<number>;
  queried_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  not_found_count: Generated<number>;
  last_not_found_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  opened_at: Stamp;
  sent_at: Stamp;
  answered_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
}

export interface CardTable {
  id: string;
  client_id: string;
  brand: string;
  last4: string;
  initials: string;
  fingerprint: string;
  format_version: number;
  sealed: Uint8Array;
  sealed_cvv: ColumnType<Uint8Array | null, Uint8Array | null | undefined, Uint8Array | null>;
  needs_cvv: Generated<boolean>;
  created_at: Stamp;
  expires_at: ColumnType<Date, Date, Date>;
  /** Milliseconds between the end of its last refund and the end of its keys. */
  grace_ms: bigint;
  destroyed_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  destroyed_by: ColumnType<string | null, string | null | undefined, string | null>;
  destroyed_why: ColumnType<CardEnd | null, CardEnd | null | undefined, CardEnd | null>;
}

export interface CardKeyTable {
  card_id: string;
  field: 'card' | 'cvv';
  /** Id of the key-encryption key. */
  kek_id: string;
  wrapped: Uint8Array;
  sealed_at: Stamp;
}

export interface CardRegistrationTable {
  card_id: string;
  entity_id: string;
  reference: string;
  state: 'submitting' | 'unknown' | 'registered' | 'rejected' | 'absent';
  registration_id: ColumnType<string | null, string | null | undefined, string | null>;
  result_code: ColumnType<string | null, string | null | undefined, string | null>;
  result_description: ColumnType<string | null, string | null | undefined, string | null>;
  not_found_count: Generated<number>;
  last_not_found_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  send_by: Stamp;
  sent_at: Stamp;
  answered_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
}

export interface EventTable {
  id: Generated<string>;
  natural_key: string;
  type: string;
  payment_id: string;
  refund_id: string | null;
  attempt_id: string | null;
  reserved_delta: Generated<bigint>;
  succeeded_delta: Generated<bigint>;
  returned_delta: Generated<bigint>;
  disputed_delta: Generated<bigint>;
  released_delta: Generated<bigint>;
  from_outside: Generated<boolean>;
  actor: string;
  data: Json<Record<string, unknown>>;
  at: Stamp;
}

interface QueryTable {
  id: Generated<string>;
  attempt_id: string;
  answer: string;
  at: Stamp;
}

interface CaseTable {
  id: Generated<string>;
  payment_id: string;
  refund_id: string;
  why: string;
  details: Json<Record<string, unknown>>;
  opened_at: Stamp;
  closed_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  closed_by: string | null;
}

export interface CommandResultTable {
  id: Generated<string>;
  refund_id: string;
  payment_id: string;
  command: keyof CommandResults;
  /** Null: the command is carried out each time. */
  command_id: string | null;
  by: string;
  /** The operator, normalized by `principalKey`. */
  author: string;
  reason: string;
  ticket: string | null;
  attempt_id: ColumnType<string | null, string | null | undefined, never>;
  instruction: ColumnType<string | null, string | null | undefined, never>;
  /** Result of `command`. */
  result: ColumnType<CommandResults[keyof CommandResults], string, never>;
  /** Null if later commands do not depend on it. */
  state: ColumnType<CommandState | null, CommandState | null | undefined, CommandState>;
  /** Content and amount of a correction. */
  details: ColumnType<CorrectionDetails | null, string | null | undefined, never>;
  amount_minor: ColumnType<bigint | null, bigint | null | undefined, never>;
  currency: ColumnType<string | null, string | null | undefined, never>;
  at: Stamp;
  decided_by: ColumnType<string | null, undefined, string>;
  decided_at: ColumnType<Date | null, undefined, Date>;
}

/**
 * `approved`, `refused`: an instruction of a credit. `open`, `confirmed`, `refused`, `superseded`: a proposal. `alone`: a correction
 * within the limit for a single operator. `done`: a linked transaction, or a changed destination.
 */
export type CommandState = 'approved' | 'refused' | 'open' | 'confirmed' | 'superseded' | 'alone' | 'done';

export interface Tables {
  payments: PaymentTable;
  captures: CaptureTable;
  refunds: RefundTable;
  attempts: AttemptTable;
  events: EventTable;
  queries: QueryTable;
  cases: CaseTable;
  command_results: CommandResultTable;
  cards: CardTable;
  card_keys: CardKeyTable;
  card_registrations: CardRegistrationTable;
}

export type Tx = Transaction<Tables>;

export interface Database {
  readonly db: Kysely<Tables>;
  /** Runs `work` in one transaction, and marks everything that it awaits as inside of it. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Runs `work` on one consistent snapshot. It takes no locks, waits for none, and cannot write. */
  snapshot<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const inside = new AsyncLocalStorage<true>();

/** Returns a text if the caller runs inside a ledger transaction: no row may be locked during a call to the gateway. */
export function openTransaction(): string | undefined {
  return inside.getStore() === true ? 'a ledger transaction is open' : undefined;
}

/** Opens the ledger's database. `bigint` columns are read as `bigint`, never as a float. */
export function openDatabase(url: string, options: ConnectionOptions = {}): Database {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: openPool(url, options) }) });
  // Errors are ignored here: if the database is unavailable, the first statement reports it.
  for (let opened = 0; opened < (options.kept ?? 0); opened += 1)
    db.connection()
      .execute(async () => undefined)
      .catch(() => undefined);
  return {
    db,
    transaction: (work) => inside.run(true, () => db.transaction().execute(work)),
    snapshot: (work) =>
      inside.run(true, () =>
        db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work),
      ),
    close: () => db.destroy(),
  };
}

/** Rejects if the database accepts no writes: it is unavailable or a standby. */
export async function checkWritable({ db }: Database): Promise<void> {
  await sql.raw(CHECK_WRITABLE).execute(db);
}
