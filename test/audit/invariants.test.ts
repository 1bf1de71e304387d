/** Tests that the audit finds each kind of error in the books, and names the invariant and the violation. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditLedger } from '../../ledger/maintenance/audit.js';
import { INVARIANTS, type Invariant } from '../../ledger/maintenance/invariants.js';
import {
  accepted,
  answer,
  debit,
  gatewayId,
  paid,
  pending,
  refused,
  seen,
  submitted,
} from '../ledger/fixtures.js';
import { postgresLedger } from '../ledger/postgres.js';

const { database, ledger, url } = await postgresLedger();
const LIMITS = { statementTimeout: 30_000, examples: 1_000 };

/** Changes rows as an administrator can: without triggers, and after dropping constraints. */
const administrator = new pg.Client(url);
beforeAll(async () => {
  await administrator.connect();
});
afterAll(() => administrator.end());

async function tamper(...statements: readonly string[]): Promise<void> {
  await administrator.query('set session_replication_role = replica');
  for (const statement of statements) await administrator.query(statement);
  await administrator.query('set session_replication_role = origin');
}

async function found(invariant: Invariant): Promise<readonly string[]> {
  const { invariants } = await auditLedger(database.db, LIMITS);
  return invariants.find((one) => one.invariant === invariant)?.examples ?? [];
}

interface Books {
  readonly paymentId: string;
  readonly refundId: string;
  readonly attemptId: string;
}

async function fixture(outcome: 'open' | 'pending' | 'paid'): Promise<Books> {
  const facts = debit();
  const refundId = await accepted(ledger, facts, 4_000n);
  const order = await submitted(ledger, refundId);
  if (outcome !== 'open') await ledger.record(answer(order, outcome === 'paid' ? paid() : pending()));
  return { paymentId: facts.id, refundId, attemptId: order.attemptId };
}

const fact = (books: Books, type: string, actor = 'answer'): string =>
  `insert into events (natural_key, type, payment_id, refund_id, actor)
   values (gen_random_uuid()::text, '${type}', '${books.paymentId}', '${books.refundId}', '${actor}')`;

describe('the audit of correct books', () => {
  it('finds no violation, and has checked everything', async () => {
    await fixture('paid');
    await fixture('pending');
    await fixture('open');
    const report = await auditLedger(database.db, LIMITS);
    expect(report).toMatchObject({ complete: true, violations: 0 });
    expect(report.invariants.map(({ invariant }) => invariant)).toEqual(Object.keys(INVARIANTS));
  });
});

describe('the audit of a refund that was final, then paid, then returned', () => {
  it('finds no violation: the amount owed again is reserved again', async () => {
    const refundId = await accepted(ledger, debit(), 4_000n);
    const order = await submitted(ledger, refundId);
    const id = gatewayId();
    await ledger.record(answer(order, refused('not_owed', id)));
    await ledger.giveUp(refundId, 'not_owed', 'system');
    await ledger.record(seen(order, paid(id)));
    const back = await ledger.record(seen(order, refused('unlisted', id)));
    expect(back.state).toBe('returned');
    expect((await auditLedger(database.db, LIMITS)).violations).toBe(0);
  });
});

