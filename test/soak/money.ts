/** One amount in the three forms of a soak run: the client's text, minor units, and the gateway's hundredths. */
import { formatAmount, storedMoney } from '../../domain/money/money.js';

/** Currencies with two, no and three decimals. */
export const CURRENCIES = ['EUR', 'EUR', 'EUR', 'EUR', 'JPY', 'KWD'] as const;
export type Currency = (typeof CURRENCIES)[number];
export const isCurrency = (text: string): text is Currency => text in MINOR;

/** Minor units for one hundredth, as a fraction: the gateway writes two decimals for every currency. */
const MINOR: Readonly<Record<Currency, readonly [times: bigint, over: bigint]>> = {
  EUR: [1n, 1n],
  JPY: [1n, 100n],
  KWD: [10n, 1n],
};

export function minorOf(hundredths: bigint, currency: Currency): bigint {
  const [times, over] = MINOR[currency];
  return (hundredths * times) / over;
}

/** Writes `1234n` hundredths as `12.34` EUR or `12.340` KWD. */
export function textOf(hundredths: bigint, currency: Currency): string {
  return formatAmount(storedMoney(minorOf(hundredths, currency), currency));
}

/** Converts a client's text into the gateway's hundredths. */
export function hundredthsOf(text: string, currency: Currency): bigint {
  const [times, over] = MINOR[currency];
  return (BigInt(text.replace('.', '')) * over) / times;
}

/** Rounds down to an amount that exists in the currency. */
export function whole(hundredths: bigint, currency: Currency): bigint {
  return currency === 'JPY' ? hundredths - (hundredths % 100n) : hundredths;
}

/** Minor units above which a credit needs a second approver. In a currency that is not listed every credit does. */
export const APPROVAL_ABOVE: ReadonlyMap<string, bigint> = new Map([
  ['EUR', 50_000n],
  ['JPY', 80_000n],
]);
