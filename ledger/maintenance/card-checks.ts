/** The invariant I9 as queries: keys of cards that outlived their time by more than two intervals of the purge. */
import { sql } from 'kysely';
import { FINAL_STATES } from '../../domain/refund/states.js';
import { refundsWith } from '../cards/card-views.js';
import type { Check } from './invariants.js';

const FINALS = sql.join(FINAL_STATES.map((state) => sql.lit(state)));
/** The purge runs every hour, before the audit. */
const TOLERANCE = sql`interval '2 hours'`;

export const CARD_CHECKS: readonly Check[] = [
  {
    invariant: 'I9',
    isOfSchema: true,
    wrong: sql`
      select '' as payment, format('card %s has the key of a CVV sealed at %s', card_id, sealed_at) as what
      from card_keys where field = 'cvv' and sealed_at < now() - interval '24 hours' - ${TOLERANCE}`,
  },
  {
    invariant: 'I9',
    isOfSchema: true,
    wrong: sql`
      select '' as payment, format('card %s expired at %s and has a key', id, expires_at) as what
      from cards where expires_at < now() - ${TOLERANCE} and exists (select from card_keys where card_id = cards.id)`,
  },
  {
    invariant: 'I9',
    isOfSchema: true,
    wrong: sql`
      select '' as payment, format('card %s was destroyed at %s and has a key', id, destroyed_at) as what
      from cards where destroyed_at is not null and exists (select from card_keys where card_id = cards.id)`,
  },
  {
    invariant: 'I9',
    isOfSchema: true,
    wrong: sql`
      select '' as payment, format('card %s has a key although its last refund ended at %s', cards.id, max(r.state_since)) as what
      from cards
      join card_keys k on k.card_id = cards.id and k.field = 'card'
      cross join lateral ${refundsWith(sql`cards.id`)} as r
      group by cards.id
      having bool_and(r.state in (${FINALS}))
        and max(r.state_since) < now() - cards.grace_ms * interval '1 millisecond' - ${TOLERANCE}`,
  },
];
