/** Distinguishes an unavailable database (restarting, full, a standby) from a wrong statement. */

/**
 * SQLSTATEs: classes 08 connection, 53 resources, 57P shutdown, 58 system; 57014 statement timeout; 55P03 lock timeout; 25006 write on a
 * standby; 25P03 session ended while its transaction was idle; 40001 and 40P01 transaction ended in favor of another one, or of recovery
 * on a standby.
 */
const SQL_STATES = /^(08|53|57P|58)|^57014$|^55P03$|^25006$|^25P03$|^40001$|^40P01$/;
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);
/** Messages of pg that have no code (lib/client.js and pg-pool/index.js). */
const MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Query read timeout)/;

/** True if the same call may succeed once the database is available again. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return NETWORK.has(code) || SQL_STATES.test(code) || MESSAGES.test(error.message);
}
