/** Results of queries: found, not found by the gateway's own answer, or unknown; never less than the gateway shows. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Gateway } from '../../gateway/gateway.js';
import type { OppwaTransaction } from '../../gateway/oppwa/transaction.js';
import { ENTITY, gatewayAt, PAYMENT, refunded, shown, TOKEN } from './orders.js';
import { answer, startRawServer, type RawServer } from './raw-server.js';

const REFERENCE = 'Rf00000000000001';
const OK = { code: '000.000.100', description: 'successful request' };
const original = {
  id: PAYMENT,
  paymentType: 'DB',
  amount: '92.00',
  currency: 'EUR',
  result: { code: '000.100.110', description: 'ok' },
};
const notFound = { result: { code: '700.400.580', description: 'cannot find transaction' } };
const HTML = '<html>no such page</html>';

let server: RawServer;
let gateway: Gateway;

beforeEach(async () => {
  server = await startRawServer();
  gateway = gatewayAt(server.url, { queryTimeoutMs: 2_000 });
});

afterEach(async () => {
  await gateway.close();
  await server.close();
});

/** Answers by the beginning of the path. */
function offer(routes: Readonly<Record<string, readonly [number, unknown]>>): void {
  server.reply = (socket, { path }) => {
    const [, [status, body]] = Object.entries(routes).find(([start]) => path.startsWith(start)) ?? [
      '',
      [404, HTML],
    ];
    socket.write(answer(status, typeof body === 'string' ? body : JSON.stringify(body)));
  };
}

const treeOf = (root: OppwaTransaction, ...linked: readonly OppwaTransaction[]) => ({
  original: shown(root),
  linked: linked.map(shown),
});

const search = () => gateway.findByReference(ENTITY, REFERENCE);
const tree = () => gateway.findWithLinked(ENTITY, PAYMENT);

