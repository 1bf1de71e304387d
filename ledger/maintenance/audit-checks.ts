/** The invariants I1 to I9 as queries of the real tables: each returns one sentence for each violation. */
import { sql, type RawBuilder } from 'kysely';
import {
  CLOSED_STATES,
  FINAL_STATES,
  REFUND_STATES,
  REFUND_TRANSITIONS,
  type RefundState,
} from '../../domain/refund/states.js';
import { OPEN_ATTEMPT_STATES } from '../../domain/refund/attempt-states.js';
import { CARD_CHECKS } from './card-checks.js';
import type { Check } from './invariants.js';

const literals = (names: readonly string[]): RawBuilder<unknown> =>
  sql.join(names.map((name) => sql.lit(name)));
const FINAL = literals(FINAL_STATES);
const OPEN = literals(OPEN_ATTEMPT_STATES);
const eventsOf = (states: readonly RefundState[]): RawBuilder<unknown> =>
  literals(states.map((state) => `refund.${state}`));

const PAIRS = sql.join(
  REFUND_TRANSITIONS.flatMap(({ from, to }) =>
    from.map((one) => sql`(${sql.lit(`refund.${one}`)}, ${sql.lit(`refund.${to}`)})`),
  ),
);
/** Each recorded change of a refund's state, with the state before it. */
const MOVES = sql`
  select payment_id, refund_id, type, actor, lag(type) over (partition by refund_id order by id) as before
  from events where refund_id is not null and type in (${eventsOf(REFUND_STATES)})`;
