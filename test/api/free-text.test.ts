/** No card number or security code in any text that a client or an operator can store or have logged. A refused text is not repeated. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { problemOf, startApi, type Answer } from './harness.js';

const harness = await startApi({ worker: false });
afterAll(() => harness.close({ booksAgree: false }));
const { call, stack } = harness;
const { paymentId, registrationId } = stack.newPayment();

/** Each with the parts of it that no answer and no log line may have. */
const FORMS = [
  ['dots', '4111.1111.1111.1111'],
  ['underscores', '4111_1111_1111_1111'],
  ['letters around it', 'order4111111111111111x'],
  ['letters between the groups', '4111x1111x1111x1111'],
  ['one letter between the digits', '4a1b1c1d1e1f1g1h1i1j1k1l1m1n1o1'],
] as const;
/** Only in texts that may hold blanks or other alphabets. */
const SPOKEN = [
  ['full-width digits', '４１１１１１１１１１１１１１１１'],
  ['another alphabet', '٤١١١١١١١١١١١١١١١'],
  ['a security code', 'cvv 123'],
  ['a full-width security code', 'ＣＶＶ　１２３'],
] as const;
const ALL = [...FORMS, ...SPOKEN];

const id = randomUUID();
const request = (body: object) => ({ paymentId, amount: '40.00', currency: 'EUR', reason: 'x', ...body });
const credit = (body: object) => ({ ...request(body), destination: { registrationId } });
const key = (text = `k-${randomUUID()}`) => ({ 'idempotency-key': text });

interface Place {
  readonly field: string;
  readonly send: (text: string) => Promise<Answer>;
}
const refund = (field: string, body: (text: string) => object): Place => ({
  field,
  send: (text) => call('POST', '/v1/refunds', { headers: key(), body: request(body(text)) }),
});
const order = (verb: string, field: string, more: object = {}): Place => ({
  field,
  send: (text) =>
    call('POST', `/v1/refunds/${id}/${verb}`, { body: { reason: 'x', ...more, [field]: text } }),
});

const hex = 'a'.repeat(32);
const COMMANDS: Readonly<Record<string, object>> = {
  approve: { instruction: 'i' },
  reject: { instruction: 'i' },
  withdraw: {},
  'change-destination': { destination: { registrationId: hex } },
  sync: {},
  link: { gatewayId: hex },
  correct: { outcome: 'succeeded', evidence: 'x' },
  replay: {},
};

const TEXTS: readonly Place[] = [
  refund('orderId', (orderId) => ({ orderId })),
  refund('reason', (reason) => ({ reason })),
  refund('metadata.note', (note) => ({ metadata: { note } })),
  { ...refund('metadata', (name) => ({ metadata: { [name]: 'x' } })), field: 'metadata' },
  {
    field: 'orderId',
    send: (orderId) => call('POST', '/v1/credits', { headers: key(), body: credit({ orderId }) }),
  },
  {
    field: 'reason',
    send: (reason) => call('POST', '/v1/credits', { headers: key(), body: credit({ reason }) }),
  },
  ...Object.entries(COMMANDS).flatMap(([verb, more]) => [
    order(verb, 'reason', more),
    order(verb, 'ticket', more),
  ]),
  order('correct', 'evidence', COMMANDS['correct']),
  {
    field: 'reason',
    send: (reason) =>
      call('POST', '/v1/refunds/replay', { body: { case: 'credit_blocked', reason, dryRun: false } }),
  },
];

const IDS: readonly Place[] = [
  {
    field: 'Idempotency-Key',
    send: (text) => call('POST', '/v1/refunds', { headers: key(text), body: request({}) }),
  },
  ...[`/v1/refunds/${id}/replay`, '/v1/refunds/replay'].map((path) => ({
    field: 'Idempotency-Key',
    send: (text: string) =>
      call('POST', path, {
        headers: key(text),
        body: { reason: 'x', ...(path.includes(id) ? {} : { case: 'credit_blocked', dryRun: false }) },
      }),
  })),
  order('correct', 'reference', COMMANDS['correct']),
  order('approve', 'instruction'),
];