describe('a query by our reference', () => {
  it('sends entity and token to v3', async () => {
    offer({ '/v3/query?': [200, { result: OK, records: [refunded] }] });
    expect(await search()).toEqual({ kind: 'found', value: [shown(refunded)] });
    const [request] = server.requests;
    expect(request?.method).toBe('GET');
    expect(request?.path).toBe(`/v3/query?entityId=${ENTITY}&merchantTransactionId=${REFERENCE}`);
    expect(request?.headers.get('authorization')).toBe(`Bearer ${TOKEN}`);
    expect(server.requests).toHaveLength(1);
  });

  it.each(['records', 'payments', 'transactions'])(
    'finds all entries under %s, in their order',
    async (name) => {
      offer({ '/v3/query?': [200, { result: OK, [name]: [original, refunded] }] });
      expect(await search()).toEqual({ kind: 'found', value: [original, refunded].map(shown) });
    },
  );

  it('finds the transaction if the answer itself is one, even a declined one', async () => {
    const declined = { ...refunded, result: { code: '800.100.152', description: 'declined' } };
    offer({ '/v3/query?': [200, declined] });
    expect(await search()).toEqual({ kind: 'found', value: [shown(declined)] });
  });

  it('accepts entries without a result of the request: each has its own', async () => {
    offer({ '/v3/query?': [200, { records: [original, refunded] }] });
    expect(await search()).toEqual({ kind: 'found', value: [original, refunded].map(shown) });
  });

  it('keeps no data of a card', async () => {
    offer({
      '/v3/query?': [
        200,
        { result: OK, records: [{ ...refunded, card: { bin: '420000' }, customer: { email: 'a@b' } }] },
      ],
    });
    expect(await search()).toEqual({ kind: 'found', value: [shown(refunded)] });
  });

  it('reads every page', async () => {
    server.reply = (socket, { path }) => {
      const page = Number(new URLSearchParams(path.split('?')[1]).get('pageNo') ?? 1);
      const records = [{ ...refunded, timestamp: `page ${page}` }];
      socket.write(answer(200, JSON.stringify({ result: OK, pages: page === 1 ? '3' : 3, records })));
    };
    const found = await search();
    expect(found).toMatchObject({
      kind: 'found',
      value: [{ timestamp: 'page 1' }, { timestamp: 'page 2' }, { timestamp: 'page 3' }],
    });
    expect(server.requests).toHaveLength(3);
  });

  it.each<[string, number, unknown]>([
    ['is missing', 404, notFound],
    ['is empty', 200, { result: OK, records: [] }],
    ['is throttled', 429, { result: { code: '800.120.100', description: 'too many' } }],
    ['is broken', 200, '{"resu'],
  ])('does not call a part the whole when a later page %s', async (_what, status, body) => {
    server.reply = (socket, { path }) => {
      const first = JSON.stringify({ result: OK, pages: 2, records: [refunded] });
      const later = typeof body === 'string' ? body : JSON.stringify(body);
      socket.write(path.includes('pageNo') ? answer(status, later) : answer(200, first));
    };
    expect(await search()).toMatchObject({ kind: 'unavailable' });
  });

  it('waits for its turn for each further page, and does not start again', async () => {
    const waits = [0, 0, 1_200, 0];
    const limited = gatewayAt(server.url, {
      queryTimeoutMs: 10_000,
      budget: { take: () => Promise.resolve(waits.shift() ?? 60_000), throttled: () => Promise.resolve() },
    });
    offer({ '/v3/query?': [200, { result: OK, pages: 3, records: [refunded] }] });
    try {
      expect(await limited.findByReference(ENTITY, REFERENCE, 'doubt')).toMatchObject({ kind: 'found' });
      expect(server.requests).toHaveLength(3);
      await expect(limited.findByReference(ENTITY, REFERENCE, 'doubt')).rejects.toThrow('spent for now');
    } finally {
      await limited.close();
    }
  });

  it('does not follow endless pages', async () => {
    offer({ '/v3/query?': [200, { result: OK, pages: 999_999, records: [refunded] }] });
    expect(await search()).toEqual({ kind: 'unavailable', why: 'too_many_pages' });
    expect(server.requests).toHaveLength(1);
  });

  it.each<[string, number, unknown]>([
    ['says so with 400', 400, notFound],
    ['says so with 404', 404, notFound],
    ['says so with 200', 200, notFound],
    ['answers an empty list', 200, { result: OK, records: [] }],
  ])('finds nothing where the gateway %s', async (_how, status, body) => {
    offer({ '/v3/query?': [status, body] });
    expect(await search()).toEqual({ kind: 'not_found' });
    expect(server.requests).toHaveLength(1);
  });

  it.each<[string, number, unknown, object]>([
    [
      'throttled by code',
      400,
      { result: { code: '800.120.100' } },
      { why: 'throttled', httpStatus: 400, code: '800.120.100' },
    ],
    ['throttled by status', 429, HTML, { why: 'throttled', httpStatus: 429 }],
    ['refused with 401', 401, '', { why: 'forbidden', httpStatus: 401 }],
    ['refused with 403', 403, HTML, { why: 'forbidden', httpStatus: 403 }],
    [
      'refused, though it says not found',
      403,
      notFound,
      { why: 'forbidden', httpStatus: 403, code: '700.400.580' },
    ],
    [
      'a not-found code with a server error',
      503,
      notFound,
      { why: 'error', httpStatus: 503, code: '700.400.580' },
    ],
    ['given a proxy page', 502, HTML, { why: 'not_json', httpStatus: 502 }],
    [
      'given another code',
      400,
      { result: { code: '200.300.404' } },
      { why: 'error', httpStatus: 400, code: '200.300.404' },
    ],
    [
      'given success and no list',
      200,
      { result: OK },
      { why: 'error', httpStatus: 200, code: '000.000.100' },
    ],
    [
      'given a list under an error',
      200,
      { result: { code: '999.999.999' }, records: [refunded] },
      { why: 'error', httpStatus: 200, code: '999.999.999' },
    ],
    ['given an empty list without a code', 200, { records: [] }, { why: 'no_result_code', httpStatus: 200 }],
    [
      'given a list that is none',
      200,
      { result: OK, records: { 0: refunded } },
      { why: 'not_json', httpStatus: 200, code: '000.000.100' },
    ],
    [
      'given a page count that is none',
      200,
      { result: OK, pages: {}, records: [refunded] },
      { why: 'not_json', httpStatus: 200, code: '000.000.100' },
    ],
    [
      'given one entry without a result',
      200,
      { result: OK, records: [refunded, { id: PAYMENT }] },
      { why: 'unreadable_entry', httpStatus: 200, code: '000.000.100' },
    ],
    [
      'given one entry with a number for an amount',
      200,
      { result: OK, records: [refunded, { ...refunded, amount: 92 }] },
      { why: 'unreadable_entry', httpStatus: 200, code: '000.000.100' },
    ],
  ])('knows nothing when it is %s', async (_what, status, body, expected) => {
    offer({ '/v3/query?': [status, body] });
    expect(await search()).toEqual({ kind: 'unavailable', ...expected });
    expect(server.requests).toHaveLength(1);
  });

  it.each<[string, number, unknown]>([
    ['404 and a page', 404, HTML],
    ['405', 405, ''],
    ['a page with 200', 200, HTML],
    ['800.900.300', 403, { result: { code: '800.900.300', description: 'user authorization failed' } }],
    ['800.121.100', 400, { result: { code: '800.121.100', description: 'channel not configured' } }],
  ])('asks v1 where v3 answers with %s', async (_what, status, body) => {
    offer({ '/v3/': [status, body], '/v1/query?': [200, { result: OK, payments: [refunded] }] });
    expect(await search()).toEqual({ kind: 'found', value: [shown(refunded)] });
    expect(server.requests.map(({ path }) => path.split('?')[0])).toEqual(['/v3/query', '/v1/query']);
    expect(server.requests[1]?.fields).toEqual([
      ['entityId', ENTITY],
      ['merchantTransactionId', REFERENCE],
    ]);
  });

  it('accepts that the older version finds nothing', async () => {
    offer({ '/v3/': [404, HTML], '/v1/query?': [404, notFound] });
    expect(await search()).toEqual({ kind: 'not_found' });
  });

  it('is unknown if neither version is offered', async () => {
    offer({ '/v3/': [404, HTML], '/v1/': [404, HTML] });
    expect(await search()).toEqual({ kind: 'unavailable', why: 'not_json', httpStatus: 404 });
    const denied = { result: { code: '800.900.300', description: 'user authorization failed' } };
    offer({ '/v3/': [403, denied], '/v1/': [403, denied] });
    expect(await search()).toEqual({
      kind: 'unavailable',
      why: 'forbidden',
      httpStatus: 403,
      code: '800.900.300',
    });
  });

  it('is unknown if no server answers, within the time for the whole query', async () => {
    const quick = gatewayAt(server.url, { queryTimeoutMs: 1_500 });
    server.reply = (socket, { path }) => {
      if (path.startsWith('/v3')) setTimeout(() => socket.write(answer(404, HTML)), 1_300);
    };
    const began = performance.now();
    expect(await quick.findByReference(ENTITY, REFERENCE)).toEqual({ kind: 'unavailable', why: 'timeout' });
    // With a time limit of its own, the second request would have taken until 2,800.
    expect(performance.now() - began).toBeLessThan(2_700);
    await quick.close();
    await server.close();
    expect(await search()).toEqual({ kind: 'unavailable', why: 'refused' });
  });
});

