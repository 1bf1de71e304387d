/** `/v1/cards`: seals, shows, renews the CVV, destroys; no answer and no log line holds card data. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FINAL_STATES } from '../../domain/refund/states.js';
import { readSealedCard, takeCvv } from '../../ledger/cards/cards.js';
import { readinessOf } from '../../client/readiness.js';
import { createRefundsClient } from '../../client/index.js';
import { buildApi } from '../../server/api/server.js';
import { createLog } from '../../settings/log.js';
import { problemOf, startApi } from '../api/harness.js';

const harness = await startApi({ worker: false });
const { call, stack } = harness;
const { database } = stack;
afterAll(() => harness.close());

const NUMBER = '4111111111111111';
const BODY = {
  number: NUMBER,
  brand: 'VISA',
  holder: 'Quentin Zephyr',
  expiryMonth: '12',
  expiryYear: '2099',
  cvv: '987',
};
const added = z.strictObject({
  cardRef: z.string(),
  brand: z.string(),
  last4: z.string(),
  expiresAt: z.string(),
});
const add = async (body: unknown = BODY, key?: string) =>
  call('POST', '/v1/cards', { body, ...(key === undefined ? {} : { key }) });
const ref = async (body: unknown = BODY, key?: string) => added.parse((await add(body, key)).body).cardRef;
const opened = async (cardRef: string) => {
  const found = await database.transaction((tx) => readSealedCard(tx, cardRef));
  if (found.kind !== 'sealed') return found.kind;
  return (await stack.dependencies.cards?.open(found.sealed))?.reveal();
};

/** Stores a refund that names the card. */
async function refundWith(cardRef: string): Promise<string> {
  const { paymentId } = stack.newPayment();
  const { id } = z.object({ id: z.string() }).parse((await harness.ask(paymentId)).body);
  const destination = JSON.stringify({ cardRef });
  await sql`update refunds set destination = ${destination}::jsonb where id = ${id}`.execute(database.db);
  return id;
}

describe('a card', () => {
  it('is sealed: the answer has reference, brand, last four digits and end, and nothing else', async () => {
    const answer = await add();
    expect(answer.status).toBe(201);
    const card = added.parse(answer.body);
    expect(card).toMatchObject({ brand: 'VISA', last4: '1111' });
    expect(answer.headers.get('location')).toBe(`/v1/cards/${card.cardRef}`);
    const { number, brand, holder, expiryMonth, expiryYear, cvv } = BODY;
    expect(await opened(card.cardRef)).toEqual({ number, brand, holder, expiryMonth, expiryYear, cvv });
  });

  it('with wrong fields is refused with all of them and the codes of the gateway', async () => {
    const answer = await add({
      ...BODY,
      number: '4111111111111112',
      expiryMonth: '13',
      holder: undefined,
      extra: 1,
    });
    expect(answer.status).toBe(422);
    expect(problemOf(answer).problems).toEqual([
      expect.objectContaining({ field: 'expiryMonth', gatewayCode: '100.100.201' }),
      expect.objectContaining({ field: 'extra', code: 'unknown_field' }),
      expect.objectContaining({ field: 'number', gatewayCode: '100.100.101' }),
      expect.objectContaining({ field: 'holder', gatewayCode: '100.100.400' }),
    ]);
  });

  it.each([
    ['no object', '[]'],
    ['no JSON', `{"number":"${NUMBER}"`],
    ['a number as a number', `{"number":${NUMBER}}`],
    ['a field twice', `{"number":"${NUMBER}","number":"${NUMBER}"}`],
    ['the number as a name', `{"${NUMBER}":"987"}`],
  ])('with a body that is %s is refused, and nothing of it is repeated', async (_which, body) => {
    const answer = await call('POST', '/v1/cards', { body });
    expect([400, 422]).toContain(answer.status);
    expect(JSON.stringify(answer.body)).not.toMatch(/4111|987/);
  });

  it('is shown with what it is used for', async () => {
    const cardRef = await ref();
    const id = await refundWith(cardRef);
    const { status, body } = await call('GET', `/v1/cards/${cardRef}`);
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({
        cardRef,
        brand: 'VISA',
        last4: '1111',
        cvv: 'ready',
        destroyed: null,
        refunds: [{ id, state: 'reserved' }],
      }),
    ]);
    expect(JSON.stringify(body)).not.toMatch(/Quentin|Zephyr|2099-12|41111/);
  });

  it('is destroyed, once, and stays so', async () => {
    const cardRef = await ref();
    const [one, two] = [
      await call('DELETE', `/v1/cards/${cardRef}`),
      await call('DELETE', `/v1/cards/${cardRef}`),
    ];
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(two.body).toEqual(one.body);
    expect(one.body).toMatchObject({ cvv: 'used', destroyed: { by: 'shop', why: 'by_operator' } });
    expect(await opened(cardRef)).toBe('destroyed');
    const renewed = await call('POST', `/v1/cards/${cardRef}/cvv`, { body: { cvv: '111' } });
    expect([renewed.status, problemOf(renewed).code]).toEqual([409, 'card_destroyed']);
  });

  it('is not destroyed while a refund with it is not final', async () => {
    const cardRef = await ref();
    const id = await refundWith(cardRef);
    const answer = await call('DELETE', `/v1/cards/${cardRef}`);
    expect([answer.status, problemOf(answer).code]).toEqual([409, 'card_in_use']);
    await sql`update refunds set state = ${FINAL_STATES[0] ?? ''} where id = ${id}`.execute(database.db);
    expect((await call('DELETE', `/v1/cards/${cardRef}`)).status).toBe(200);
    await sql`update refunds set state = 'reserved' where id = ${id}`.execute(database.db);
  });

  it('that does not exist is 404', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/cvv'],
    ] as const) {
      const answer = await call(
        method,
        `/v1/cards/${randomUUID()}${path}`,
        method === 'POST' ? { body: { cvv: '111' } } : {},
      );
      expect([answer.status, problemOf(answer).code]).toEqual([404, 'card_unknown']);
    }
  });
});

