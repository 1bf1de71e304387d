/** Tests each fault that the simulator can have, and its effect on the money. */
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  creditByCard,
  debit,
  idOf,
  openHarness,
  refund,
  refundedOf,
  refundUnder,
  RF,
  seen,
  verdict,
} from './gateway-harness.js';

describe('a lost answer', () => {
  it('leaves the refund executed', () => {
    const { harness, id, answer } = refundUnder({ kind: 'accept_then_drop' });
    expect(verdict(answer)).toBe('dropped');
    expect(refundedOf(harness, id)).toBe(40_00n);
    expect(seen(harness)).toBe('200 000.000.100');
  });

  it('leaves the refund not executed, when the request never arrived', () => {
    const { harness, id, answer } = refundUnder({ kind: 'drop_before_execute' });
    expect(verdict(answer)).toBe('dropped');
    expect(refundedOf(harness, id)).toBe(0n);
    expect(seen(harness)).toBe('404 700.400.580');
  });

  it('arrives late instead', () => {
    const { harness, id, answer } = refundUnder({ kind: 'answer_after', ms: 90_000 });
    expect(answer).toMatchObject({ kind: 'answer', httpStatus: 200, afterMs: 90_000 });
    expect(refundedOf(harness, id)).toBe(40_00n);
  });

  it('is followed by the refund at its own later time, by the rules of that time', () => {
    const { harness, id, answer } = refundUnder({ kind: 'execute_after', ms: 5000 });
    expect(verdict(answer)).toBe('dropped');
    expect(harness.gateway.nextAt()).not.toBeNull();
    harness.wait(4999);
    expect(seen(harness)).toBe('404 700.400.580');
    expect(refundedOf(harness, id)).toBe(0n);
    refund(harness, id, '30.00');
    harness.wait(2001);
    expect(seen(harness)).toBe('200 000.000.100');
    expect(refundedOf(harness, id)).toBe(70_00n);
    const late = harness.gateway
      .transactions()
      .find(({ merchantTransactionId }) => merchantTransactionId === 'RF1');
    expect(late?.timestamp).toBe(Date.UTC(2026, 8, 1, 12, 0, 5));
  });

  it('is followed by a late refund that exceeds the payment and is rejected', () => {
    const { harness, id } = refundUnder({ kind: 'execute_after', ms: 5000 });
    refund(harness, id, '100.00');
    harness.wait(5000);
    expect(refundedOf(harness, id)).toBe(100_00n);
    const found = bodyOf(harness.get('/v3/query', RF)).records?.[0];
    expect(found?.result?.code).toBe('700.400.200');
  });
});

