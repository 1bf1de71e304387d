/** Records in the coverage what one run reached. */
import { REFUND_STATES, type RefundState } from '../../../domain/refund/states.js';
import type { Harness } from '../harness/harness.js';
import { text } from './rows.js';

export function noteReached({ database, coverage }: Harness): void {
  const { refunds, attempts, events, cases } = database.tables.rows;
  for (const refund of refunds) coverage.hit('ends in', text(refund, 'state'));
  const at = new Map<string, RefundState>();
  for (const event of events) {
    const state = REFUND_STATES.find((known) => `refund.${known}` === event['type']);
    if (state === undefined) continue;
    const refundId = text(event, 'refund_id');
    coverage.hit('transition', `${at.get(refundId) ?? '(new)'} → ${state}`);
    at.set(refundId, state);
    for (const reason of reasonsOf(event['data'])) coverage.hit('approval for', reason);
  }
  for (const attempt of attempts) {
    coverage.hit('attempt', `${text(attempt, 'operation')} ${text(attempt, 'state')}`);
    const refusal = text(attempt, 'decline_class');
    if (refusal !== '') coverage.hit('decline', `${text(attempt, 'operation')} ${refusal}`);
    if (Number(attempt['submissions']) > 1)
      coverage.hit('attempt', `${text(attempt, 'operation')} submitted again with its reference`);
    if (attempt['operation'] === 'credit') coverage.hit('guard', 'allowed');
  }
  for (const entry of cases) {
    coverage.hit('case', text(entry, 'why'));
    for (const block of listIn(entry['details'], 'blocks')) coverage.hit('guard', block);
  }
}

function listIn(data: unknown, name: string): readonly string[] {
  if (typeof data !== 'object' || data === null) return [];
  const list: unknown = Object.getOwnPropertyDescriptor(data, name)?.value;
  return Array.isArray(list) ? list.map(String) : [];
}

function reasonsOf(data: unknown): readonly string[] {
  if (typeof data !== 'object' || data === null || !('instruction' in data)) return [];
  return listIn(data.instruction, 'why');
}
