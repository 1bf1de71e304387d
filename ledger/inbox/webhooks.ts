/** Stores the gateway's webhooks before they are answered, and reads them for operators. */
import type { ColumnType, Generated, Insertable, Kysely, Selectable } from 'kysely';
import type { Notification, NotificationKind } from '../../domain/refund/notification.js';
import type { TransactionType } from '../../domain/transaction.js';
import type { Database, Tables } from '../db/database.js';

/**
 * `received`: not processed, or not shown by a query yet. `unmatched`: about nothing that the ledger knows, or never confirmed; processed
 * again when the ledger learns one of its ids. `ignored`: not about money that is paid back.
 */
export type WebhookState = 'received' | 'processed' | 'unmatched' | 'ignored';

interface WebhookTable {
  id: Generated<bigint>;
  natural_key: string;
  kind: NotificationKind;
  entity_id: string | null;
  gateway_id: string | null;
  payment_type: TransactionType | null;
  code: string | null;
  description: string | null;
  amount: string | null;
  currency: string | null;
  reference: string | null;
  referenced_id: string | null;
  gateway_timestamp: string | null;
  state: WebhookState;
  why: string | null;
  payment_id: string | null;
  refund_id: string | null;
  attempt_id: string | null;
  tries: Generated<number>;
  not_found_count: Generated<number>;
  confirmed_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  due_at: Date | null;
  received_at: ColumnType<Date, Date | undefined, Date>;
  processed_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
}

export type WebhookRow = Selectable<WebhookTable>;

/** The ledger's connections, with the table of webhooks. */
export const inboxOf = ({ db }: Database): Kysely<Tables & { webhooks: WebhookTable }> => db.withTables();

export interface WebhookRecord {
  readonly id: string;
  readonly kind: NotificationKind;
  readonly entityId: string | null;
  readonly gatewayId: string | null;
  readonly paymentType: TransactionType | null;
  readonly resultCode: string | null;
  readonly resultDescription: string | null;
  /** Decimal, as the gateway sent it. */
  readonly amount: string | null;
  readonly currency: string | null;
  readonly reference: string | null;
  readonly referencedId: string | null;
  /** The gateway's own timestamp, as text. */
  readonly gatewayTimestamp: string | null;
  readonly state: WebhookState;
  readonly why: string | null;
  readonly paymentId: string | null;
  readonly refundId: string | null;
  readonly attemptId: string | null;
  readonly receivedAt: Date;
  readonly processedAt: Date | null;
}

export interface StoredWebhook {
  /** Null if the same notification was stored before. */
  readonly id: string | null;
  readonly state: WebhookState;
}

/**
 * Stores notifications in one transaction, each once however often it is delivered. They are durable when this returns. Returns one entry
 * for each, in their order.
 */
export async function storeWebhooks(
  database: Database,
  notifications: readonly Notification[],
): Promise<readonly StoredWebhook[]> {
  if (notifications.length === 0) return [];
  const stored = await inboxOf(database)
    .insertInto('webhooks')
    .values(notifications.map(firstRow))
    .onConflict((conflict) => conflict.column('natural_key').doNothing())
    .returning(['id', 'natural_key'])
    .execute();
  const ids = new Map(stored.map((row) => [row.natural_key, row.id.toString()]));
  return notifications.map((notification) => {
    const id = ids.get(notification.naturalKey) ?? null;
    // The second of two equal notifications was stored before.
    ids.delete(notification.naturalKey);
    return { id, state: firstState(notification)[0] };
  });
}

function firstRow(notification: Notification): Insertable<WebhookTable> {
  const { kind, entityId, naturalKey, transaction: transaction } = notification;
  const [state, why] = firstState(notification);
  return {
    natural_key: naturalKey,
    kind,
    entity_id: entityId,
    gateway_id: transaction?.id ?? null,
    payment_type: transaction?.type ?? null,
    code: transaction?.result.code ?? null,
    description: transaction?.result.description ?? null,
    amount: transaction?.amount ?? null,
    currency: transaction?.currency ?? null,
    reference: transaction?.reference ?? null,
    referenced_id: transaction?.referencedId ?? null,
    gateway_timestamp: transaction?.timestamp ?? null,
    state,
    why,
    payment_id: null,
    refund_id: null,
    attempt_id: null,
    due_at: state === 'received' ? new Date(0) : null,
  };
}

function firstState({ kind, transaction }: Notification): readonly [WebhookState, string | null] {
  switch (kind) {
    case 'PAYMENT':
      // Authentic but unreadable: an operator has to look at it.
      return transaction === null ? ['unmatched', 'unreadable'] : ['received', null];
    case 'REGISTRATION':
    case 'SCHEDULE':
    case 'RISK':
    case 'TEST':
    case 'OTHER':
      return ['ignored', 'not_a_payment'];
    default:
      return kind satisfies never;
  }
}

/** Returns unmatched webhooks, newest first. `before`: the id of a webhook; only older ones are returned. */
export async function unmatchedWebhooks(
  database: Database,
  { limit = 100, before }: { readonly limit?: number; readonly before?: string } = {},
): Promise<readonly WebhookRecord[]> {
  let query = inboxOf(database)
    .selectFrom('webhooks')
    .selectAll()
    .where('state', '=', 'unmatched')
    .orderBy('id', 'desc')
    .limit(limit);
  if (before !== undefined) query = query.where('id', '<', BigInt(/^\d{1,18}$/.test(before) ? before : 0));
  return (await query.execute()).map(webhookRecord);
}

/** Returns the webhooks about a payment or a refund, oldest first. */
export async function webhooksOf(
  database: Database,
  subject: { readonly paymentId: string } | { readonly refundId: string },
): Promise<readonly WebhookRecord[]> {
  const [column, id] =
    'paymentId' in subject
      ? (['payment_id', subject.paymentId] as const)
      : (['refund_id', subject.refundId] as const);
  const rows = await inboxOf(database)
    .selectFrom('webhooks')
    .selectAll()
    .where(column, '=', id)
    .orderBy('id')
    .execute();
  return rows.map(webhookRecord);
}

function webhookRecord(row: WebhookRow): WebhookRecord {
  return {
    id: row.id.toString(),
    kind: row.kind,
    entityId: row.entity_id,
    gatewayId: row.gateway_id,
    paymentType: row.payment_type,
    resultCode: row.code,
    resultDescription: row.description,
    amount: row.amount,
    currency: row.currency,
    reference: row.reference,
    referencedId: row.referenced_id,
    gatewayTimestamp: row.gateway_timestamp,
    state: row.state,
    why: row.why,
    paymentId: row.payment_id,
    refundId: row.refund_id,
    attemptId: row.attempt_id,
    receivedAt: row.received_at,
    processedAt: row.processed_at,
  };
}
