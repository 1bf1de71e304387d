/** Operator commands over HTTP: their idempotency keys, card numbers in their texts, and retry-after when the query budget is spent. */
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { bulkReplayResult, replayedRefund } from '../../server/api/command-schemas.js';
import { NEVER_PAID, refused, startOperators, reported, WHY } from './operators.js';
import { problemOf, refundOf, type Answer } from './harness.js';

const harness = await startOperators();
const { anna, boss, call, cardClosed, command, stack, until } = harness;

const CARD = '4200-0000-0000-0000';
const fieldsOf = (answer: Answer) => problemOf(answer).problems?.map(({ field }) => field);

describe('a command with an Idempotency-Key', () => {
  const replay = (path: string, key: string, body: object = WHY) =>
    call('POST', path, { key: anna, body, headers: { 'idempotency-key': key } });

  it('is the same with and without quotes, and is executed once', async () => {
    const { id, payment } = await cardClosed();
    const { paymentId } = payment;
    stack.fault({ kind: 'reject', code: '800.100.171' }, { paymentId });
    const path = `/v1/refunds/${id}/replay`;
    const first = await replay(path, '"again-1"');
    expect(replayedRefund.parse(first.body).replay.outcome).toBe('replayed');
    await until(id, 'manual_review');
    await pause(100);
    const second = await replay(path, 'again-1');
    expect(second.status).toBe(200);
    expect(refundOf(second)).toMatchObject({ state: 'manual_review', attempts: [{}, {}] });
    expect((await stack.client.getRefund(id)).attempts).toHaveLength(2);
    await command(anna, 'replay', id, WHY);
    await until(id, 'succeeded');
  });

  it.each(['a b', `card_${CARD}`, 'cvv:123', '"', 'x'.repeat(256)])(
    'follows the rules of idempotency keys: %s is refused',
    async (key) => {
      const nobodys = '/v1/refunds/00000000-0000-7000-8000-000000000000/replay';
      for (const [path, body] of [
        [nobodys, WHY],
        ['/v1/refunds/replay', { ...WHY, case: 'configuration' }],
      ] as const) {
        const answer = await replay(path, key, body);
        expect(reported(answer)).toEqual(refused(422, 'invalid_request'));
        expect(fieldsOf(answer)).toEqual(['Idempotency-Key']);
        expect(JSON.stringify(answer.body)).not.toContain(CARD);
      }
    },
  );
});

describe('a dry run', () => {
  it('needs no reason, for one refund or many; the command itself does', async () => {
    const { id } = await cardClosed();
    const one = await call('POST', `/v1/refunds/${id}/replay`, { key: anna, body: { dryRun: true } });
    expect(replayedRefund.parse(one.body).replay.outcome).toBe('dry_run');
    const body = { case: 'card_unusable', dryRun: true };
    const many = await call('POST', '/v1/refunds/replay', { key: anna, body });
    expect(bulkReplayResult.parse(many.body)).toMatchObject({ count: 1, replayed: 0 });
    for (const [path, wrong] of [
      [`/v1/refunds/${id}/replay`, { dryRun: false }],
      ['/v1/refunds/replay', { case: 'card_unusable' }],
    ] as const) {
      const answer = await call('POST', path, { key: anna, body: wrong });
      expect(reported(answer)).toEqual(refused(422, 'invalid_request'));
      expect(fieldsOf(answer)).toEqual(['reason']);
    }
    const all = await call('POST', '/v1/refunds/replay', { key: anna, body: { case: 'nothing' } });
    expect(fieldsOf(all)).toEqual(['case', 'reason']);
    for (const body of ['null', '[]', '7', '"x"'])
      expect((await call('POST', '/v1/refunds/replay', { key: anna, body })).status).toBe(422);
    await command(anna, 'replay', id, WHY);
    await until(id, 'succeeded');
  });
});

describe('a card number', () => {
  it('is refused in every text of a command, and never repeated in the response', async () => {
    const { id } = await cardClosed();
    for (const [key, verb, body, field] of [
      [anna, 'correct', { ...NEVER_PAID, reference: CARD }, 'reference'],
      [boss, 'approve', { ...WHY, instruction: CARD }, 'instruction'],
      [boss, 'reject', { ...WHY, instruction: CARD }, 'instruction'],
      [anna, 'replay', { ...WHY, ticket: `PAY ${CARD}` }, 'ticket'],
    ] as const) {
      const answer = await command(key, verb, id, body);
      expect(reported(answer)).toEqual(refused(422, 'invalid_request'));
      expect(fieldsOf(answer)).toEqual([field]);
    }
    await command(anna, 'replay', id, WHY);
    await until(id, 'succeeded');
  });
});

describe('a spent query budget', () => {
  it('does not fail a replay or its dry run: the report says that the gateway was not queried', async () => {
    const { id } = await cardClosed();
    const taken = await sql`
      insert into query_budgets (entity_id, endpoint, taken)
      select ${stack.dependencies.defaultEntityId}, endpoint, array_fill(now() + interval '1 hour', array[100])
      from unnest(array['v3_search', 'v3_query', 'v1_search', 'v1_payment']) as endpoint
      on conflict (entity_id, endpoint) do update set taken = excluded.taken`.execute(stack.database.db);
    expect(taken.numAffectedRows).toBe(4n);
    for (const body of [{ ...WHY, dryRun: true }, WHY]) {
      const answer = await command(anna, 'replay', id, body);
      expect(answer.status).toBe(200);
      expect(replayedRefund.parse(answer.body).replay.gateway).toContain('not queried');
    }
    await sql`delete from query_budgets`.execute(stack.database.db);
    await until(id, 'succeeded');
  }, 120_000);
});

describe('a payment that cannot be queried now', () => {
  it('gets 503 with retry-after until the query budget has room again', async () => {
    await sql`
      insert into query_budgets (entity_id, endpoint, closed_until)
      select ${stack.dependencies.defaultEntityId}, endpoint, now() + interval '40 seconds'
      from unnest(array['v3_search', 'v3_query', 'v1_search', 'v1_payment']) as endpoint
      on conflict (entity_id, endpoint) do update set closed_until = excluded.closed_until`.execute(
      stack.database.db,
    );
    const answer = await harness.ask(stack.newPayment().paymentId);
    expect(reported(answer)).toEqual(refused(503, 'gateway_unavailable'));
    const seconds = Number(answer.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(30);
    expect(seconds).toBeLessThanOrEqual(41);
    await sql`delete from query_budgets`.execute(stack.database.db);
  });
});
