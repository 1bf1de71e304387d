/** The settings of the gateway client: meaning, defaults, and the checks at start. */
import type { QueryBudget } from '../domain/query-budget.js';
import type { ReportingRecord } from '../domain/reporting.js';
import type { Secret } from '../domain/secret.js';
import type { Moment } from '../domain/clock.js';
import { machineClock } from './http/clock.js';
import { GatewaySettingsError } from './errors.js';

/** `live`: the host moves real money. */
export type HostKind = 'test' | 'live';

/** One channel at the gateway. Tokens, hosts and test modes differ by channel. */
export interface EntitySettings {
  /** 32 lowercase hex. */
  readonly id: string;
  /** `https://eu-test.oppwa.com`, `https://eu-prod.oppwa.com` or a reseller's host; `http` on a loopback address only. */
  readonly baseUrl: string;
  /** The bearer token. */
  readonly accessToken: Secret<string>;
  /** Sent as `testMode` if set. A production host declines the parameter with `600.200.701`. */
  readonly testMode?: 'INTERNAL' | 'EXTERNAL' | undefined;
  /** On a live host, success codes of the test system mean that no money moved. Default `live`. */
  readonly hostKind?: HostKind | undefined;
}

export interface GatewayOptions {
  readonly entities: readonly EntitySettings[];
  /** Hosts, with a port where it is not the scheme's own, that a 307 may lead to. Default: the hosts of all `baseUrl`s. */
  readonly allowedHosts?: readonly string[];
  /** Bytes of an answer's body, as sent and decoded, above which it counts as too large. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Milliseconds for one query, with all of its pages and the fallback to the older version. Default 30,000. */
  readonly queryTimeoutMs?: number;
  /** Milliseconds to open a connection, TLS included. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Maximum number of connections to each host. Each carries one request at a time; further requests wait. Default 64. */
  readonly connections?: number;
  /**
   * Milliseconds that an idle connection is kept where the server names no time of its own. Longer saves handshakes and makes it
   * likelier that a request meets a connection which the server is just closing. Default 4,000.
   */
  readonly keepAliveMs?: number;
  /** Called before each write. If it returns a text, no write is allowed now: the text is thrown as a {@link GatewayMisuseError}. */
  readonly refuseWhen?: () => string | undefined;
  /** Called before each query. Without it, queries are sent at once. */
  readonly budget?: QueryBudget;
  /** Record of the entities that have no v3 reporting. Without it, each query tries v3 first. */
  readonly reporting?: ReportingRecord;
  /** Default: the clocks of this machine. */
  readonly clock?: () => Moment;
}

/** The options, checked and complete. */
export interface Settings {
  readonly entities: ReadonlyMap<string, Entity>;
  readonly allowedHosts: ReadonlySet<string>;
  readonly maxBodyBytes: number;
  readonly queryTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly connections: number;
  readonly keepAliveMs: number;
  readonly refuseWhen: () => string | undefined;
  readonly budget: QueryBudget | undefined;
  readonly reporting: ReportingRecord | undefined;
  readonly clock: () => Moment;
}

export interface Entity extends EntitySettings {
  /** `baseUrl` without a slash at its end. */
  readonly root: string;
}

/** Checks the options. Throws {@link GatewaySettingsError}, which never holds a token. */
export function settingsOf(options: GatewayOptions): Settings {
  const entities = new Map<string, Entity>();
  for (const entity of options.entities) {
    if (entities.has(entity.id)) throw new GatewaySettingsError(`entity ${entity.id} is configured twice`);
    entities.set(entity.id, entityOf(entity));
  }
  if (entities.size === 0) throw new GatewaySettingsError('no entity is configured');
  const hosts = options.allowedHosts ?? [...entities.values()].map(({ root }) => new URL(root).host);
  return {
    entities,
    allowedHosts: new Set(hosts.map((host) => host.toLowerCase())),
    maxBodyBytes: positive('maxBodyBytes', options.maxBodyBytes ?? 1024 * 1024),
    queryTimeoutMs: positive('queryTimeoutMs', options.queryTimeoutMs ?? 30_000),
    connectTimeoutMs: positive('connectTimeoutMs', options.connectTimeoutMs ?? 10_000),
    connections: positive('connections', options.connections ?? 64),
    keepAliveMs: positive('keepAliveMs', options.keepAliveMs ?? 4_000),
    refuseWhen: options.refuseWhen ?? (() => undefined),
    budget: options.budget,
    reporting: options.reporting,
    clock: options.clock ?? machineClock,
  };
}

/** True if a token may be sent to this address: it is encrypted, or on this machine. */
export function isSafeAddress(url: URL): boolean {
  if (url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
}

function entityOf(entity: EntitySettings): Entity {
  if (!/^[a-f0-9]{32}$/.test(entity.id)) {
    throw new GatewaySettingsError('an entity id must be 32 lowercase hex digits');
  }
  const url = URL.canParse(entity.baseUrl) ? new URL(entity.baseUrl) : undefined;
  if (url === undefined || !isSafeAddress(url) || url.search !== '' || url.hash !== '') {
    throw new GatewaySettingsError(
      `entity ${entity.id}: baseUrl must be an https address without user, query or fragment, such as https://eu-test.oppwa.com`,
    );
  }
  if (!/^[\x21-\x7e]+$/.test(entity.accessToken.reveal())) {
    throw new GatewaySettingsError(`entity ${entity.id}: accessToken must be visible ASCII without spaces`);
  }
  return { ...entity, root: url.origin + url.pathname.replace(/\/+$/, '') };
}

function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value <= 0 || value >= 2 ** 31) {
    throw new GatewaySettingsError(`${name} must be a whole number between 1 and ${2 ** 31 - 1}`);
  }
  return value;
}
