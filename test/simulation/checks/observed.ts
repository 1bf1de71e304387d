/** Checks that the ledger's last query of the payment agrees with the gateway: captured and disputed amounts. */
import type { Transaction } from '../../../sandbox/gateway/types.js';
import type { Harness } from '../harness/harness.js';
import { amount } from './rows.js';

export function observationViolations({ gateway, database, payment }: Harness): string[] {
  const row = database.tables.rows.payments.find(({ id }) => id === payment.id);
  const observedAt = row?.['observed_at'];
  const all = gateway.transactions();
  const linked = all.filter(({ type }) => type === 'CP' || type === 'CB' || type === 'CR');
  // Changes after the last query are unknown to the ledger.
  if (row === undefined || !(observedAt instanceof Date)) return [];
  if (linked.some((found) => Math.max(found.changedAt, found.visibleAt) >= observedAt.getTime())) return [];

  const sum = (found: readonly Transaction[]): bigint =>
    found.reduce((total, one) => total + payment.toMinor(one.amount), 0n);
  const wrong: string[] = [];
  // A capture that the client declared is a payment of its own.
  const { captures } = database.tables.rows;
  const isOwn = (id: string): boolean =>
    id !== payment.id && captures.some((one) => one['id'] === id && one['payment_id'] === id);
  const ofPayment = linked.filter(
    ({ id, type, referencedId }) => type === 'CP' && referencedId === payment.id && !isOwn(id),
  );
  const captured = sum(ofPayment.filter(({ state }) => state === 'succeeded'));
  if (payment.type === 'PA' && amount(row, 'captured_minor') !== captured)
    wrong.push(`captured is ${amount(row, 'captured_minor')} in the ledger, ${captured} at the gateway`);

  // So are its chargebacks, and the reversals of these.
  const isOfOther = ({ referencedId }: Transaction): boolean => {
    if (referencedId === null) return false;
    const referenced = all.find(({ id }) => id === referencedId);
    return isOwn(referencedId) || (referenced !== undefined && isOfOther(referenced));
  };
  const disputes = linked.filter((found) => !isOfOther(found));
  const chargebacks = disputes.filter(({ type, state }) => type === 'CB' && state !== 'rejected');
  const reversals = disputes.filter(({ type, state }) => type === 'CR' && state === 'succeeded');
  const isUnclear = database.tables.rows.events.some(
    (event) => event['type'] === 'payment.unclear' && event['payment_id'] === payment.id,
  );
  const isLostAgain = reversals.some(({ referencedId }) => reversals.some(({ id }) => id === referencedId));
  if (isLostAgain) return isUnclear ? wrong : [...wrong, 'the reversal of a reversal is not recorded'];
  // Acceptance does not query each capture, and earlier notifications are in a table that is not simulated.
  const storedAt = row['imported_at'];
  const isApart = gateway.settings().captureLinks === 'apart';
  if (
    isApart &&
    storedAt instanceof Date &&
    disputes.some(({ changedAt }) => changedAt <= storedAt.getTime())
  )
    return wrong;
  // A hidden amount counts as the whole payment; an operator decides a doubt.
  if (isUnclear || chargebacks.some(({ hidesAmount }) => hidesAmount)) return wrong;
  const disputed = sum(chargebacks) - sum(reversals.filter(({ referencedId }) => referencedId !== null));
  if (amount(row, 'disputed_minor') !== disputed)
    wrong.push(`disputed is ${amount(row, 'disputed_minor')} in the ledger, ${disputed} at the gateway`);
  return wrong;
}
