/** Fuzzes requests: every refusal has a reason, and an amount has exactly the written value. */
import { describe, expect, it } from 'vitest';
import { formatAmount, gatewayAmount, parseAmount, parseGatewayAmount } from '../../domain/money/money.js';
import {
  canonicalRequest,
  isCreditRequest,
  readCreditRequest,
  readRefundRequest,
  type CreditRequest,
  type RefundRequest,
} from '../../domain/refund/request.js';
import { fuzz, holds, inTier } from './fuzz.js';
import {
  CARD,
  DECIMALS,
  isOfAnotherCurrency,
  garbled,
  GOOD,
  minorOf,
  minorOfAmount,
  perhapsCard,
  request,
} from './fixture-requests.js';
import { edited, odd } from './mutations.js';
import { worth } from './second-opinion.js';

describe('a request', () => {
  it('is accepted exactly if the rules allow it, and every refusal has a reason and contains no card', async () => {
    let accepted = 0;
    await fuzz(inTier(160_000), (random) => {
      const input = garbled(random, random.chance(0.5) ? GOOD : request(random));
      const askedFor = random.chance(0.5) ? 'credit' : 'refund';
      const read = askedFor === 'credit' ? readCreditRequest : readRefundRequest;
      const reading = read(input);
      const minor = minorOf(input, askedFor);
      if (!reading.ok) {
        holds(reading.problems.length > 0, 'Refused without a reason.', input);
        holds(
          reading.problems.every(({ field, code, message }) => field !== '' && code !== '' && message !== ''),
          'An empty problem.',
          reading.problems,
        );
        holds(
          !JSON.stringify(reading.problems).includes(CARD),
          'A possible card number is repeated.',
          reading,
        );
        if (isOfAnotherCurrency(input)) return;
        if (reading.problems.every(({ code }) => code === 'card_number') && perhapsCard(input)) return;
        holds(minor === undefined, 'Refused although the rules allow it.', [input, reading.problems]);
        return;
      }
      accepted += 1;
      holds(
        isOfAnotherCurrency(input) || reading.request.money.minor === minor,
        'Accepted with another amount than requested.',
        input,
      );
      holds(gatewayAmount(reading.request.money).ok, 'The gateway cannot express the amount.', input);
      holds(
        isCreditRequest(reading.request) === (askedFor === 'credit'),
        'Read as the other kind of request.',
        input,
      );
      const again = read({
        ...reading.request,
        money: undefined,
        amount: formatAmount(reading.request.money),
        currency: reading.request.money.currency,
      });
      holds(!again.ok, 'An unknown field was accepted.', input);
      const same = read(withoutMoney(reading.request));
      holds(
        same.ok && canonicalRequest(same.request) === canonicalRequest(reading.request),
        'It reads back as another request.',
        input,
      );
    });
    expect(accepted).toBeGreaterThan(0);
  }, 600_000);

  it('for an amount never has another value', async () => {
    let read = 0;
    await fuzz(inTier(100_000), (random) => {
      const currency = random.pick(['EUR', 'JPY', 'KWD', 'USD', 'XXX', 'eur', '', '__proto__']);
      const digits = String(random.between(0, 10 ** random.between(1, 12)));
      const right = random.chance(0.3)
        ? digits
        : `${digits}.${String(random.between(0, 9999)).slice(0, random.between(1, 4))}`;
      const text: unknown = random.chance(0.05)
        ? odd(random)
        : random.chance(0.4)
          ? right
          : edited(random, right);
      const asked = parseAmount(text, currency);
      const fixture = typeof text === 'string' ? parseGatewayAmount(text, currency) : undefined;
      const value = typeof text === 'string' ? worth(text) : undefined;
      for (const reading of [asked, fixture]) {
        if (reading?.ok !== true) continue;
        read += 1;
        const { minor, decimals } = reading.money;
        holds(DECIMALS[currency] === decimals, 'Another number of decimals.', [text, currency]);
        holds(value === minor * 10n ** BigInt(4 - decimals), 'Another value.', [text, currency, minor]);
      }
      const strict = minorOfAmount(text, currency);
      if (strict !== undefined)
        holds(asked.ok && asked.money.minor === strict, 'Refused or another.', [text, currency]);
      if (asked.ok && strict === undefined)
        holds(
          asked.money.minor > 0n && !gatewayAmount(asked.money).ok,
          'Accepted although the rules forbid it.',
          [text, currency],
        );
    });
    expect(read).toBeGreaterThan(0);
  }, 600_000);
});

/** Returns the request as a client would write it. */
function withoutMoney(request: RefundRequest | CreditRequest): object {
  const { money, ...fields } = request;
  const written = { ...fields, amount: formatAmount(money), currency: money.currency };
  return Object.fromEntries(Object.entries(written).filter(([name]) => name !== 'askedFor'));
}