describe('a query of a payment and its linked transactions', () => {
  const reversal = { ...refunded, id: 'a'.repeat(32), paymentType: 'RV' };

  it('requests the links from v3', async () => {
    offer({ '/v3/query/': [200, { result: OK, records: [refunded, original, reversal] }] });
    expect(await tree()).toEqual({ kind: 'found', value: treeOf(original, refunded, reversal) });
    expect(server.requests[0]?.path).toBe(
      `/v3/query/${PAYMENT}?entityId=${ENTITY}&includeLinkedTransactions=true`,
    );
  });

  it('finds links inside the payment, and the refunds of its captures', async () => {
    const capture = { ...original, id: 'c'.repeat(32), paymentType: 'CP' };
    const nested = {
      ...original,
      linkedTransactions: [{ ...capture, linkedTransactions: [refunded] }, reversal],
    };
    offer({ '/v3/query/': [200, nested] });
    expect(await tree()).toEqual({
      kind: 'found',
      value: treeOf(original, capture, refunded, reversal),
    });
    offer({ '/v3/query/': [200, { result: OK, records: [nested] }] });
    expect(await tree()).toEqual({
      kind: 'found',
      value: treeOf(original, capture, refunded, reversal),
    });
  });

  it('accepts a list, or an empty one inside the payment, as proof that nothing is linked', async () => {
    offer({ '/v3/query/': [200, { result: OK, records: [original] }] });
    expect(await tree()).toEqual({ kind: 'found', value: treeOf(original) });
    offer({ '/v3/query/': [200, { ...original, linkedTransactions: [] }] });
    expect(await tree()).toEqual({ kind: 'found', value: treeOf(original) });
  });

  it('does not treat missing links as no links', async () => {
    offer({ '/v3/query/': [200, original] });
    expect(await tree()).toEqual({ kind: 'unavailable', why: 'error' });
  });

  it.each<[string, readonly unknown[]]>([
    ['the payment itself is missing', [refunded, reversal]],
    ['the payment is there twice', [original, { ...original, amount: '1.00' }, refunded]],
  ])('knows nothing when %s', async (_what, records) => {
    offer({ '/v3/query/': [200, { result: OK, records }] });
    expect(await tree()).toEqual({ kind: 'unavailable', why: 'error' });
  });

  it('is unknown if one link cannot be read: it might be a refund', async () => {
    offer({ '/v3/query/': [200, { ...original, linkedTransactions: [refunded, { result: 1 }] }] });
    expect(await tree()).toEqual({
      kind: 'unavailable',
      why: 'unreadable_entry',
      httpStatus: 200,
      code: '000.100.110',
    });
    offer({ '/v3/query/': [200, { ...original, linkedTransactions: { 0: refunded } }] });
    expect(await tree()).toMatchObject({ kind: 'unavailable', why: 'unreadable_entry' });
  });

  it("accepts the gateway's answer that the payment does not exist", async () => {
    offer({ '/v3/query/': [404, notFound] });
    expect(await tree()).toEqual({ kind: 'not_found' });
  });

  it('is unavailable if v3 is not offered, without a query of v1: v1 does not show links', async () => {
    offer({ '/v3/': [404, HTML], '/v1/': [200, original] });
    expect(await tree()).toEqual({ kind: 'unavailable', why: 'not_json', httpStatus: 404 });
    expect(server.requests).toHaveLength(1);
  });
});

