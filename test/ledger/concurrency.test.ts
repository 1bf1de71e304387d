/** Concurrency: one balance, one submission and one event for each fact, and no partial writes when a connection dies. */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import pg from 'pg';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Policy } from '../../domain/refund/config.js';
import type { ApprovalReason } from '../../domain/refund/credit-guard.js';
import { openDatabase } from '../../ledger/db/database.js';
import type { Accepted } from '../../ledger/ledger.js';
import { migrate } from '../../ledger/db/migrate.js';
import { createLedger } from '../../ledger/postgres.js';
import { freshDatabase } from '../support/database.js';
import { expectNoOverpromise } from './overpromise.js';
import {
  accepted,
  answer,
  debit,
  ENTITY,
  gatewayId,
  openLinked,
  order,
  paid,
  POLICY,
  refused,
  seen,
  submitted,
  TIMINGS,
} from './fixtures.js';
import { postgresLedger } from './postgres.js';

const { ledger, database, url, violations } = await postgresLedger(50);
const empty = await freshDatabase('empty');

const all = <T>(count: number, work: (number: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, number) => work(number)));

afterEach(async () => {
  expect(await violations()).toEqual([]);
});

describe('one payment', () => {
  it('never reserves more than was captured for two hundred refunds of any size on fifty connections', async () => {
    await expectNoOverpromise(ledger, 200);
  });

  it('stores a hundred equal requests as one refund, also if the payment is new', async () => {
    const facts = debit();
    const asked = order(facts.id, 10_000n);
    const answers: Accepted[] = await all(100, () => ledger.accept(asked, { entityId: ENTITY, facts }));
    expect(new Set(answers.map(({ refund }) => refund.id)).size).toBe(1);
    expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect((await ledger.findPayment(facts.id))?.reservedMinor).toBe(10_000n);
  });
});

describe('one limit', () => {
  const LIMITED: Policy = { ...POLICY, creditApprovalAbove: { EUR: '4000' } };
  const WIDE = { EUR: '99999999' };

  /** Opens eight credits of 40.00 at once, each on a payment of its own, after their refunds were declined. */
  async function eightAtOnce(
    policy: Policy,
    common: { readonly requestedBy?: string; readonly registrationId?: string; readonly entityId?: string },
  ) {
    const { entityId = ENTITY } = common;
    const fixture = await all(8, async (number) => {
      const { registrationId = gatewayId(), requestedBy = `asker ${number} of ${gatewayId()}` } = common;
      const facts = debit({ registrationId, capturedMinor: 10_000n });
      const { refund } = await ledger.accept(
        { ...order(facts.id, 4_000n), requestedBy },
        { entityId, facts },
      );
      await ledger.record(answer(await submitted(ledger, refund.id), refused('not_linkable')));
      return { id: refund.id, facts };
    });
    const opened = await Promise.all(
      fixture.map(({ id, facts }) => ledger.openCredit(id, facts, TIMINGS, policy)),
    );
    return opened.map(({ verdict }) => (verdict?.kind === 'needs_approval' ? verdict.why : verdict?.kind));
  }

  const two = (reason: ApprovalReason) => [
    ...Array.from({ length: 2 }, () => 'allowed'),
    ...Array.from({ length: 6 }, () => [reason]),
  ];
  const sorted = (verdicts: readonly unknown[]) =>
    verdicts.toSorted((one, other) => (one === other ? 0 : one === 'allowed' ? -1 : 1));

  it.each([1, 2])('is used once by one requester, on eight payments at once (round %i)', async () => {
    const policy = { ...LIMITED, creditLimitPerRequester: { EUR: '8000' } };
    const verdicts = await eightAtOnce(policy, { requestedBy: `asker ${gatewayId()}` });
    expect(sorted(verdicts)).toEqual(two('above_limit_of_requester'));
  });

  it.each([1, 2])('is used once by one destination, on eight payments at once (round %i)', async () => {
    const policy = { ...LIMITED, creditLimitPerDestination: { EUR: '8000' } };
    const verdicts = await eightAtOnce(policy, { registrationId: gatewayId() });
    expect(sorted(verdicts)).toEqual(two('above_limit_to_destination'));
  });

  it.each([1, 2])('is used once by one entity, on eight payments at once (round %i)', async () => {
    const policy = { ...LIMITED, creditLimitPerEntity: { EUR: '8000' } };
    const verdicts = await eightAtOnce(policy, { entityId: gatewayId() });
    expect(sorted(verdicts)).toEqual(two('above_limit_of_entity'));
  });

  it('is used once by all three, in the same order of locks for each credit', async () => {
    const policy: Policy = {
      ...LIMITED,
      creditLimitPerRequester: WIDE,
      creditLimitPerDestination: WIDE,
      creditLimitPerEntity: { EUR: '8000' },
    };
    const common = { registrationId: gatewayId(), entityId: gatewayId() };
    const verdicts = await Promise.all([
      eightAtOnce(policy, { ...common, requestedBy: `asker ${gatewayId()}` }),
      eightAtOnce(policy, common),
      eightAtOnce(policy, { ...common, registrationId: gatewayId() }),
    ]);
    expect(verdicts.flat().filter((verdict) => verdict === 'allowed')).toHaveLength(2);
  });
});

