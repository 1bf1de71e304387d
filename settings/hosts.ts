/** Tells test hosts of the gateway from live hosts. Success codes of the test system count as successes on test hosts only. */
import type { HostKind } from '../gateway/settings.js';

/** Hosts that the vendor and its resellers run for tests. Any other host may move real money. */
const TEST_HOSTS: ReadonlySet<string> = new Set([
  'eu-test.oppwa.com',
  'test.oppwa.com',
  'sandbox-card.peachpayments.com',
  'test.vr-pay-ecommerce.de',
]);

/** Hosts that move real money. No setting turns them into test hosts. */
const LIVE_HOSTS: ReadonlySet<string> = new Set([
  'eu-prod.oppwa.com',
  'oppwa.com',
  'card.peachpayments.com',
  'vr-pay-ecommerce.de',
]);

/**
 * Returns the kind of a host that is known by its name or is this machine. Returns undefined for any other host: it counts as live
 * unless `OPPWA_HOST_KIND` declares it a test host.
 */
export function knownHostKind(baseUrl: string): HostKind | undefined {
  // `EU-TEST.OPPWA.COM.` is the same host: `URL` lower-cases the name, and a final dot has no meaning.
  const hostname = new URL(baseUrl).hostname.replace(/\.$/, '');
  if (isLoopback(baseUrl) || TEST_HOSTS.has(hostname)) return 'test';
  return LIVE_HOSTS.has(hostname) ? 'live' : undefined;
}

/** True for this machine: a simulator, or the local end of a tunnel to a host of either kind. */
export const isLoopback = (baseUrl: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(new URL(baseUrl).hostname);
