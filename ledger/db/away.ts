/** Tells a database that is unavailable, restarting, full or a standby from a statement that is wrong. */

/**
 * Classes 08 connection, 53 resources, 57P shutdown, 58 system. 57014 is a statement that ran out of time, 55P03 a lock; 25006 a write on a
 * standby, 25P03 a session that was ended while its transaction was idle; 40001 and 40P01 what the server ended in favor of another
 * transaction, or of recovery on a standby.
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
/** What pg says without a code: lib/client.js and pg-pool/index.js. */
const MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Query read timeout)/;

/** True where the same call is worth making again once the database is back. */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseAway);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return NETWORK.has(code) || SQL_STATES.test(code) || MESSAGES.test(error.message);
}
