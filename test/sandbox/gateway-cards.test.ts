/** Tests cards at the simulator: registrations, the security code, the digits that an answer shows, and the faults of a registration. */
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  CARD,
  creditByCard,
  ENTITY,
  idOf,
  openHarness,
  UNKNOWN_ID,
  verdict,
} from './gateway-harness.js';
import type { Harness } from './gateway-harness.js';

const RG = { merchantTransactionId: 'RG1' };
const register = (harness: Harness, more: Readonly<Record<string, string>> = {}) =>
  harness.post('/v1/registrations', { ...CARD, ...RG, ...more });
const credit = (harness: Harness, registrationId: string): string =>
  verdict(
    harness.post(`/v1/registrations/${registrationId}/payments`, {
      paymentType: 'CD',
      amount: '1.00',
      currency: 'EUR',
    }),
  );
const recordsOf = (harness: Harness) => {
  const found = harness.get('/v3/query', RG);
  return found.kind === 'answer' && found.httpStatus === 200 ? (found.body.records ?? []) : [];
};

describe('a registration', () => {
  it('is answered with its id and the summary of its card, and found by its reference', () => {
    const harness = openHarness();
    const answer = register(harness);
    expect(verdict(answer)).toBe('200 000.100.110');
    const body = bodyOf(answer);
    expect(body).toMatchObject({
      paymentBrand: 'VISA',
      card: {
        bin: '420000',
        last4Digits: '0000',
        holder: 'Jane Jones',
        expiryMonth: '05',
        expiryYear: '2034',
      },
    });
    expect([body.paymentType, body.amount, body.merchantTransactionId]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(recordsOf(harness)).toMatchObject([{ id: body.id, paymentType: 'RG', ...RG }]);
    expect(credit(harness, idOf(answer))).toBe('200 000.100.110');
  });

  it('that is removed takes no credit, and cannot be removed again', () => {
    const harness = openHarness();
    const id = idOf(register(harness));
    const removed = harness.delete(`/v1/registrations/${id}`);
    expect(verdict(removed)).toBe('200 000.100.110');
    expect(bodyOf(removed).referencedId).toBe(id);
    expect(credit(harness, id)).toBe('400 100.150.202');
    expect(verdict(harness.delete(`/v1/registrations/${id}`))).toBe('400 100.150.202');
    expect(verdict(harness.delete(`/v1/registrations/${UNKNOWN_ID}`))).toBe('400 100.150.200');
  });

  it('of a payment can be removed too', () => {
    const harness = openHarness();
    const order = { type: 'DB', amount: 1_00n, currency: 'EUR' } as const;
    const { registrationId } = harness.gateway.createPayment(order);
    expect(verdict(harness.delete(`/v1/registrations/${registrationId}`))).toBe('200 000.100.110');
    expect(credit(harness, registrationId)).toBe('400 100.150.202');
  });

  it('is declined by its holder, on a test host only', () => {
    const harness = openHarness();
    const declined = register(harness, { 'card.holder': '800.100.151' });
    expect(verdict(declined)).toBe('400 800.100.151');
    expect(credit(harness, idOf(declined))).toBe('400 100.150.200');
    harness.gateway.changeSettings({ live: true });
    expect(verdict(register(harness, { 'card.holder': '800.100.151' }))).toBe('200 000.000.000');
    expect(verdict(creditByCard(harness, '1.00', { 'card.holder': '800.100.151' }))).toBe('200 000.000.000');
  });

  it('exists when its answer is lost', () => {
    const harness = openHarness();
    harness.gateway.setFault({ match: { paymentType: 'RG' }, effect: { kind: 'accept_then_drop' } });
    expect(verdict(register(harness))).toBe('dropped');
    const [found] = recordsOf(harness);
    expect(credit(harness, found?.id ?? '')).toBe('200 000.100.110');
  });

  it('does not exist when its request is lost, and is made later when the gateway is slow', () => {
    const harness = openHarness();
    harness.gateway.setFault({ match: { paymentType: 'RG' }, effect: { kind: 'drop_before_execute' } });
    harness.gateway.setFault({ match: { paymentType: 'RG' }, effect: { kind: 'execute_after', ms: 1_000 } });
    expect([verdict(register(harness)), verdict(register(harness))]).toEqual(['dropped', 'dropped']);
    expect(recordsOf(harness)).toEqual([]);
    harness.wait(1_001);
    expect(recordsOf(harness)).toHaveLength(1);
    expect(credit(harness, recordsOf(harness)[0]?.id ?? '')).toBe('200 000.100.110');
  });

  it('is visible to queries after a delay', () => {
    const harness = openHarness();
    harness.gateway.setFault({
      match: { paymentType: 'RG' },
      effect: { kind: 'visibility_lag', ms: 1_000 },
    });
    register(harness);
    expect(recordsOf(harness)).toEqual([]);
    harness.wait(1_001);
    expect(recordsOf(harness)).toHaveLength(1);
  });

  it('that is pending or was rejected takes no credit', () => {
    const harness = openHarness();
    harness.gateway.setFault({
      match: { paymentType: 'RG' },
      effect: { kind: 'pending', code: '000.200.000' },
    });
    const id = idOf(register(harness));
    expect(credit(harness, id)).toBe('400 100.150.201');
    harness.gateway.finishPending({ id, state: 'rejected' });
    expect(credit(harness, id)).toBe('400 100.150.203');
  });

  it('moves no money and is notified as a registration', () => {
    const harness = openHarness();
    harness.delete(`/v1/registrations/${idOf(register(harness))}`);
    expect(harness.gateway.leftMerchant({ references: ['RG1'] })).toMatchObject([{ total: 0n }]);
    expect(harness.gateway.executedByReference('RG1')).toBe(0);
    expect(harness.gateway.due().map(({ content: { type, action } }) => [type, action])).toEqual([
      ['REGISTRATION', 'CREATED'],
      ['REGISTRATION', 'DELETED'],
    ]);
  });
});

describe('a card', () => {
  it.each([
    ['4200000000000000', 'VISA'],
    ['4111111111111111', 'VISA'],
    ['4242424242424242', 'VISA'],
    ['5454545454545454', 'MASTER'],
    ['5105105105105100', 'MASTER'],
    ['377777777777770', 'AMEX'],
    ['36961903000009', 'DINERS'],
    ['6011587918359498', 'DISCOVER'],
  ])('of the test numbers is credited and registered: %s', (number, paymentBrand) => {
    const harness = openHarness();
    const card = { 'card.number': number, paymentBrand };
    expect(verdict(creditByCard(harness, '1.00', card))).toBe('200 000.100.110');
    expect(verdict(register(harness, card))).toBe('200 000.100.110');
  });

  it.each(['4444444444444444', '4200000000000001'])('of the bad test numbers is refused: %s', (number) => {
    const harness = openHarness();
    expect(verdict(creditByCard(harness, '1.00', { 'card.number': number }))).toBe('400 100.100.101');
    expect(verdict(register(harness, { 'card.number': number }))).toBe('400 100.100.101');
  });

  it('of another brand than its number is refused', () => {
    const harness = openHarness();
    expect(verdict(creditByCard(harness, '1.00', { paymentBrand: 'MASTER' }))).toBe('400 100.100.700');
  });

  it('without a security code is refused where the entity or the gateway demands one', () => {
    const demanding = openHarness({ entities: [{ ...ENTITY, demandsCvv: true }] });
    expect(verdict(creditByCard(demanding, '1.00'))).toBe('400 100.100.600');
    expect(verdict(register(demanding))).toBe('400 100.100.600');
    expect(verdict(creditByCard(demanding, '1.00', { 'card.cvv': '123' }))).toBe('200 000.100.110');
    const diners = { 'card.number': '36961903000009', paymentBrand: 'DINERS' };
    expect(verdict(creditByCard(demanding, '1.00', diners))).toBe('200 000.100.110');
    const everywhere = openHarness({ settings: { demandsCvv: true } });
    expect(verdict(creditByCard(everywhere, '1.00'))).toBe('400 100.100.600');
  });

  it("that ends in 0000 is shown as 0042 where the answers are those of the vendor's sample", () => {
    const harness = openHarness({ settings: { answeredLast4: 'sample' } });
    const answer = bodyOf(creditByCard(harness, '1.00', { merchantTransactionId: 'RG1' }));
    expect(answer.card?.last4Digits).toBe('0042');
    expect(recordsOf(harness)).toMatchObject([{ card: { last4Digits: '0042' } }]);
    const other = bodyOf(creditByCard(harness, '1.00', { 'card.number': '4111111111111111' }));
    expect(other.card?.last4Digits).toBe('1111');
  });
});