describe('a new CVV', () => {
  it('replaces one that was used', async () => {
    const cardRef = await ref();
    await database.transaction((tx) => takeCvv(tx, cardRef));
    expect((await call('GET', `/v1/cards/${cardRef}`)).body).toMatchObject({ cvv: 'used' });
    const answer = await call('POST', `/v1/cards/${cardRef}/cvv`, { body: { cvv: '321' } });
    expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ cvv: 'ready' })]);
    expect(await opened(cardRef)).toMatchObject({ cvv: '321' });
  });

  it('of the wrong length is refused without it', async () => {
    const answer = await call('POST', `/v1/cards/${await ref()}/cvv`, { body: { cvv: '98765' } });
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).not.toContain('98765');
  });

  it('is given by the client that sealed the card, or by an operator', async () => {
    const [own, other, operator, reader] = [
      await harness.newKey('shop-a', 'submit'),
      await harness.newKey('shop-b', 'submit'),
      await harness.newKey('otto', 'operate'),
      await harness.newKey('rita', 'read'),
    ];
    const cardRef = await ref(BODY, own);
    const statusWith = async (key: string) =>
      (await call('POST', `/v1/cards/${cardRef}/cvv`, { body: { cvv: '111' }, key })).status;
    expect([
      await statusWith(own),
      await statusWith(other),
      await statusWith(operator),
      await statusWith(reader),
    ]).toEqual([200, 404, 200, 403]);
    expect((await call('DELETE', `/v1/cards/${cardRef}`, { key: own })).status).toBe(403);
    expect((await add(BODY, operator)).status).toBe(403);
  });
});

describe('logs and tables', () => {
  it('hold nothing of a card', async () => {
    await add();
    await add({ ...BODY, number: `${NUMBER}9` });
    // Random ids, times and durations may have the digits of the CVV.
    const logged = harness.logged.map((line) =>
      line.replaceAll(/"\w*(?:[Ii]d|time|Ms)":(?:"[^"]*"|\d+)/g, ''),
    );
    expect(logged.join('')).toContain('/v1/cards');
    expect(logged.join('')).not.toMatch(/4111111|Zephyr|987/);
    const { rows } = await sql<{ text: string }>`select (cards.*)::text as text from cards`.execute(
      database.db,
    );
    expect(rows.map(({ text }) => text).join('\n')).not.toMatch(/4111111|Zephyr/);
  });
});

describe('an API without keys of cards', () => {
  it('reads no card data, and says what to set', async () => {
    const lines: string[] = [];
    const app = await buildApi({
      client: stack.client,
      ledger: stack.dependencies.ledger,
      database,
      log: createLog({ role: 'api', to: { write: (line) => lines.push(line) } }),
      requestsPerMinute: 1_000,
      readiness: readinessOf(database, stack.temporal),
      limits: stack.limits,
    });
    const authorization = `Bearer ${await harness.newKey('shop-c', 'submit')}`;
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/cards',
      headers: { authorization },
      payload: BODY,
    });
    await app.close();
    expect(answer.statusCode).toBe(501);
    expect(answer.body).toMatch(/not_available.*REFUNDS_CARDS_KEYS_FILE/);
    expect(answer.body + lines.join('')).not.toContain(NUMBER);
  });

  it('refuses a credit and a refund to a card with 422, and stores nothing', async () => {
    const cardRef = await ref();
    const dependencies = { ...stack.dependencies, hasCardKeys: false };
    const app = await buildApi({
      client: createRefundsClient({ ...stack, dependencies }),
      ledger: dependencies.ledger,
      database,
      log: createLog({ role: 'api', to: { write: () => true } }),
      requestsPerMinute: 1_000,
      readiness: readinessOf(database, stack.temporal),
      limits: stack.limits,
    });
    const authorization = `Bearer ${await harness.newKey('shop-d', 'submit')}`;
    const { paymentId } = stack.newPayment();
    const stored = () => database.db.selectFrom('refunds').select('id').execute();
    const before = await stored();
    for (const url of ['/v1/credits', '/v1/refunds']) {
      const answer = await app.inject({
        method: 'POST',
        url,
        headers: { authorization, 'idempotency-key': randomUUID() },
        payload: { paymentId, amount: '1.00', currency: 'EUR', reason: 'goodwill', destination: { cardRef } },
      });
      expect([answer.statusCode, answer.json()]).toEqual([
        422,
        expect.objectContaining({
          problems: [expect.objectContaining({ field: 'destination.cardRef', code: 'cards_not_configured' })],
        }),
      ]);
    }
    await app.close();
    expect(await stored()).toEqual(before);
  });
});
