/** The connection to PostgreSQL, its tables as types, and the one way to open a transaction. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely, PostgresDialect, sql, type ColumnType, type Generated, type Transaction } from 'kysely';
import type { DeclaredPayment } from '../../domain/payment/declared-payment.js';
import type { UnreadPayment } from '../../domain/refund/next-step.js';
import type { AttemptState, RefundState } from '../../domain/refund/states.js';
import type { Way } from '../../domain/refund/way.js';
import { CHECK_WRITABLE, openPool, type ConnectionOptions } from './connections.js';
import type { Instruction } from '../core/refund-record.js';
import type { CommandResults, CorrectionDetails } from '../core/people.js';

type Stamp = ColumnType<Date, Date | undefined, Date>;
/** Written as JSON text, read as what it holds. */
type Json<T> = ColumnType<T, string | null, string | null>;

/** What a client declared of a payment, as it is stored. */
export interface StoredDeclaration {
  readonly type: DeclaredPayment['type'];
  readonly minor: string;
  readonly currency: string;
  readonly registrationId?: string;
}

export interface PaymentTable {
  id: string;
  entity_id: string;
  /** `CD`: a free-standing credit, whose money is counted here and whose limit is the amount that was asked for. */
  type: 'DB' | 'PA' | 'CP' | 'CD';
  state: 'succeeded' | 'pending' | 'rejected';
  currency: string;
  authorized_minor: bigint;
  captured_minor: bigint;
  registration_id: string | null;
  reserved_minor: Generated<bigint>;
  succeeded_minor: Generated<bigint>;
  returned_minor: Generated<bigint>;
  disputed_minor: Generated<bigint>;
  /** Released by reversals of ours: never captured. */
  released_minor: Generated<bigint>;
  /** What is given back or promised beyond the limit: computed by the table. */
  excess_minor: ColumnType<bigint, never, never>;
  not_found_count: Generated<number>;
  last_miss_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  /** What a client declared first. */
  declared: ColumnType<StoredDeclaration | null, string | null | undefined, string | null>;
  /** False while no query has shown it. */
  is_seen: Generated<boolean>;
  imported_at: Stamp;
  /** When the query began that it was last brought up to date with. */
  observed_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
}

interface CaptureTable {
  id: string;
  payment_id: string;
  amount_minor: bigint;
  /** Taken from it without us: certainly, and perhaps. */
  elsewhere_minor: Generated<bigint>;
  doubtful_minor: Generated<bigint>;
}

export interface RefundTable {
  id: string;
  payment_id: string;
  capture_id: string | null;
  caller: string;
  idempotency_key: string;
  fingerprint: string;
  amount_minor: bigint;
  currency: string;
  reason: string;
  requested_by: string;
  asked_for: Generated<'refund' | 'credit'>;
  order_id: string | null;
  destination: Json<{ registrationId: string } | null>;
  metadata: Json<Record<string, string> | null>;
  state: RefundState;
  why: string | null;
  blocks: Json<string[] | null>;
  instruction: Json<Instruction | null>;
  /** What the payment is to be read for, where it could not be read when it was last needed. */
  unread_for: UnreadPayment['for'] | null;
  unread_since: ColumnType<Date | null, Date | null | undefined, Date | null>;
  unread_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  unread_times: Generated<number>;
  unread_answer: string | null;
  replays: Generated<number>;
  /** Attempts up to this number are over, and no budget counts them. */
  attempts_before: Generated<number>;
  /** What the customer has of it from outside of the program. */
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
  number: number;
  way: Way;
  original_id: string | null;
  registration_id: string | null;
  reference: string;
  amount_minor: bigint;
  /** Of an executed reversal that gave back less than ordered. */
  given_minor: ColumnType<bigint | null, bigint | null | undefined, bigint | null>;
  currency: string;
  /** Whoever asked for the refund, as `personKey` has it. */
  requester: string;
  /** A credit that a second person approved. */
  approved: Generated<boolean>;
  state: AttemptState;
  sends: Generated<number>;
  /** Submissions of which the sender knows that no byte left. */
  never_left: Generated<number>;
  /** Submissions that no budget counts. */
  sends_before: Generated<number>;
  send_by: Stamp;
  /** The id with which the gateway told a certain outcome. */
  gateway_id: string | null;
  /** Every other id that it gave, as it came. */
  seen_ids: ColumnType<string[] | null, string[] | null | undefined, string[] | null>;
  result_code: string | null;
  result_description: string | null;
  refusal_class: string | null;
  note: string | null;
  look_ups: Generated<number>;
  looked_up_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  not_found_count: Generated<number>;
  last_miss_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  opened_at: Stamp;
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

interface LookUpTable {
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
  /** Null: carried out each time. */
  command_id: string | null;
  by: string;
  /** The same as `personKey` has it. */
  author: string;
  reason: string;
  ticket: string | null;
  attempt_id: ColumnType<string | null, string | null | undefined, never>;
  instruction: ColumnType<string | null, string | null | undefined, never>;
  /** Of `command`. */
  result: ColumnType<CommandResults[keyof CommandResults], string, never>;
  /** Null where it decided nothing that later commands depend on. */
  state: ColumnType<CommandState | null, CommandState | null | undefined, CommandState>;
  /** Of a correction: what exactly is to be corrected, and the money. */
  details: ColumnType<CorrectionDetails | null, string | null | undefined, never>;
  amount_minor: ColumnType<bigint | null, bigint | null | undefined, never>;
  currency: ColumnType<string | null, string | null | undefined, never>;
  at: Stamp;
  decided_by: ColumnType<string | null, undefined, string>;
  decided_at: ColumnType<Date | null, undefined, Date>;
}

/**
 * `approved`, `refused`: an instruction of a credit. `open`, `confirmed`, `refused`, `overtaken`: a proposal. `alone`: a correction within
 * the limit up to which one operator may. `done`: a transaction that was linked, a destination that was changed.
 */
export type CommandState = 'approved' | 'refused' | 'open' | 'confirmed' | 'overtaken' | 'alone' | 'done';

export interface Tables {
  payments: PaymentTable;
  captures: CaptureTable;
  refunds: RefundTable;
  attempts: AttemptTable;
  events: EventTable;
  look_ups: LookUpTable;
  cases: CaseTable;
  command_results: CommandResultTable;
}

export type Tx = Transaction<Tables>;

export interface Database {
  readonly db: Kysely<Tables>;
  /** Runs `work` in one transaction, and marks everything it awaits as inside of it. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Runs `work` on one consistent snapshot. It locks nothing, waits for nobody and cannot write. */
  snapshot<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const inside = new AsyncLocalStorage<true>();

/** A text where a ledger transaction is open around the caller: a call to the gateway must never hold a row lock. */
export function openTransaction(): string | undefined {
  return inside.getStore() === true ? 'a ledger transaction is open' : undefined;
}

/** Opens the ledger's database. `bigint` columns come as `bigint`, never as a float. */
export function openDatabase(url: string, options: ConnectionOptions = {}): Database {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: openPool(url, options) }) });
  // Where the database is unavailable, the first statement fails and says so.
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

/** Rejects where the database takes no writes: unavailable, or a standby. */
export async function checkWritable({ db }: Database): Promise<void> {
  await sql.raw(CHECK_WRITABLE).execute(db);
}
