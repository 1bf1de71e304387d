/** One amount in the three forms that a soak run needs: as a caller writes it, in minor units, and in the gateway's hundredths. */
import { formatAmount, storedMoney } from '../../domain/money/money.js';

/** With two, no and three decimals. */
export const CURRENCIES = ['EUR', 'EUR', 'EUR', 'EUR', 'JPY', 'KWD'] as const;
export type Currency = (typeof CURRENCIES)[number];
export const isCurrency = (text: string): text is Currency => text in MINOR;

/** Minor units for one hundredth, as a fraction: the gateway writes two decimals whatever the currency has. */
const MINOR: Readonly<Record<Currency, readonly [times: bigint, over: bigint]>> = {
  EUR: [1n, 1n],
  JPY: [1n, 100n],
  KWD: [10n, 1n],
};

export function minorOf(hundredths: bigint, currency: Currency): bigint {
  const [times, over] = MINOR[currency];
  return (hundredths * times) / over;
}

/** `1234n` hundredths as `12.34` EUR or `12.340` KWD. */
export function textOf(hundredths: bigint, currency: Currency): string {
  return formatAmount(storedMoney(minorOf(hundredths, currency), currency));
}

/** What a caller writes, in the gateway's hundredths. */
export function hundredthsOf(text: string, currency: Currency): bigint {
  const [times, over] = MINOR[currency];
  return (BigInt(text.replace('.', '')) * over) / times;
}

/** The nearest smaller amount that the currency has. */
export function whole(hundredths: bigint, currency: Currency): bigint {
  return currency === 'JPY' ? hundredths - (hundredths % 100n) : hundredths;
}

/** Credits of more than this need a second person, in minor units; in a currency that is not here every credit does. */
export const APPROVAL_ABOVE: ReadonlyMap<string, bigint> = new Map([
  ['EUR', 50_000n],
  ['JPY', 80_000n],
]);
