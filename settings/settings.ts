/** Settings of a process. They are read and checked once, at its start. */
import type { RefundConfig } from '../domain/refund/config.js';
import type { Secret } from '../domain/secret.js';
import type { EntitySettings, HostKind } from '../gateway/settings.js';
import type { CodecSettings } from '../temporal/codec/settings.js';
import type { MaintenanceSchedule } from '../temporal/maintenance.js';
import type { EventsSettings } from './events.js';
import type { ApiSettings } from './api.js';
import type { CardsSettings } from './cards.js';

/** Size of a worker. The numbers and their reasons are in `worker/profiles.ts`. */
export const WORKER_PROFILES = ['small', 'standard'] as const;
export type WorkerProfile = (typeof WORKER_PROFILES)[number];

export interface Settings {
  readonly databaseUrl: string;
  readonly databaseConnections: number;
  /** The first is the default entity. */
  readonly entities: readonly [EntitySettings, ...EntitySettings[]];
  /** By entity id. `test`: success codes of the test system are successes. `live`: they mean that no money moved. */
  readonly hosts: ReadonlyMap<string, HostKind>;
  /** Keys that decrypt the gateway's webhooks, by entity id. Several while one key replaces another. */
  readonly webhookKeys: ReadonlyMap<string, readonly Secret<string>[]>;
  /** Returns timings and policy for a refund that starts now. The policy depends on the entity because acquirers differ. */
  readonly configFor: (entityId: string) => RefundConfig;
  /** Searches per second and entity, over all processes. The vendor documents 30 per minute; other queries follow in proportion. */
  readonly queriesPerSecond: number;
  /** Encryption of what Temporal stores. */
  readonly codec: CodecSettings;
  /** Separates deployments that share a Temporal namespace. */
  readonly taskQueue: string;
  readonly workerProfile: WorkerProfile;
  /** Path of a workflow bundle that is already built. If undefined, the worker builds one at its start. */
  readonly workflowBundlePath: string | undefined;
  /** Intervals of the refund sweep and the ledger audit. If undefined, the schedules stay as they are. */
  readonly maintenance: MaintenanceSchedule | undefined;
  /** Endpoint and secrets of outgoing events. If undefined, no events are sent. */
  readonly events: EventsSettings | undefined;
  /** Keys and lifetimes of sealed cards. If undefined, no card is accepted. */
  readonly cards: CardsSettings | undefined;
  /** 1 is real time. Also shortens the waits that exist for the sake of other systems. */
  readonly timeScale: number;
  /** Port of the worker's metrics. If undefined, there is none. */
  readonly metricsPort: number | undefined;
  readonly api: ApiSettings;
}