describe('the published result codes', () => {
  it('are read without the token, and malformed codes are dropped', async () => {
    const list = [
      { code: '000.000.000', description: 'Transaction succeeded' },
      { code: 'x', description: 'y' },
      7,
      { code: '700.400.200', description: 'cannot refund' },
    ];
    offer({ '/v1/resultcodes': [200, { resultCodes: list }] });
    expect(await gateway.resultCodes(ENTITY)).toEqual({ kind: 'found', value: [list[0], list[3]] });
    expect(server.requests[0]?.headers.has('authorization')).toBe(false);
  });

  it.each<[string, number, unknown, object]>([
    ['empty', 200, { resultCodes: [] }, { kind: 'not_found' }],
    ['a page', 200, HTML, { kind: 'unavailable', why: 'not_json', httpStatus: 200 }],
    ['throttled', 429, '', { kind: 'unavailable', why: 'throttled', httpStatus: 429 }],
    ['forbidden', 403, '', { kind: 'unavailable', why: 'forbidden', httpStatus: 403 }],
  ])('may be %s', async (_what, status, body, expected) => {
    offer({ '/v1/resultcodes': [status, body] });
    expect(await gateway.resultCodes(ENTITY)).toEqual(expected);
  });

  it('may be unavailable', async () => {
    server.reply = (socket) => socket.destroy();
    expect(await gateway.resultCodes(ENTITY)).toEqual({ kind: 'unavailable', why: 'connection_lost' });
    await server.close();
    expect(await gateway.resultCodes(ENTITY)).toEqual({ kind: 'unavailable', why: 'refused' });
  });
});