/** Fails if what was sent, or its digits, are in the answer or in the log. */
function expectSilence(answer: Answer, text: string): void {
  const digits = text.normalize('NFKC').replace(/[^0-9]/g, '');
  for (const shown of [
    JSON.stringify(answer.body),
    JSON.stringify([...answer.headers]),
    harness.logged.join(''),
  ]) {
    expect(shown).not.toContain(text);
    if (digits.length > 12) expect(shown.replaceAll(/[^0-9]/g, '')).not.toContain(digits);
  }
}

describe.each(TEXTS.map((place) => [place.field, place] as const))('the text %s', (_field, place) => {
  it('is refused with a card in any form', async () => {
    for (const [form, text] of ALL) {
      const answer = await place.send(text);
      expect([form, answer.status]).toEqual([form, 422]);
      const fields = problemOf(answer).problems?.map(({ field }) => field);
      expect(
        fields?.some((field) => field.startsWith(place.field)),
        `${form}: ${String(fields)}`,
      ).toBe(true);
      expectSilence(answer, text);
    }
  });
});

describe.each(IDS.map((place) => [place.field, place] as const))('the id %s', (_field, place) => {
  it('is refused with a card in any form', async () => {
    for (const [form, text] of FORMS) {
      const answer = await place.send(text);
      expect([form, answer.status]).toEqual([form, 422]);
      expect(problemOf(answer).problems?.map(({ field }) => field)).toContain(place.field);
      expectSilence(answer, text);
    }
  });
});

describe('a card in another place', () => {
  it('is not repeated where a field cannot hold it', async () => {
    for (const [, text] of ALL) {
      const path = encodeURIComponent(text);
      const answers = await Promise.all([
        call('POST', '/v1/refunds', { headers: key(), body: request({ [text]: 'x', amount: text }) }),
        call('POST', '/v1/refunds', { headers: key(), body: request({ currency: text, entityId: text }) }),
        call('POST', '/v1/refunds', {
          headers: key(),
          body: request({ paymentId: text, payment: { [text]: text } }),
        }),
        call('POST', '/v1/credits', {
          headers: key(),
          body: request({ destination: { registrationId: text } }),
        }),
        call('POST', '/v1/refunds', { headers: key(), body: request({ destination: { [text]: text } }) }),
        call('POST', `/v1/refunds/${id}/link`, { body: { reason: 'x', gatewayId: text, [text]: text } }),
        call('POST', `/v1/refunds/${id}/correct`, {
          body: { reason: 'x', outcome: text, evidence: 'x', case: text },
        }),
        call('POST', '/v1/refunds/replay', { body: { reason: 'x', case: text, since: text, cursor: text } }),
        call('POST', `/v1/refunds/${id}/replay`, { body: { reason: 'x', restart: { runId: `${text}!` } } }),
        call('GET', `/v1/refunds/${path}`),
        call('GET', `/v1/payments/${path}`),
        call('GET', `/v1/refunds?status=${path}&cursor=${path}&${path}=1`),
        call('GET', `/v1/queue?cursor=${path}`),
        call('GET', `/v1/limits?currency=${path}&paymentId=${path}`),
        call('GET', `/v1/${path}`),
        call('POST', `/v1/events/${path}/resend`),
      ]);
      for (const [number, answer] of answers.entries()) {
        expect(answer.status, `answer ${number}`).toBeGreaterThanOrEqual(400);
        expect(answer.status, `answer ${number}`).toBeLessThan(500);
        expectSilence(answer, text);
      }
    }
  });

  it('is looked for and not repeated', async () => {
    for (const [, text] of ALL) {
      const path = encodeURIComponent(text);
      for (const answer of [
        await call('GET', `/v1/search?q=${path}`),
        await call('GET', `/v1/limits?requester=${path}`),
      ]) {
        expect(answer.status).toBe(200);
        expectSilence(answer, text);
      }
    }
  });

  it('is replaced in x-request-id', async () => {
    for (const [, text] of FORMS) {
      const answer = await call('GET', '/v1/me', { headers: { 'x-request-id': text } });
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expectSilence(answer, text);
    }
  });

  it('is not taken from two halves: the name of an entry and its value', async () => {
    const answer = await call('POST', '/v1/refunds', {
      headers: key(),
      body: request({ metadata: { cvv: '987' } }),
    });
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).not.toContain('987');
  });

  it('is stored nowhere', async () => {
    expect(await stack.client.listRefunds({ paymentId })).toEqual([]);
  });
});