describe('an answer that leaves the outcome open', () => {
  it('has the code 900.100.300 whether the refund was executed or not', () => {
    const made = refundUnder({ kind: 'comm_error', executed: true });
    const notMade = refundUnder({ kind: 'comm_error', executed: false });
    for (const { answer } of [made, notMade]) {
      expect(verdict(answer)).toBe('200 900.100.300');
      expect(bodyOf(answer).id).toBeUndefined();
    }
    expect([refundedOf(made.harness, made.id), refundedOf(notMade.harness, notMade.id)]).toEqual([
      40_00n,
      0n,
    ]);
    expect([seen(made.harness), seen(notMade.harness)]).toEqual(['200 000.000.100', '404 700.400.580']);
  });

  it('has the code 900.100.300, and queries show nothing else', () => {
    const { harness } = refundUnder({ kind: 'comm_error', executed: false, recorded: true });
    expect(bodyOf(harness.get('/v3/query', RF)).records?.[0]?.result?.code).toBe('900.100.300');
  });

  it.each([
    ['900.100.300', 200, true],
    ['900.100.300', 200, false],
    ['900.200.100', 502, true],
    ['900.200.100', 502, false],
    ['123.456.789', 200, true],
    ['123.456.789', 400, false],
    ['000.100.110', 500, true],
    ['000.100.110', 503, false],
  ])('%s with HTTP %i names the transaction, the refund made: %s', (code, httpStatus, executed) => {
    const { harness, id, answer } = refundUnder({
      kind: 'comm_error',
      hasId: true,
      code,
      httpStatus,
      executed,
    });
    expect(verdict(answer)).toBe(`${httpStatus} ${code}`);
    expect(refundedOf(harness, id)).toBe(executed ? 40_00n : 0n);
    expect(verdict(harness.get(`/v3/query/${idOf(answer)}`))).toBe(
      executed ? '200 000.000.100' : '404 700.400.580',
    );
  });

  it('has an id, when the refund was not executed but recorded as open', () => {
    const { harness, id, answer } = refundUnder({
      kind: 'comm_error',
      hasId: true,
      executed: false,
      recorded: true,
      code: '000.100.110',
    });
    expect(refundedOf(harness, id)).toBe(0n);
    const [found] = bodyOf(harness.get(`/v3/query/${idOf(answer)}`)).records ?? [];
    expect(found).toMatchObject({ id: idOf(answer), result: { code: '900.100.300' } });
  });

  it.each([true, false])('has an id and no result (refund executed: %s)', (executed) => {
    const harness = openHarness();
    const id = debit(harness);
    const match = { paymentType: 'RF' };
    harness.gateway.setFault({ match, effect: { kind: 'comm_error', executed, hasId: true } });
    harness.gateway.setFault({ match, effect: { kind: 'broken_body', form: 'no_result' } });
    const answer = refund(harness, id, '40.00', RF);
    if (answer.kind !== 'raw') throw new Error(`Expected a raw body, got ${answer.kind}.`);
    const parsed: unknown = JSON.parse(answer.text);
    expect(parsed).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      paymentType: 'RF',
    });
    expect(parsed).not.toHaveProperty('result');
    expect(refundedOf(harness, id)).toBe(executed ? 40_00n : 0n);
  });

  it.each([true, false])('is a 502 page of a proxy (refund executed: %s)', (executed) => {
    const { harness, id, answer } = refundUnder({ kind: 'http_error', executed });
    expect(answer).toMatchObject({ kind: 'raw', httpStatus: 502, contentType: 'text/html' });
    expect(refundedOf(harness, id)).toBe(executed ? 40_00n : 0n);
  });

  it('is a 403 page of a firewall, or a redirect to another host', () => {
    expect(verdict(refundUnder({ kind: 'http_error', status: 403, executed: false }).answer)).toBe('raw 403');
    const redirect = refundUnder({
      kind: 'http_error',
      status: 307,
      executed: true,
      location: 'http://elsewhere/',
    });
    expect(redirect.answer).toMatchObject({ httpStatus: 307, location: 'http://elsewhere/' });
  });

  it.each(['truncated', 'garbage', 'empty', 'no_result', 'huge', 'cut_off'] as const)(
    'has a body that is %s, although the refund was executed',
    (form) => {
      const { harness, id, answer } = refundUnder({ kind: 'broken_body', form });
      expect(refundedOf(harness, id)).toBe(40_00n);
      if (answer.kind !== 'raw') throw new Error(`Expected a raw body, got ${answer.kind}.`);
      expect(answer.httpStatus).toBe(200);
      expect(answer.cutOff).toBe(form === 'cut_off');
      const parses = (): unknown => JSON.parse(answer.text);
      if (['truncated', 'garbage', 'empty'].includes(form)) expect(parses).toThrow(SyntaxError);
      else expect(parses()).toMatchObject({ paymentType: 'RF' });
      if (form === 'no_result') expect(parses()).not.toHaveProperty('result');
    },
  );

  it.each([
    [{ amount: '4000.00' }],
    [{ currency: 'USD' }],
    [{ paymentType: 'DB' }],
    [{ id: 'f'.repeat(32) }],
    [{ referencedId: 'e'.repeat(32) }],
  ])('an echo that differs from the request: %o', (fields) => {
    const { harness, id, answer } = refundUnder({ kind: 'wrong_echo', fields });
    expect(bodyOf(answer)).toMatchObject({ ...fields, result: { code: '000.100.110' } });
    expect(refundedOf(harness, id)).toBe(40_00n);
    expect(bodyOf(harness.get('/v3/query', RF)).records?.[0]).toMatchObject({
      paymentType: 'RF',
      amount: '40.00',
      currency: 'EUR',
      referencedId: id,
    });
  });

  it('shows an echo without a field', () => {
    const { answer } = refundUnder({ kind: 'wrong_echo', fields: { id: null } });
    expect(bodyOf(answer).id).toBeUndefined();
  });

  it('shows no referencedId, also in queries, although the gateway knows the original', () => {
    const { harness, id, answer } = refundUnder({ kind: 'missing_reference' });
    expect(bodyOf(answer).referencedId).toBeUndefined();
    const records = bodyOf(harness.get(`/v3/query/${id}`, { includeLinkedTransactions: 'true' })).records;
    expect(records?.map(({ paymentType, referencedId }) => [paymentType, referencedId])).toEqual([
      ['DB', undefined],
      ['RF', undefined],
    ]);
    expect(refundedOf(harness, id)).toBe(40_00n);
  });
});

