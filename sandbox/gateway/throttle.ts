/** Rate limits over a sliding window, for each entity and endpoint. */
import { DOCUMENTED_LIMITS, type GatewaySettings, type ThrottleLimits } from './settings.js';
import type { QueryEndpoint, WriteEndpoint } from './types.js';

type Limit = { readonly key: string; readonly perWindow: number } | null;

function limitOf(endpoint: WriteEndpoint | QueryEndpoint, limits: ThrottleLimits): Limit {
  switch (endpoint.kind) {
    case 'v1_payment':
      return { key: 'v1_payment', perWindow: limits.v1Payment };
    case 'v1_query':
    case 'v1_search':
      return { key: 'v1_query', perWindow: limits.v1Query };
    case 'v3_query':
      return { key: 'v3_query', perWindow: limits.v3Query };
    case 'v3_search':
      return { key: 'v3_search', perWindow: limits.v3Search };
    case 'backoffice':
      return { key: `backoffice ${endpoint.id}`, perWindow: limits.backoffice };
    case 'pay_registration':
      return { key: 'pay_registration', perWindow: limits.payRegistration };
    case 'create':
    case 'register':
    case 'deregister':
    case 'result_codes':
      return null;
  }
}

export class Throttle {
  readonly #hits = new Map<string, number[]>();

  /** True if the request is within the limit; it is then counted. */
  admit(
    entityId: string,
    endpoint: WriteEndpoint | QueryEndpoint,
    setting: GatewaySettings['throttle'],
    now: number,
  ): boolean {
    if (setting === 'off') return true;
    const limits = setting === 'documented' ? DOCUMENTED_LIMITS : setting;
    const limit = limitOf(endpoint, limits);
    if (limit === null) return true;
    const key = `${entityId} ${limit.key}`;
    const recent = (this.#hits.get(key) ?? []).filter((at) => at > now - limits.windowMs);
    this.#hits.set(key, recent);
    if (recent.length >= limit.perWindow) return false;
    recent.push(now);
    return true;
  }
}
