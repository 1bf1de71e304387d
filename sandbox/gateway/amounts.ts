/** Amounts as the gateway counts them: two decimals for every currency, held as integer hundredths. */

/** The server's own pattern, as its `parameterErrors` spelled it in recordings of 2021 and 2022. */
export const AMOUNT_PATTERN = /^[0-9]{1,12}(\.[0-9]{2})?$/;

/** Hundredths of `text`, or null when the gateway would refuse the form (`92.0`, `-20.20`, `1,00`). */
export function parseAmount(text: string): bigint | null {
  if (!AMOUNT_PATTERN.test(text)) return null;
  const [whole = '', cents = '00'] = text.split('.');
  return BigInt(whole) * 100n + BigInt(cents);
}

/** `1234n` as `12.34`. Negative sums occur in books only. */
export function formatAmount(hundredths: bigint): string {
  const sign = hundredths < 0n ? '-' : '';
  const digits = (hundredths < 0n ? -hundredths : hundredths).toString().padStart(3, '0');
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