describe('a refund that is pending', () => {
  it.each([
    ['succeeded', '000.100.110', 40_00n],
    ['rejected', '100.397.102', 0n],
  ] as const)('becomes %s by itself', (final, code, refunded) => {
    const { harness, id, answer } = refundUnder({ kind: 'pending', final, afterMs: 3_600_000 });
    expect(verdict(answer)).toBe('200 800.400.502');
    expect(harness.gateway.books(id)).toMatchObject({ refunded: 0n, pending: 40_00n });
    harness.wait(3_599_999);
    expect(bodyOf(harness.get('/v3/query', RF)).records?.[0]?.result?.code).toBe('800.400.502');
    harness.wait(1);
    expect(bodyOf(harness.get('/v3/query', RF)).records?.[0]?.result?.code).toBe(code);
    expect(harness.gateway.books(id)).toMatchObject({ refunded, pending: 0n });
  });

  it('stays pending until it is finished, and then keeps its outcome', () => {
    const { harness, id, answer } = refundUnder({ kind: 'pending', finalCode: '800.100.165' });
    harness.wait(30 * 24 * 3_600_000);
    expect(harness.gateway.books(id)?.pending).toBe(40_00n);
    harness.gateway.finishPending({ id: idOf(answer), state: 'succeeded' });
    expect(refundedOf(harness, id)).toBe(40_00n);
    expect(() => harness.gateway.finishPending({ id: idOf(answer), state: 'rejected' })).toThrow(
      'not pending',
    );
  });

  it('does not change at its planned time when it was finished before', () => {
    const { harness, id, answer } = refundUnder({ kind: 'pending', final: 'rejected', afterMs: 1000 });
    harness.gateway.finishPending({ id: idOf(answer), state: 'succeeded' });
    harness.wait(5000);
    expect(refundedOf(harness, id)).toBe(40_00n);
  });
});

describe('a decline by the bank', () => {
  it.each([200, 400])('arrives with HTTP %i, an amount and an id, and no money moves', (httpStatus) => {
    const { harness, id, answer } = refundUnder({ kind: 'reject', code: '800.100.167', httpStatus });
    expect(verdict(answer)).toBe(`${httpStatus} 800.100.167`);
    expect(bodyOf(answer)).toMatchObject({ paymentType: 'RF', amount: '40.00', referencedId: id });
    expect(refundedOf(harness, id)).toBe(0n);
  });

  it('comes after the gateway’s own checks, so that a rejected request never reaches the bank', () => {
    const harness = openHarness();
    const id = debit(harness);
    harness.gateway.setFault({ effect: { kind: 'reject', code: '800.100.165' } });
    expect(verdict(refund(harness, id, '100.01'))).toBe('400 700.400.200');
    expect(verdict(refund(harness, id, '100.00'))).toBe('400 800.100.165');
  });

  it('can be followed by a chargeback before the customer can be credited', () => {
    const harness = openHarness();
    const id = debit(harness);
    harness.gateway.setFault({ effect: { kind: 'chargeback_after_rejection', amount: '25.00' } });
    expect(verdict(refund(harness, id, '1.00'))).toBe('200 000.100.110');
    expect(harness.gateway.books(id)?.chargedBack).toBe(0n);
    harness.gateway.setFault({ effect: { kind: 'reject', code: '800.100.167' } });
    refund(harness, id, '40.00');
    expect(harness.gateway.books(id)?.chargedBack).toBe(25_00n);
    expect(verdict(refund(harness, id, '40.00'))).toBe('400 700.300.600');
    const records = bodyOf(harness.get(`/v3/query/${id}`, { includeLinkedTransactions: 'true' })).records;
    expect(records?.find(({ paymentType }) => paymentType === 'CB')).toMatchObject({
      amount: '25.00',
      referencedId: id,
      result: { code: '000.100.200' },
    });
  });

  it('can lose its answer too: faults of different slots apply to one request', () => {
    const { harness } = refundUnder({ kind: 'accept_then_drop' });
    const id = debit(harness);
    harness.gateway.setFault({ effect: { kind: 'reject', code: '800.100.167' } });
    harness.gateway.setFault({ effect: { kind: 'accept_then_drop' } });
    harness.gateway.setFault({ effect: { kind: 'visibility_lag', ms: 1000 } });
    expect(verdict(refund(harness, id, '1.00', { merchantTransactionId: 'X' }))).toBe('dropped');
    expect(verdict(harness.get('/v3/query', { merchantTransactionId: 'X' }))).toBe('404 700.400.580');
    harness.wait(1000);
    expect(bodyOf(harness.get('/v3/query', { merchantTransactionId: 'X' })).records?.[0]?.result?.code).toBe(
      '800.100.167',
    );
  });
});

