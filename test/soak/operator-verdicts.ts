/** Verdicts about approvals: two operators acted where two are needed, and their commands had the right effect on the money. */
import { sql } from 'kysely';
import type { Database } from '../../ledger/db/database.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import { allRefunds } from '../../sandbox/demo/books.js';
import { formatAmount as gatewayText } from '../../sandbox/gateway/amounts.js';
import type { Transaction } from '../../sandbox/gateway/types.js';
import { APPROVAL_ABOVE } from './money.js';
import { linkedAs, hundredthsOf, isPayment, type Evidence, type Verdict } from './verdicts.js';

export async function operatorVerdicts({ database, ledger, gateway }: Evidence): Promise<readonly Verdict[]> {
  const refunds = await allRefunds(ledger);
  const transactions = linkedAs(refunds, gateway.transactions());
  return [
    { name: 'credits without a second approver', wrong: await unapproved(database) },
    { name: 'commands of one operator where two are needed', wrong: await aloneWhereTwo(database) },
    { name: 'orders for refunds that a linked transaction had paid', wrong: await sentAfterLink(database) },
    {
      name: 'money out twice without a case',
      wrong: await withoutCase(database, refunds, transactions),
    },
  ];
}

/** Credits sent without approval although unlinked, above the limit or in a currency without one; and decisions by the requester. */
async function unapproved(database: Database): Promise<string[]> {
  const { rows: own } = await sql<{ id: string }>`
    select r.id from command_results c join refunds r on r.id = c.refund_id
      where c.command = 'decide' and c.state is not null and c.by = r.requested_by
  `.execute(database.db);
  const { rows: credits } = await sql<{
    reference: string;
    currency: string;
    amount: string;
    isUnlinked: boolean;
  }>`
    select a.reference, r.currency, a.amount_minor::text as amount, p.type = 'credit' as "isUnlinked"
    from attempts a join refunds r on r.id = a.refund_id join payments p on p.id = r.payment_id
    where a.operation = 'credit' and not exists (
      select from command_results yes where yes.refund_id = r.id and yes.state = 'approved' and yes.by <> r.requested_by
        and yes.at <= a.opened_at
    )
  `.execute(database.db);
  return [
    ...own.map(({ id }) => `refund ${id} was decided on by its requester`),
    ...credits
      .filter(
        ({ currency, amount, isUnlinked }) =>
          isUnlinked || BigInt(amount) > (APPROVAL_ABOVE.get(currency) ?? 0n),
      )
      .map(
        ({ reference, currency, amount }) => `credit ${reference} of ${amount} ${currency} was not approved`,
      ),
  ];
}

/** Corrections by one operator, and credits to another card that only the operator who named the card has approved. */
async function aloneWhereTwo(database: Database): Promise<string[]> {
  const { rows } = await sql<{ what: string }>`
    select format('the correction of refund %s was confirmed by %s, who proposed or asked', c.refund_id, c.decided_by) as what
      from command_results c join refunds r on r.id = c.refund_id
      where c.state = 'alone' or (c.state = 'confirmed' and c.decided_by in (c.by, r.requested_by))
    union all
    select format('credit %s goes to another card, approved by %s alone', a.reference, e.actor)
      from attempts a
      join lateral (select * from events where refund_id = a.refund_id and type = 'refund.destination_changed' and at <= a.opened_at
        order by id desc limit 1) e on true
      where a.operation = 'credit' and not exists (
        select from command_results yes where yes.refund_id = a.refund_id and yes.state = 'approved' and yes.by <> e.actor
          and yes.at between e.at and a.opened_at)
  `.execute(database.db);
  return rows.map(({ what }) => what);
}

/** Orders for refunds whose linked transaction had paid them, unless the money was returned. */
async function sentAfterLink(database: Database): Promise<string[]> {
  const { rows } = await sql<{ what: string }>`
    select format('refund %s was paid by linking %s, and %s was sent for it', r.id, e.data->>'gatewayId', a.reference) as what
    from events e join attempts linked on linked.id = e.attempt_id
    join refunds r on r.id = e.refund_id and r.amount_minor = linked.amount_minor
    join events s on s.refund_id = r.id and s.type = 'attempt.submitted' and s.id > e.id
    join attempts a on a.id = s.attempt_id
    where e.type = 'attempt.linked' and e.data->>'outcome' = 'succeeded' and not exists (
      select from events back where back.refund_id = r.id and back.type = 'refund.returned' and back.id between e.id and s.id)
  `.execute(database.db);
  return rows.map(({ what }) => what);
}

/** Refunds that were paid twice without a case. An operator may refund by hand what an order has paid as well. */
async function withoutCase(
  database: Database,
  refunds: readonly RefundRecord[],
  transactions: readonly Transaction[],
): Promise<string[]> {
  const cases = await database.db
    .selectFrom('cases')
    .select('refund_id')
    .where('why', 'in', ['paid_twice', 'answers_contradict', 'found_twice'])
    .execute();
  const reported = new Set(cases.map(({ refund_id }) => refund_id));
  const paid = (reference: string): bigint =>
    transactions
      .filter((one) => one.merchantTransactionId === reference && isPayment(one) && one.state === 'succeeded')
      .reduce((sum, { amount }) => sum + amount, 0n);
  return refunds.flatMap((refund) => {
    const out = refund.attempts.reduce((sum, { reference }) => sum + paid(reference), 0n);
    const promised = hundredthsOf(refund);
    return out <= promised || reported.has(refund.id)
      ? []
      : [`refund ${refund.id}: ${gatewayText(out)} left for ${gatewayText(promised)} promised`];
  });
}
