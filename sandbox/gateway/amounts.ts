/** Amounts as the gateway writes them: two decimals for every currency. Stored as integer hundredths. */

/** The gateway's own pattern, from its `parameterErrors` in recordings of 2021 and 2022. */
export const AMOUNT_PATTERN = /^[0-9]{1,12}(\.[0-9]{2})?$/;

/** Returns `text` in hundredths, or null for a form that the gateway rejects (`92.0`, `-20.20`, `1,00`). */
export function parseAmount(text: string): bigint | null {
  if (!AMOUNT_PATTERN.test(text)) return null;
  const [whole = '', cents = '00'] = text.split('.');
  return BigInt(whole) * 100n + BigInt(cents);
}

/** Returns `12.34` for `1234n`. Negative sums occur in books only. */
export function formatAmount(hundredths: bigint): string {
  const sign = hundredths < 0n ? '-' : '';
  const digits = (hundredths < 0n ? -hundredths : hundredths).toString().padStart(3, '0');
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