const forbiddenMoves = (which: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  select payment_id as payment, format('refund %s went from %s to %s', refund_id, before, type) as what
  from (${MOVES}) as moves
  where before <> type and ${which} and (before, type) not in (${PAIRS})`;
const BEFORE_IS_OPEN = sql`before in (${eventsOf(['submitting', 'unknown', 'pending'])})`;

const balances: readonly Check[] = [
  {
    invariant: 'I1',
    wrong: sql`
      -- The table itself prevents the program's own events from adding to the excess.
      select id as payment, format('payment %s: %s paid back or reserved beyond its limit, without a fact from outside', id, excess_minor) as what
      from payments
      where excess_minor > 0 and not exists (
        select 1 from events where events.payment_id = payments.id and from_outside)`,
  },
  {
    invariant: 'I1',
    wrong: sql`
      select payment_id as payment, format('refund %s is %s, reserves %s and owes %s', id, state, held, owed) as what
      from (
        select r.id, r.payment_id, r.state, coalesce(e.held, 0) as held,
          r.amount_minor - coalesce(a.paid, 0) - r.elsewhere_minor - r.charged_back_minor as owed,
          coalesce(e.ended, false) as ended
        from refunds r
        left join (
          select refund_id, sum(reserved_delta) as held,
            bool_or(type in (${eventsOf(CLOSED_STATES)})) as ended
          from events where refund_id is not null group by refund_id) as e on e.refund_id = r.id
        left join (
          select refund_id, sum(coalesce(paid_back_minor, amount_minor)) as paid from attempts where state = 'succeeded' group by refund_id
        ) as a on a.refund_id = r.id) as promise
      -- A refund that had ended and turned out partly paid is owed again only if that part was returned.
      where held <> case when state in (${FINAL}) or owed < 0 or (ended and held = 0) then 0 else owed end`,
  },
  {
    invariant: 'I1',
    // An unlinked credit has no payment that could be charged back.
    wrong: sql`
      select p.id as payment, format('payment %s: refunds count %s as charged back and %s as refunded elsewhere, its events have %s and %s',
        p.id, claims.charged_back, claims.elsewhere, p.disputed_minor, coalesce(e.elsewhere, 0)) as what
      from (
        select payment_id, sum(charged_back_minor) as charged_back, sum(elsewhere_minor) as elsewhere
        from refunds where charged_back_minor > 0 or elsewhere_minor > 0 group by payment_id) as claims
      join payments p on p.id = claims.payment_id
      left join (
        select payment_id, sum(succeeded_delta) as elsewhere
        from events where type = 'payment.returned_elsewhere' group by payment_id) as e on e.payment_id = p.id
      where claims.charged_back > p.disputed_minor or claims.elsewhere > coalesce(e.elsewhere, 0)`,
  },
  {
    invariant: 'I8',
    wrong: sql`
      select id as payment, format('payment %s: %s is %s, its events add up to %s', id, name, stored, summed) as what
      from (
        select p.id, balance.name, balance.stored, balance.summed
        from payments p
        left join (
          select payment_id, sum(reserved_delta) as reserved, sum(succeeded_delta) as succeeded,
            sum(returned_delta) as returned, sum(disputed_delta) as disputed, sum(released_delta) as released
          from events group by payment_id) as e on e.payment_id = p.id,
        lateral (values
          ('reserved', p.reserved_minor, coalesce(e.reserved, 0)),
          ('succeeded', p.succeeded_minor, coalesce(e.succeeded, 0)),
          ('returned', p.returned_minor, coalesce(e.returned, 0)),
          ('disputed', p.disputed_minor, coalesce(e.disputed, 0)),
          ('released', p.released_minor, coalesce(e.released, 0))) as balance (name, stored, summed)) as compared
      where stored <> summed`,
  },
];

/** Compares an attempt with its own events. */
const attemptFacts = (problem: RawBuilder<unknown>, when: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  select a.payment_id as payment, format('attempt %s is %s: %s', a.id, a.state, ${problem}) as what
  from attempts a
  left join (
    select event.attempt_id,
      sum(event.succeeded_delta) filter (where event.type in ('attempt.succeeded', 'attempt.release_reduced')) as paid,
      sum(event.returned_delta) as back,
      count(*) filter (where event.type = 'attempt.submitted') as submissions,
      bool_and(event.data->>'amountMinor' = own.amount_minor::text) filter (where event.type = 'attempt.submitted') as same_amount
    from events event join attempts own on own.id = event.attempt_id group by event.attempt_id) as e on e.attempt_id = a.id
  where ${when}`;

const attempts: readonly Check[] = [
  {
    invariant: 'I2',
    wrong: sql`
      select payment_id as payment, format('refund %s has %s open attempts', refund_id, count(*)) as what
      from attempts where state in (${OPEN}) group by payment_id, refund_id having count(*) > 1`,
  },
  {
    invariant: 'I2',
    wrong: sql`
      select r.payment_id as payment, format('refund %s is %s with an open attempt', r.id, r.state) as what
      from attempts a join refunds r on r.id = a.refund_id
      where a.state in (${OPEN}) and r.state in (${FINAL})`,
  },
  {
    invariant: 'I2',
    wrong: attemptFacts(
      sql`format('%s submissions, %s events', a.submissions, coalesce(e.submissions, 0))`,
      sql`coalesce(e.submissions, 0) <> a.submissions`,
    ),
  },
  {
    invariant: 'I8',
    wrong: attemptFacts(
      sql`format('its events have %s paid and %s returned', coalesce(e.paid, 0), coalesce(e.back, 0))`,
      sql`coalesce(e.paid, 0) <> case when a.state in ('succeeded', 'returned') then coalesce(a.paid_back_minor, a.amount_minor) else 0 end
        or coalesce(e.back, 0) <> case when a.state = 'returned' then coalesce(a.paid_back_minor, a.amount_minor) else 0 end`,
    ),
  },
  {
    invariant: 'I6',
    wrong: attemptFacts(sql`'it was submitted with another amount'`, sql`e.same_amount is false`),
  },
  {
    invariant: 'I1',
    wrong: sql`
      select a.payment_id as payment, format('attempt %s is larger than its refund', a.id) as what
      from attempts a join refunds r on r.id = a.refund_id where a.amount_minor > r.amount_minor`,
  },
  {
    invariant: 'I5',
    wrong: sql`
      select a.payment_id as payment, format('attempt %s is paid without a gateway id', a.id) as what
      from attempts a
      where a.state = 'succeeded' and a.gateway_id is null and not exists (
        -- Operators who sign a correction may know no gateway id; their evidence is in the correction's event.
        select from events e where e.refund_id = a.refund_id and e.attempt_id = a.id and e.type = 'refund.corrected')`,
  },
  {
    invariant: 'I5',
    wrong: sql`
      select r.payment_id as payment, format('the correction of refund %s was signed by one operator', c.refund_id) as what
      from command_results c join refunds r on r.id = c.refund_id
      where (c.state = 'confirmed' and lower(trim(c.decided_by)) in (lower(trim(c.by)), lower(trim(r.requested_by))))
        or (c.state = 'alone' and lower(trim(c.by)) = lower(trim(r.requested_by)))`,
  },
  {
    invariant: 'I5',
    wrong: sql`
      select r.payment_id as payment, format('the credit of refund %s was approved by its requester', c.refund_id) as what
      from command_results c join refunds r on r.id = c.refund_id
      where c.state = 'approved' and lower(trim(c.by)) = lower(trim(r.requested_by))`,
  },
  {
    invariant: 'I3',
    wrong: sql`
      select credit.payment_id as payment, format('credit %s has no declined refund before it', credit.id) as what
      from attempts credit
      join refunds r on r.id = credit.refund_id
      where credit.operation = 'credit' and r.asked_for = 'refund' and not exists (
        select from attempts before
        where before.refund_id = credit.refund_id and before.number < credit.number and before.operation = 'refund'
          -- A declined refund that later turned out paid, or was returned, was declined when the credit was opened.
          and before.state in ('rejected', 'succeeded', 'returned'))`,
  },
  {
    invariant: 'I3',
    wrong: sql`
      select a.payment_id as payment, format('attempt %s is a %s of refund %s, which was requested as a credit', a.id, a.operation, r.id) as what
      from attempts a join refunds r on r.id = a.refund_id
      where r.asked_for = 'credit' and a.operation <> 'credit'`,
  },
  {
    invariant: 'I3',
    wrong: sql`
      select credit.payment_id as payment, format('credit %s is unlinked, and no other operator approved it', credit.id) as what
      from attempts credit
      join refunds r on r.id = credit.refund_id
      join payments p on p.id = credit.payment_id
      where p.type = 'credit' and not exists (
        select from events yes
        join events sent on sent.attempt_id = credit.id and sent.type = 'attempt.submitted' and sent.id > yes.id
        where yes.refund_id = r.id and yes.type = 'refund.approved'
          and lower(trim(yes.actor)) <> lower(trim(r.requested_by)))`,
  },
];

const moves: readonly Check[] = [
  { invariant: 'I4', wrong: forbiddenMoves(BEFORE_IS_OPEN) },
  {
    invariant: 'I4',
    // An operator may, with evidence. The program cannot know that nothing has left while the outcome is open.
    wrong: sql`
      select payment_id as payment, format('refund %s went from %s to %s without a decision of an operator', refund_id, before, type) as what
      from (${MOVES}) as moves
      where ${BEFORE_IS_OPEN} and type in (${eventsOf(['failed', 'canceled'])})
        and actor in ('system', 'answer', 'query', 'notification', 'gateway')`,
  },
  { invariant: 'I5', wrong: forbiddenMoves(sql`not ${BEFORE_IS_OPEN}`) },
  {
    invariant: 'I5',
    wrong: sql`
      select payment_id as payment, format('refund %s left %s for %s without evidence', refund_id, before, type) as what
      from (${MOVES}) as moves
      where before <> type and before in (${eventsOf(FINAL_STATES)}) and actor = 'system'`,
  },
  {
    invariant: 'I5',
    wrong: sql`
      select r.payment_id as payment, format('refund %s is %s, its last event is %s', r.id, r.state, coalesce(last.type, 'nothing')) as what
      from refunds r
      left join (
        select distinct on (refund_id) refund_id, type
        from events where refund_id is not null and type in (${eventsOf(REFUND_STATES)})
        order by refund_id, id desc) as last on last.refund_id = r.id
      where last.type is distinct from 'refund.' || r.state`,
  },
];

const schema: readonly Check[] = [
  {
    invariant: 'I6',
    isOfSchema: true,
    wrong: sql`
      select '' as payment, format('%s.%s is %s, not a whole number', table_name, column_name, data_type) as what
      from information_schema.columns
      where table_schema = current_schema() and column_name ~ '_(minor|delta)$' and data_type <> 'bigint'`,
  },
  {
    invariant: 'I6',
    wrong: sql`
      select r.payment_id as payment, format('refund %s is in %s, its payment in %s', r.id, r.currency, p.currency) as what
      from refunds r join payments p on p.id = r.payment_id where r.currency <> p.currency
        -- A refund that paid nothing may be of a payment that was declared in a wrong currency.
        and r.state not in ('canceled', 'failed')`,
  },
  {
    invariant: 'I7',
    wrong: sql`
      select r.payment_id as payment, format('refund %s has %s events of its request', r.id, coalesce(e.times, 0)) as what
      from refunds r
      left join (
        select refund_id, count(*) as times from events where type = 'refund.requested' group by refund_id
      ) as e on e.refund_id = r.id
      where coalesce(e.times, 0) <> 1`,
  },
  {
    invariant: 'I7',
    isOfSchema: true,
    wrong: sql`select '' as payment, 'no constraint prevents the reuse of an idempotency key' as what where not exists (
      select from pg_constraint
      where conname = 'refunds_by_key' and conrelid = 'refunds'::regclass and contype = 'u' and convalidated)`,
  },
  {
    invariant: 'I8',
    isOfSchema: true,
    wrong: sql`
      select '' as payment, format('trigger %s is missing or disabled', needed.name) as what
      from (values ('events_apply'), ('events_append_only'), ('events_no_truncate')) as needed (name)
      where not exists (
        select from pg_trigger
        where tgname = needed.name and tgrelid = 'events'::regclass and tgenabled in ('O', 'A'))`,
  },
  {
    invariant: 'I8',
    isOfSchema: true,
    wrong: sql`select '' as payment, 'no constraint prevents a duplicate event' as what where not exists (
      select from pg_constraint
      where conname = 'events_natural_key_key' and conrelid = 'events'::regclass and contype = 'u' and convalidated)`,
  },
];

export const CHECKS: readonly Check[] = [...balances, ...attempts, ...moves, ...schema, ...CARD_CHECKS];
