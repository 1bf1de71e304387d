/** Types of the tables for maintenance: sweeps, audits, and outgoing events. None of them holds money. */
import type { ColumnType, Generated, Kysely } from 'kysely';
import type { Database, Tables } from './database.js';

type Stamp = ColumnType<Date, Date | undefined, Date>;
type MaybeStamp = ColumnType<Date | null, Date | null | undefined, Date | null>;

interface SweepTable {
  refund_id: string;
  version: number;
  swept_at: Stamp;
  due_at: Stamp;
}

interface AuditTable {
  id: Generated<bigint>;
  at: Stamp;
  duration_ms: number;
  complete: boolean;
  violations: bigint;
  payments: number;
  whole_since: MaybeStamp;
  report: ColumnType<unknown, string, string>;
}

interface AuditFindingTable {
  payment_id: string;
  invariant: string;
  violations: number;
  examples: ColumnType<unknown, string, string>;
  found_at: Stamp;
}

interface AuditProgressTable {
  id: Generated<number>;
  events_through: bigint;
  slice_after: Generated<string>;
  round_since: Stamp;
  whole_since: MaybeStamp;
}

interface EventSettingsTable {
  id: Generated<number>;
  is_on: boolean;
}

export const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const;
/** `dead`: given up after the last try; only an operator sends it again. */
export type DeliveryState = (typeof DELIVERY_STATES)[number];

interface EventDeliveryTable {
  id: Generated<string>;
  event_id: bigint;
  refund_id: string;
  type: string;
  state: Generated<DeliveryState>;
  tries: Generated<number>;
  leased_until: MaybeStamp;
  due_at: Stamp;
  since: Stamp;
  last_try_at: MaybeStamp;
  last_status: number | null;
  last_error: string | null;
  delivered_at: MaybeStamp;
  created_at: Stamp;
}

// `withTables` needs a type with an index signature, which an interface does not have.
type MaintenanceTables = Readonly<{
  sweeps: SweepTable;
  audits: AuditTable;
  audit_findings: AuditFindingTable;
  audit_progress: AuditProgressTable;
  event_outlet: EventSettingsTable;
  event_deliveries: EventDeliveryTable;
}>;

export type MaintenanceDb = Kysely<Tables & MaintenanceTables>;

/** Returns the ledger's connection with the maintenance tables. */
export const maintenanceDb = ({ db }: Pick<Database, 'db'>): MaintenanceDb =>
  db.withTables<MaintenanceTables>();
