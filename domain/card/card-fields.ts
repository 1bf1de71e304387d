/** Forms of the fields of a card, as the gateway takes them. The gateway client checks them again before it sends. */
import { z } from 'zod';

export interface FieldRule {
  readonly holds: (value: string) => boolean;
  readonly allowed: string;
  /** Result code that the gateway gives for a wrong value. */
  readonly gatewayCode?: string;
}

const form = (pattern: RegExp, allowed: string, gatewayCode?: string): FieldRule => ({
  holds: (value) => pattern.test(value),
  allowed,
  ...(gatewayCode === undefined ? {} : { gatewayCode }),
});
const address = z.union([z.ipv4(), z.ipv6()]);
const text = (from: number, to: number, gatewayCode?: string): FieldRule => ({
  ...form(
    new RegExp(`^(?=.*\\S)[^\\p{Cc}\\p{Cs}]{${from},${to}}$`, 'u'),
    `${from} to ${to} printable characters`,
  ),
  ...(gatewayCode === undefined ? {} : { gatewayCode }),
});

export const FIELD_RULES = {
  number: form(/^\d{12,19}$/, '12 to 19 digits, without blanks', '100.100.101'),
  holder: text(3, 128, '100.100.401'),
  expiryMonth: form(/^(0[1-9]|1[0-2])$/, '01 to 12', '100.100.201'),
  expiryYear: form(/^20\d{2}$/, 'four digits, such as 2030', '100.100.301'),
  brand: form(/^[A-Z_]{1,32}$/, 'a brand of the gateway, such as VISA or MASTER', '100.100.501'),
  cvv: form(/^\d{3,4}$/, '3 or 4 digits', '100.100.601'),
  'billing.street1': text(1, 100),
  'billing.city': text(1, 80, '100.800.302'),
  'billing.state': form(/^[A-Za-z0-9.]{1,50}$/, '1 to 50 letters, digits or dots', '100.800.400'),
  'billing.postcode': form(/^[A-Za-z0-9]{1,16}$/, '1 to 16 letters or digits, without spaces', '100.800.202'),
  'billing.country': form(/^[A-Z]{2}$/, 'two capital letters', '100.800.501'),
  'customer.givenName': text(1, 50, '100.700.201'),
  'customer.surname': text(1, 50, '100.700.101'),
  'customer.merchantCustomerId': text(1, 255),
  'customer.email': form(
    /^[^\s@\p{Cc}\p{Cs}]{1,64}@[^\s@\p{Cc}\p{Cs}]{3,63}$/u,
    'an e-mail address',
    '100.900.101',
  ),
  'customer.phone': form(
    /^[+0-9][0-9 .()/-]{5,25}$/,
    '6 to 26 of 0-9 space . ( ) / -, + only at the start',
    '100.900.200',
  ),
  'customer.ip': {
    holds: (value) => address.safeParse(value).success,
    allowed: 'an IPv4 or IPv6 address',
    gatewayCode: '100.900.401',
  },
  'customer.birthDate': form(
    /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/,
    'a date such as 1980-12-31',
    '100.900.450',
  ),
} satisfies Readonly<Record<string, FieldRule>>;

export type CardFieldName = keyof typeof FIELD_RULES;