describe('fault rules', () => {
  it('apply to matching requests only, as often as configured, and can be cleared', () => {
    const harness = openHarness();
    const id = debit(harness);
    const fault = harness.gateway.setFault({
      match: { paymentType: 'RF', paymentId: id, amount: '5.00', merchantTransactionId: 'M' },
      times: 2,
      effect: { kind: 'reject', code: '800.100.152' },
    });
    const five = (more = {}): string =>
      verdict(refund(harness, id, '5.00', { merchantTransactionId: 'M', ...more }));
    expect(five({ merchantTransactionId: 'N' })).toBe('200 000.100.110');
    expect(verdict(refund(harness, debit(harness), '5.00', { merchantTransactionId: 'M' }))).toBe(
      '200 000.100.110',
    );
    expect([five(), five(), five()]).toEqual(['400 800.100.152', '400 800.100.152', '200 000.100.110']);
    expect(harness.gateway.clearFault(fault)).toBe(false);

    const always = harness.gateway.setFault({ times: 'always', effect: { kind: 'drop_before_execute' } });
    expect([five(), five(), five()]).toEqual(['dropped', 'dropped', 'dropped']);
    expect(harness.gateway.faults()).toMatchObject([{ id: always, times: 'always' }]);
    expect(harness.gateway.clearFault(always)).toBe(true);
    expect(five()).toBe('200 000.100.110');
  });

  it('match a credit by its registration', () => {
    const harness = openHarness();
    const { registrationId } = harness.gateway.createPayment({ type: 'DB', amount: 1_00n, currency: 'EUR' });
    harness.gateway.setFault({ match: { registrationId }, effect: { kind: 'reject', code: '100.150.206' } });
    expect(verdict(creditByCard(harness, '1.00'))).toBe('200 000.100.110');
    const fields = { paymentType: 'CD', amount: '1.00', currency: 'EUR' };
    expect(verdict(harness.post(`/v1/registrations/${registrationId}/payments`, fields))).toBe(
      '400 100.150.206',
    );
  });

  it('create no transaction for a code that creates none', () => {
    const { harness, answer } = refundUnder({ kind: 'reject', code: '800.120.100', httpStatus: 429 });
    expect(verdict(answer)).toBe('429 800.120.100');
    expect(seen(harness)).toBe('404 700.400.580');
  });
});

describe('chargebacks by control', () => {
  it('are possible after a refund: the money is then paid out twice', () => {
    const harness = openHarness();
    const id = debit(harness);
    refund(harness, id, '100.00');
    harness.gateway.chargeback({ paymentId: id, code: '000.100.201' });
    expect(harness.gateway.books(id)).toMatchObject({ refunded: 100_00n, chargedBack: 100_00n });
    expect(() => harness.gateway.chargeback({ paymentId: id })).toThrow('already has an open chargeback');
  });

  it('are reversed once, and can then be charged back again', () => {
    const harness = openHarness();
    const id = debit(harness);
    const first = harness.gateway.chargeback({ paymentId: id }).id;
    expect(harness.gateway.reverseChargeback(first)).toMatchObject({ type: 'CR', referencedId: first });
    expect(() => harness.gateway.reverseChargeback(first)).toThrow('already reversed');
    expect(harness.gateway.books(id)?.chargedBack).toBe(0n);
    expect(harness.gateway.chargeback({ paymentId: id }).amount).toBe(100_00n);
  });

  it('apply to payments only, and up to their amount', () => {
    const harness = openHarness();
    const id = debit(harness);
    const refunded = idOf(refund(harness, id, '1.00'));
    expect(() => harness.gateway.chargeback({ paymentId: refunded })).toThrow('only a DB or a CP');
    expect(() => harness.gateway.chargeback({ paymentId: id, amount: 100_01n })).toThrow(
      'at most that of the payment',
    );
    expect(() => harness.gateway.chargeback({ paymentId: 'nobody' })).toThrow('no transaction');
  });
});
