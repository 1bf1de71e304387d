/** Which hosts of the gateway are for tests, where success codes of the test system are successes. */
import type { GatewayHost } from '../domain/result-codes.js';

/** Hosts that the vendor and its resellers run for tests. Anything else may move real money. */
const TEST_HOSTS: ReadonlySet<string> = new Set([
  'eu-test.oppwa.com',
  'test.oppwa.com',
  'sandbox-card.peachpayments.com',
  'test.vr-pay-ecommerce.de',
]);

/** `test` where success codes of the test system are successes: known test hosts and this machine itself. */
export function hostKind(baseUrl: string): GatewayHost {
  const { hostname } = new URL(baseUrl);
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
  return isLoopback || TEST_HOSTS.has(hostname) ? 'test' : 'live';
}