describe('one refund', () => {
  it('is submitted by one of twenty runs', async () => {
    const id = await accepted(ledger, debit(), 5_000n);
    const opened = await all(20, () => openLinked(ledger, id));
    expect(opened.filter(({ kind }) => kind === 'send')).toHaveLength(1);
    expect((await ledger.findRefund(id))?.attempts).toHaveLength(1);
  });

  it('is withdrawn or submitted, never both', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const id = await accepted(ledger, debit(), 5_000n);
      const tasks = [
        async () => (await openLinked(ledger, id)).kind,
        async () => (await ledger.withdraw(id, 'anna', 'changed her mind')).kind,
      ];
      if (round % 2 === 0) tasks.reverse();
      const kinds = new Set<string>(await Promise.all(tasks.map((task) => task())));
      outcomes.add([...kinds].sort().join(' and '));
      expect(kinds.has('send')).not.toBe(kinds.has('withdrawn'));
    }
    expect(
      [...outcomes].every((outcome) => ['resume and withdrawn', 'refused and send'].includes(outcome)),
    ).toBe(true);
  });

  it('is paid once, however often the same success is recorded at once', async () => {
    const facts = debit();
    const id = await accepted(ledger, facts, 5_000n);
    const sent = await submitted(ledger, id);
    const outcome = paid();
    await all(20, (number) => ledger.record(number % 2 === 0 ? answer(sent, outcome) : seen(sent, outcome)));
    const events = await database.db
      .selectFrom('events')
      .select('type')
      .where('refund_id', '=', id)
      .where('type', '=', 'attempt.succeeded')
      .execute();
    expect(events).toHaveLength(1);
    expect(await ledger.findPayment(facts.id)).toMatchObject({ succeededMinor: 5_000n, reservedMinor: 0n });
  });

  it('releases its reservation once, however many end it at once', async () => {
    const facts = debit();
    const id = await accepted(ledger, facts, 5_000n);
    await all<unknown>(20, (number) =>
      number % 2 === 0 ? ledger.giveUp(id, 'not_owed', 'system') : ledger.withdraw(id, 'anna', 'no'),
    );
    expect(await ledger.findPayment(facts.id)).toMatchObject({ reservedMinor: 0n, refundableMinor: 10_000n });
  });
});

describe('the schema', () => {
  it('is migrated once by eight processes that start together', async () => {
    const applied = await all(8, () => migrate(empty));
    const files = await readdir(fileURLToPath(new URL('../../ledger/migrations/', import.meta.url)));
    expect(applied.flat()).toEqual(files.map((file) => file.replace(/\.sql$/, '')).toSorted());
    expect(await migrate(empty)).toEqual([]);
  });

  it.each([
    ['UPDATE', 'update events set actor = actor'],
    ['DELETE', 'delete from events'],
    ['TRUNCATE', 'truncate events cascade'],
  ])('refuses %s of what has happened', async (_name, statement) => {
    await accepted(ledger, debit(), 1n);
    await expect(sql.raw(statement).execute(database.db)).rejects.toThrow('append-only');
  });

  it('rejects an event that would reserve more than was captured, whoever writes it', async () => {
    const facts = debit();
    await accepted(ledger, facts, 1n);
    const tooMuch = database.db
      .insertInto('events')
      .values({
        natural_key: 'by hand',
        type: 'by hand',
        payment_id: facts.id,
        reserved_delta: 10_000n,
        actor: 'a person',
        data: '{}',
      })
      .execute();
    await expect(tooMuch).rejects.toThrow('payment_balance');
  });
});

describe('a connection that dies in the middle', () => {
  it('leaves no partial writes, and the next try succeeds', async () => {
    const facts = debit();
    const id = await accepted(ledger, facts, 5_000n);
    const mortal = openDatabase(url, { connections: 1 });
    const itsLedger = createLedger(mortal);
    const holder = new pg.Client(url);
    await holder.connect();
    try {
      // Another transaction locks the payment's row, so that this one stops in the middle.
      await holder.query('begin');
      await holder.query('select 1 from payments where id = $1 for update', [facts.id]);
      const opening = openLinked(itsLedger, id);
      const failure = expect(opening).rejects.toThrow();
      const blocked = await vi.waitFor(async () => {
        const [pid] = await waitingForLocks();
        return pid ?? expect.fail('nobody waits yet');
      });
      await holder.query('select pg_terminate_backend($1)', [blocked]);
      await failure;
      await holder.query('rollback');
      expect((await ledger.findRefund(id))?.attempts).toEqual([]);
      expect(await openLinked(itsLedger, id)).toMatchObject({ kind: 'send' });
    } finally {
      await holder.end();
      await mortal.close();
    }
  });

  it('after its statements and before its commit leaves none of them', async () => {
    const facts = debit();
    const id = await accepted(ledger, facts, 5_000n);
    const mortal = openDatabase(url, { connections: 1 });
    try {
      const broken = mortal.transaction(async (tx) => {
        await tx.updateTable('refunds').set({ state: 'canceled' }).where('id', '=', id).execute();
        await tx
          .insertInto('events')
          .values({
            natural_key: `half:${id}`,
            type: 'refund.canceled',
            payment_id: facts.id,
            refund_id: id,
            reserved_delta: -5_000n,
            actor: 'a',
            data: '{}',
          })
          .execute();
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
        await sql`select pg_terminate_backend(${rows[0]?.pid ?? 0})`.execute(database.db);
        await sql`select 1`.execute(tx);
      });
      await expect(broken).rejects.toThrow();
      expect(await ledger.findRefund(id)).toMatchObject({ state: 'reserved' });
      expect(await ledger.findPayment(facts.id)).toMatchObject({ reservedMinor: 5_000n });
    } finally {
      await mortal.close();
    }
  });
});

/** Returns the backends that wait for a lock. Queried on another connection, because within a transaction the answer never changes. */
async function waitingForLocks(): Promise<number[]> {
  const { rows } = await sql<{ pid: number }>`
    select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
    database.db,
  );
  return rows.map(({ pid }) => pid);
}
