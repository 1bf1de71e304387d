/** The settings of a process, checked once at its start. */
import type { RefundConfig } from '../domain/refund/config.js';
import type { Secret } from '../domain/secret.js';
import type { EntitySettings, HostKind } from '../gateway/settings.js';
import type { MaintenanceSchedule } from '../temporal/maintenance.js';
import type { EventsSettings } from './events.js';
import type { ApiSettings } from './api.js';

/** How big a worker is; the numbers and their reasons are in `worker/profiles.ts`. */
export const WORKER_PROFILES = ['small', 'standard'] as const;
export type WorkerProfile = (typeof WORKER_PROFILES)[number];

export interface Settings {
  readonly databaseUrl: string;
  readonly databaseConnections: number;
  /** The first is the default. */
  readonly entities: readonly [EntitySettings, ...EntitySettings[]];
  /** `test`: success codes of the test system are successes. `live`: they mean that no money moved. By entity id. */
  readonly hosts: ReadonlyMap<string, HostKind>;
  /** Keys that open the gateway's webhooks, by entity id; more than one while one replaces another. */
  readonly webhookKeys: ReadonlyMap<string, readonly Secret<string>[]>;
  /** Timings and policy of a refund that starts now. Acquirers differ in what they can do, so policy goes by entity. */
  readonly configFor: (entityId: string) => RefundConfig;
  /** Searches a second for each entity, over all processes. The vendor documents 30 a minute; other queries follow in proportion. */
  readonly queriesPerSecond: number;
  /** Separates deployments that share a Temporal namespace. */
  readonly taskQueue: string;
  readonly workerProfile: WorkerProfile;
  /** A workflow bundle that was built before; undefined builds one at start. */
  readonly workflowBundlePath: string | undefined;
  /** How often refunds are swept and the ledger is audited; undefined leaves the schedules as they are. */
  readonly maintenance: MaintenanceSchedule | undefined;
  /** Where events are delivered to; undefined delivers none. */
  readonly events: EventsSettings | undefined;
  /** 1 is real time; what waits for other systems' sake is shortened by it too. */
  readonly timeScale: number;
  /** Where the worker shows its metrics; undefined: nowhere. */
  readonly metricsPort: number | undefined;
  readonly api: ApiSettings;
}
