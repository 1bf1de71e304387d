/** Checks of sealed cards: where their numbers went, how often a CVV was submitted, and what is left of them. */
import type { Harness } from '../harness/harness.js';
import { text } from './rows.js';

export function cardViolations(harness: Harness): string[] {
  const { vault, database, gateway } = harness;
  if (vault.numbers.size === 0) return [];
  const { attempts, card_registrations: registrations, card_keys: keys } = database.tables.rows;
  const wrong: string[] = [];
  for (const who of vault.openedOutside) wrong.push(`a card was opened by ${who}, which is no activity`);

  const timesOf = new Map<string, number>();
  for (const { reference, number, cvv, hasKey } of vault.submitted) {
    const row = [...attempts, ...registrations].find((found) => found['reference'] === reference);
    const cardRef = row === undefined ? '' : text(row, 'card_id');
    if (vault.numbers.get(cardRef) !== number)
      wrong.push(`${reference} carried the number of another card than ${cardRef}`);
    if (cvv === undefined) continue;
    if (hasKey) wrong.push(`${reference} carried a CVV whose key was left`);
    timesOf.set(cvv, (timesOf.get(cvv) ?? 0) + 1);
  }
  for (const [cvv, times] of timesOf)
    if (times > 1) wrong.push(`one CVV (${cvv}) was submitted ${times} times`);

  for (const row of registrations) {
    const made = gateway
      .transactions()
      .filter(
        ({ type, state, merchantTransactionId }) =>
          type === 'RG' && state === 'succeeded' && merchantTransactionId === row['reference'],
      );
    const removed = gateway.transactions().filter(({ type }) => type === 'DR').length;
    if (made.length - removed > 1)
      wrong.push(`${text(row, 'reference')} registered a card ${made.length} times`);
    if (row['state'] === 'registered' && keys.some((key) => key['card_id'] === row['card_id']))
      wrong.push(`card ${text(row, 'card_id')} is registered, and its keys are left`);
  }
  const shown = JSON.stringify(database.tables.rows, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value instanceof Uint8Array ? '' : value,
  );
  for (const number of vault.numbers.values())
    if (shown.includes(number)) wrong.push('a card number stands in a row');
  return wrong;
}
