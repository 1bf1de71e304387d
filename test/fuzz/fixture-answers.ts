/** Valid answers of the gateway, from which the mutations start. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Expectation } from '../support/as-oppwa.js';

const credited = z
  .looseObject({})
  .parse(
    JSON.parse(readFileSync(new URL('../gateway/fixtures/credit-by-card.json', import.meta.url), 'utf8')),
  );

export const PAYMENT = '8ac7a4a289d210fc0189d5b4e9572cc8';
const CAPTURE = '8ac7a4a289d210fc0189d5b4e9572cc9';
const REFUND = '8ac7a4a1886fbf6c018871e528a731de';
const OTHER = '8ac7a4a1886fbf6c018871e528a731df';
const CREDIT = '8ac7a4a192b3b5060192b471c0d82dfb';
export const REFERENCE = 'KHQDEW3SX4Y3D2Q8';

const answer = (code: string) => ({ code, description: 'as the gateway words it' });
const at = '2024-10-22 13:36:46+0000';

const refunded = {
  id: REFUND,
  referencedId: PAYMENT,
  paymentType: 'RF',
  amount: '92.00',
  currency: 'EUR',
  merchantTransactionId: REFERENCE,
  result: answer('000.000.000'),
  resultDetails: { ExtendedDescription: 'Approved', ConnectorTxID1: '852105' },
  timestamp: at,
};
const inYen = { ...refunded, amount: '92.00', currency: 'JPY' };
const inDinars = { ...refunded, amount: '9.20', currency: 'KWD' };
const reversed = { ...refunded, paymentType: 'RV' };
const invalid = {
  result: {
    ...answer('200.300.404'),
    parameterErrors: [{ name: 'paymentType', value: 'RF', message: 'must be one of [PA, DB, CD]' }],
  },
  timestamp: at,
};

interface Fixture {
  readonly body: object;
  readonly expected: Expectation;
}

const order = {
  operation: 'refund',
  originalId: PAYMENT,
  amountMinor: 9_200n,
  currency: 'EUR',
  reference: REFERENCE,
  host: 'live',
} as const;
const credit = {
  operation: 'credit',
  amountMinor: 10_000n,
  currency: 'EUR',
  reference: 'P175',
  host: 'test',
} as const;

/** Answers to orders, each with the order that it answers. */
export const FIXTURE: readonly [Fixture, ...Fixture[]] = [
  { body: refunded, expected: order },
  { body: { ...refunded, result: answer('000.100.110') }, expected: { ...order, host: 'test' } },
  { body: { ...refunded, result: answer('000.400.010') }, expected: order },
  { body: { ...refunded, result: answer('800.400.502') }, expected: order },
  { body: { ...refunded, result: answer('800.100.152') }, expected: order },
  { body: { ...refunded, amount: '92' }, expected: order },
  { body: inYen, expected: { ...order, amountMinor: 92n, currency: 'JPY' } },
  { body: inDinars, expected: { ...order, amountMinor: 9_200n, currency: 'KWD' } },
  { body: reversed, expected: { ...order, operation: 'reversal' } },
  { body: invalid, expected: order },
  { body: credited, expected: credit },
];

/** Texts that are valid in another place. */
export const TEXTS: readonly [unknown, ...unknown[]] = [
  PAYMENT,
  CAPTURE,
  REFUND,
  OTHER,
  CREDIT,
  REFERENCE,
  'P175',
  'RF',
  'RV',
  'CD',
  'DB',
  'CP',
  'CB',
  'CR',
  'PA',
  'EUR',
  'JPY',
  'KWD',
  'USD',
  '92.00',
  '92.0',
  '9.20',
  '92.01',
  '9200',
  '92.0000',
  '0.00',
  '100.00',
  '000.000.000',
  '000.100.110',
  '000.000.100',
  '000.400.010',
  '000.400.030',
  '000.500.000',
  '000.200.000',
  '800.400.502',
  '800.100.152',
  '700.400.200',
  '700.400.580',
  '900.100.300',
  '900.100.202',
  '999.999.999',
  '600.100.100',
  '800.120.100',
  '800.900.300',
  '800.121.100',
  answer('000.000.000'),
  null,
  2,
  '3',
];

const debit = {
  id: PAYMENT,
  paymentType: 'DB',
  amount: '100.00',
  currency: 'EUR',
  registrationId: 'a'.repeat(32),
  result: answer('000.000.000'),
  timestamp: at,
};
const authorised = { ...debit, paymentType: 'PA' };
const captured = { ...debit, id: CAPTURE, paymentType: 'CP', referencedId: PAYMENT };
const declined = { ...refunded, id: OTHER, result: answer('800.100.152') };
const promised = { ...refunded, result: answer('800.400.502') };
const elsewhere = { ...refunded, id: CREDIT, amount: '8.00', merchantTransactionId: 'somebody-elses' };
const promisedCapture = { ...captured, id: OTHER, result: answer('000.200.000') };
const disputed = { ...debit, id: OTHER, paymentType: 'CB', referencedId: PAYMENT };
const won = { ...debit, id: CREDIT, paymentType: 'CR', referencedId: OTHER };

const listed = (...records: readonly object[]) => ({ result: answer('000.000.100'), records, pages: 1 });

/** Answers to a query by our reference. */
export const FOUND: readonly [object, ...object[]] = [
  listed(refunded),
  listed(declined, refunded),
  listed(elsewhere),
  listed(),
  { ...listed(refunded), pages: 2 },
  listed(promised),
  listed(refunded, { ...refunded, id: OTHER }),
  listed(refunded, { ...refunded, id: OTHER, amount: '9.20' }),
  listed(promised, { ...promised, id: OTHER, currency: 'USD' }),
  { result: answer('000.000.100'), payments: [refunded, declined] },
  { result: answer('700.400.580') },
  { result: answer('800.120.100') },
  refunded,
];

/** Answers to a query of a payment with all transactions that refer to it. */
export const TREES: readonly [object, ...object[]] = [
  { ...debit, linkedTransactions: [] },
  { ...debit, linkedTransactions: [refunded, elsewhere] },
  { ...debit, linkedTransactions: [disputed, won] },
  { ...authorised, linkedTransactions: [{ ...captured, linkedTransactions: [refunded] }, elsewhere] },
  { ...authorised, linkedTransactions: [{ ...captured, linkedTransactions: [refunded] }, captured] },
  { ...authorised, linkedTransactions: [{ ...captured, result: answer('800.100.152') }, promisedCapture] },
  { ...authorised, linkedTransactions: [reversed] },
  { ...debit, result: answer('800.100.152'), linkedTransactions: [] },
  { ...debit, linkedTransactions: [{ ...refunded, amount: undefined }, declined] },
  listed(debit, refunded, declined),
  listed(authorised, captured, disputed),
  listed(captured),
  { result: answer('700.400.580') },
];
