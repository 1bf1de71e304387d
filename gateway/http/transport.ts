/** Connections to the gateway's hosts, and the one redirect that may be followed. */
import { Pool, type Dispatcher } from 'undici';
import { idsInPart } from './answer-ids.js';
import { isSafeAddress, type Settings } from '../settings.js';
import { sendOnce, type Exchange, type ExchangeLimits } from './one-request.js';

interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

interface Transport {
  /** Sends one request. Sends a second one only after a 307, which means that the first host has not acted. Never rejects. */
  send(request: HttpRequest, limits: Omit<ExchangeLimits, 'maxBodyBytes' | 'clock'>): Promise<Exchange>;
  /** Refuses new requests, waits for the running ones (each is bounded by its limits) and closes all connections. */
  close(): Promise<void>;
}

export function createTransport(settings: Settings): Transport {
  const pools = new Map<string, Pool>();
  const running = new Set<Promise<Exchange>>();
  let closed = false;

  function poolFor(origin: string): Pool {
    let pool = pools.get(origin);
    if (pool === undefined) {
      pool = new Pool(origin, {
        connections: settings.connections,
        // More than one request on a connection would make undici send the later ones again when it breaks.
        pipelining: 1,
        allowH2: false,
        keepAliveTimeout: settings.keepAliveMs,
        keepAliveMaxTimeout: Math.max(settings.keepAliveMs, 60_000),
        connect: { timeout: settings.connectTimeoutMs, minVersion: 'TLSv1.2' },
      });
      pools.set(origin, pool);
    }
    return pool;
  }

  function once(url: URL, request: HttpRequest, limits: ExchangeLimits): Promise<Exchange> {
    const options: Dispatcher.DispatchOptions = {
      method: request.method,
      path: url.pathname + url.search,
      headers: { ...request.headers },
      ...(request.body !== undefined && { body: request.body }),
    };
    return sendOnce(poolFor(url.origin), options, limits);
  }

  async function follow(request: HttpRequest, limits: ExchangeLimits): Promise<Exchange> {
    const url = new URL(request.url);
    const first = await once(url, request, limits);
    if (!isRedirect(first)) return first;
    const target = newDestination(first, url, settings.allowedHosts);
    if (target === undefined) return destinationChanged(first);
    const second = await once(target, request, limits);
    return isRedirect(second) ? destinationChanged(second) : second;
  }

  return {
    async send(request, limits) {
      if (closed) return { kind: 'not_sent', why: 'closed' };
      const exchange = follow(request, {
        ...limits,
        maxBodyBytes: settings.maxBodyBytes,
        clock: settings.clock,
      });
      running.add(exchange);
      try {
        return await exchange;
      } finally {
        running.delete(exchange);
      }
    },
    async close() {
      closed = true;
      await Promise.allSettled(running);
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

type Answered = Extract<Exchange, { kind: 'answered' }>;

function isRedirect(exchange: Exchange): exchange is Answered {
  return exchange.kind === 'answered' && exchange.httpStatus >= 300 && exchange.httpStatus < 400;
}

function destinationChanged({ httpStatus, body }: Answered): Exchange {
  return { kind: 'no_answer', why: 'destination_changed', httpStatus, received: body };
}

/**
 * Returns the address that a 307 leads to, if it may be followed. Only 307 preserves method and body. The token is sent along, so the host
 * must be allowed. The same address again would be a loop.
 */
function newDestination(answer: Answered, from: URL, allowedHosts: ReadonlySet<string>): URL | undefined {
  const { httpStatus, location, body } = answer;
  // An id of a transaction means that the host has acted.
  if (idsInPart(body).length > 0) return undefined;
  if (httpStatus !== 307 || location === undefined || !URL.canParse(location, from.href)) return undefined;
  const target = new URL(location, from);
  target.hash = '';
  if (!isSafeAddress(target) || !allowedHosts.has(target.host) || target.href === from.href) return undefined;
  return target;
}