describe('the audit finds', () => {
  it('I1: a payment with more returned than it captured', async () => {
    const { paymentId } = await fixture('paid');
    await tamper(`update payments set captured_minor = 3999 where id = '${paymentId}'`);
    expect(await found('I1')).toContainEqual(
      `payment ${paymentId}: 1 paid back or reserved beyond its limit, without a fact from outside`,
    );
  });

  it('I1: a refund that reserves another amount than it owes, and a final refund that still reserves an amount', async () => {
    const [under, over] = [await fixture('pending'), await fixture('paid')];
    await tamper(
      `update refunds set amount_minor = 4001 where id = '${under.refundId}'`,
      `insert into events (natural_key, type, payment_id, refund_id, actor, reserved_delta)
       values ('never released', 'refund.note', '${over.paymentId}', '${over.refundId}', 'system', 7)`,
    );
    const sentences = await found('I1');
    expect(sentences).toContainEqual(`refund ${under.refundId} is pending, reserves 4000 and owes 4001`);
    expect(sentences).toContainEqual(`refund ${over.refundId} is succeeded, reserves 7 and owes 0`);
  });

  it('I2: two open attempts of one refund', async () => {
    const { refundId, attemptId } = await fixture('pending');
    await tamper(
      'drop index attempts_one_open',
      `insert into attempts (id, refund_id, payment_id, number, operation, original_id, reference, amount_minor, currency, requester, entity_id, state, send_by)
       select gen_random_uuid(), refund_id, payment_id, 2, operation, original_id, 'REFERENCE2', amount_minor, currency, requester, entity_id, 'unknown', now()
       from attempts where id = '${attemptId}'`,
    );
    expect(await found('I2')).toContainEqual(`refund ${refundId} has 2 open attempts`);
  });

  it('I2: an open attempt of a final refund, and a submission without a record', async () => {
    const { refundId, attemptId } = await fixture('pending');
    await tamper(
      `update refunds set state = 'failed' where id = '${refundId}'`,
      `update attempts set submissions = 2 where id = '${attemptId}'`,
    );
    const sentences = await found('I2');
    expect(sentences).toContainEqual(`refund ${refundId} is failed with an open attempt`);
    expect(sentences).toContainEqual(`attempt ${attemptId} is pending: 2 submissions, 1 events`);
  });

  it('I3: a credit without a declined refund before it', async () => {
    const { attemptId } = await fixture('paid');
    await tamper(
      `update attempts set operation = 'credit', original_id = null, registration_id = '${'a'.repeat(32)}',
         destination_key = '${'a'.repeat(32)}'
       where id = '${attemptId}'`,
    );
    expect(await found('I3')).toContainEqual(`credit ${attemptId} has no declined refund before it`);
  });

  it('I3: a requested credit that was paid as a refund, and an unlinked credit that one operator alone decided', async () => {
    const [linked, alone] = [await fixture('paid'), await fixture('paid')];
    await tamper(
      `update refunds set asked_for = 'credit' where id in ('${linked.refundId}', '${alone.refundId}')`,
      `update attempts set operation = 'credit', original_id = null, registration_id = '${'a'.repeat(32)}',
         destination_key = '${'a'.repeat(32)}'
       where id = '${alone.attemptId}'`,
      `update payments set type = 'credit' where id = '${alone.paymentId}'`,
    );
    const sentences = await found('I3');
    expect(sentences).toContainEqual(
      `attempt ${linked.attemptId} is a refund of refund ${linked.refundId}, which was requested as a credit`,
    );
    const unapproved = `credit ${alone.attemptId} is unlinked, and no other operator approved it`;
    expect(sentences).toContainEqual(unapproved);
    await tamper(fact(alone, 'refund.approved', 'boss'));
    expect(await found('I3'), 'approved after it was sent').toContainEqual(unapproved);
  });

  it('I4: a refund that became final while its outcome was open, without an operator or by a command that is not allowed', async () => {
    const [failed, canceled] = [await fixture('pending'), await fixture('pending')];
    await tamper(fact(failed, 'refund.failed', 'system'), fact(canceled, 'refund.canceled', 'clerk'));
    const sentences = await found('I4');
    expect(sentences).toContainEqual(
      `refund ${failed.refundId} went from refund.pending to refund.failed without a decision of an operator`,
    );
    expect(sentences).toContainEqual(
      `refund ${canceled.refundId} went from refund.pending to refund.canceled`,
    );
  });

  it('I5: a paid refund with the state canceled, and one whose state has no event', async () => {
    const [moved, silent] = [await fixture('paid'), await fixture('paid')];
    await tamper(
      fact(moved, 'refund.canceled', 'clerk'),
      `update refunds set state = 'settled' where id = '${silent.refundId}'`,
    );
    const sentences = await found('I5');
    expect(sentences).toContainEqual(
      `refund ${moved.refundId} went from refund.succeeded to refund.canceled`,
    );
    expect(sentences).toContainEqual(
      `refund ${silent.refundId} is settled, its last event is refund.succeeded`,
    );
  });

  it('I5: a final state that was changed without evidence, and a payment without a gateway id', async () => {
    const [left, nameless] = [await fixture('paid'), await fixture('paid')];
    await tamper(
      fact(left, 'refund.returned', 'system'),
      `update attempts set gateway_id = null where id = '${nameless.attemptId}'`,
    );
    const sentences = await found('I5');
    expect(sentences).toContainEqual(
      `refund ${left.refundId} left refund.succeeded for refund.returned without evidence`,
    );
    expect(sentences).toContainEqual(`attempt ${nameless.attemptId} is paid without a gateway id`);
  });

  it('I5: an approval by the requester of the refund, and a correction by one operator alone', async () => {
    const [approved, confirmed, alone] = [
      await fixture('paid'),
      await fixture('paid'),
      await fixture('paid'),
    ];
    const decided = ({ refundId, paymentId }: Books, command: string, state: string, by: string): string =>
      `insert into command_results (refund_id, payment_id, command, by, author, reason, instruction, result, state, details,
         amount_minor, currency, decided_by, decided_at)
       values ('${refundId}', '${paymentId}', '${command}', '${by}', 'x', 'x', 'x', '{}', '${state}', '{}',
         1, 'EUR', 'Anna', ${state === 'confirmed' ? 'now()' : 'null'})`;
    await tamper(
      decided(approved, 'decide', 'approved', 'ANNA '),
      decided(confirmed, 'correct', 'confirmed', 'berta'),
      decided(alone, 'correct', 'alone', 'anna'),
    );
    const sentences = await found('I5');
    expect(sentences).toContainEqual(
      `the credit of refund ${approved.refundId} was approved by its requester`,
    );
    for (const { refundId } of [confirmed, alone])
      expect(sentences).toContainEqual(`the correction of refund ${refundId} was signed by one operator`);
  });

  it('I6: amounts that are not whole, in another currency, or different from the submitted amount', async () => {
    const [foreign, changed] = [await fixture('paid'), await fixture('paid')];
    await tamper(
      'alter table captures add column fee_minor numeric',
      `update refunds set currency = 'USD' where id = '${foreign.refundId}'`,
      `update attempts set amount_minor = 3999 where id = '${changed.attemptId}'`,
    );
    const sentences = await found('I6');
    expect(sentences).toContainEqual('captures.fee_minor is numeric, not a whole number');
    expect(sentences).toContainEqual(`refund ${foreign.refundId} is in USD, its payment in EUR`);
    expect(sentences).toContainEqual(
      `attempt ${changed.attemptId} is succeeded: it was submitted with another amount`,
    );
    await tamper('alter table captures drop column fee_minor');
  });

  it('I7: a refund whose request is not stored', async () => {
    const { refundId } = await fixture('paid');
    await tamper(`delete from events where refund_id = '${refundId}' and type = 'refund.requested'`);
    expect(await found('I7')).toContainEqual(`refund ${refundId} has 0 events of its request`);
  });

  it('I8: a balance that was changed by hand, and a success that was counted twice', async () => {
    const [adjusted, twice] = [await fixture('paid'), await fixture('paid')];
    await tamper(
      `update payments set succeeded_minor = 1 where id = '${adjusted.paymentId}'`,
      `insert into events (natural_key, type, payment_id, refund_id, attempt_id, actor, succeeded_delta)
       values ('once more', 'attempt.succeeded', '${twice.paymentId}', '${twice.refundId}', '${twice.attemptId}', 'x', 4000)`,
    );
    const sentences = await found('I8');
    expect(sentences).toContainEqual(
      `payment ${adjusted.paymentId}: succeeded is 1, its events add up to 4000`,
    );
    expect(sentences).toContainEqual(
      `attempt ${twice.attemptId} is succeeded: its events have 8000 paid and 0 returned`,
    );
  });

  it('I7 and I8: keys that can be used twice, facts that can be changed or written twice', async () => {
    await tamper(
      'alter table events disable trigger events_append_only',
      'alter table events drop constraint events_natural_key_key',
      'alter table refunds drop constraint refunds_by_key',
    );
    expect(await found('I7')).toContainEqual('no constraint prevents the reuse of an idempotency key');
    const sentences = await found('I8');
    expect(sentences).toContainEqual('trigger events_append_only is missing or disabled');
    expect(sentences).toContainEqual('no constraint prevents a duplicate event');
  });
});

describe('the report of the audit', () => {
  it('counts all violations, and stores as many examples as configured', async () => {
    const all = await auditLedger(database.db, LIMITS);
    const few = await auditLedger(database.db, { ...LIMITS, examples: 1 });
    expect(all.violations).toBeGreaterThan(15);
    expect(few.violations).toBe(all.violations);
    const sentences = few.invariants.flatMap(({ examples }) => examples);
    expect(sentences.length).toBeLessThan(all.violations);
  });

  it('names the checks that did not finish in time, and runs the others in the same snapshot', async () => {
    const holder = new pg.Client(url);
    await holder.connect();
    try {
      await holder.query('begin; lock table refunds in access exclusive mode');
      const report = await auditLedger(database.db, { ...LIMITS, statementTimeout: 300 });
      expect(report.complete).toBe(false);
      const checked = new Map(report.invariants.map((one) => [one.invariant, one.checked]));
      expect(checked.get('I7')).toBe(false);
      expect(checked.get('I8')).toBe(true);
    } finally {
      await holder.end();
    }
  });
});
