/** Which hosts of the gateway are for tests, where success codes of the test system are successes. */
import type { HostKind } from '../gateway/settings.js';

/** Hosts that the vendor and its resellers run for tests. Anything else may move real money. */
const TEST_HOSTS: ReadonlySet<string> = new Set([
  'eu-test.oppwa.com',
  'test.oppwa.com',
  'sandbox-card.peachpayments.com',
  'test.vr-pay-ecommerce.de',
]);

/** Hosts that move real money. No setting makes them test hosts. */
const LIVE_HOSTS: ReadonlySet<string> = new Set([
  'eu-prod.oppwa.com',
  'oppwa.com',
  'card.peachpayments.com',
  'vr-pay-ecommerce.de',
]);

/**
 * Which kind a host is known to be: by its name, or because it is this machine. Undefined for any other: it counts as live unless
 * `OPPWA_HOST_KIND` is `test`.
 */
export function knownHostKind(baseUrl: string): HostKind | undefined {
  // `EU-TEST.OPPWA.COM.` is the same host: a URL has it in lower case, and a last dot means nothing.
  const hostname = new URL(baseUrl).hostname.replace(/\.$/, '');
  if (isLoopback(baseUrl) || TEST_HOSTS.has(hostname)) return 'test';
  return LIVE_HOSTS.has(hostname) ? 'live' : undefined;
}

/** This machine: a simulator, or the near end of a tunnel to either kind. */
export const isLoopback = (baseUrl: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(new URL(baseUrl).hostname);
