/** A form-encoded request body whose every field was checked against the gateway's format before anything is sent. */
import { isIP } from 'node:net';
import { GatewayInputError, type WrongField } from '../errors.js';

interface Rule {
  readonly holds: (value: string) => boolean;
  readonly allowed: string;
}

function pattern(regex: RegExp, allowed: string): Rule {
  return { holds: (value) => regex.test(value), allowed };
}

/** Printable text: no control character, and no half of a surrogate pair, which UTF-8 cannot carry. */
function text(from: number, to: number): Rule {
  return pattern(
    new RegExp(`^[^\\p{Cc}\\p{Cs}]{${from},${to}}$`, 'u'),
    `${from} to ${to} printable characters`,
  );
}

const id = pattern(/^[a-f0-9]{32}$/, '32 lowercase hex digits');

/**
 * Formats from the vendor's parameter tables. Where the vendor's pages disagree, the stricter one: always two decimals, never zero.
 * Exception: merchantTransactionId may be shorter than the documented 8 characters, because the vendor's own sample sends `P175`.
 */
const rules = {
  paymentId: id,
  registrationId: id,
  entityId: id,
  amount: {
    holds: (value) => /^[0-9]{1,10}\.[0-9]{2}$/.test(value) && !/^0+\.00$/.test(value),
    allowed: 'digits with exactly two decimals, more than 0.00, such as 92.00',
  },
  currency: pattern(/^[A-Z]{3}$/, 'three capital letters'),
  merchantTransactionId: pattern(/^[A-Za-z0-9._-]{4,255}$/, '4 to 255 of A-Z a-z 0-9 . _ -'),
  paymentType: pattern(/^(RF|RV|CD)$/, 'RF, RV or CD'),
  paymentBrand: pattern(/^[A-Za-z0-9_]{1,32}$/, '1 to 32 of A-Z a-z 0-9 _'),
  testMode: pattern(/^(INTERNAL|EXTERNAL)$/, 'INTERNAL or EXTERNAL'),
  'card.number': pattern(/^[0-9]{8,32}$/, '8 to 32 digits'),
  'card.holder': text(3, 128),
  'card.expiryMonth': pattern(/^(0[1-9]|1[0-2])$/, '01 to 12'),
  'card.expiryYear': pattern(/^(19|20)[0-9]{2}$/, 'four digits, 19xx or 20xx'),
  'card.cvv': pattern(/^[0-9]{3,4}$/, '3 or 4 digits'),
  'billing.street1': text(1, 100),
  'billing.city': text(1, 80),
  'billing.state': pattern(/^[A-Za-z0-9.]{1,50}$/, '1 to 50 of A-Z a-z 0-9 .'),
  'billing.postcode': pattern(/^[A-Za-z0-9]{1,16}$/, '1 to 16 letters or digits, without spaces'),
  'billing.country': pattern(/^[A-Z]{2}$/, 'two capital letters'),
  'customer.givenName': text(1, 50),
  'customer.surname': text(1, 50),
  'customer.merchantCustomerId': text(1, 255),
  'customer.email': text(6, 128),
  'customer.phone': pattern(
    /^[+0-9][0-9 .()/-]{5,25}$/,
    '6 to 26 of 0-9 space . ( ) / -, + only at the start',
  ),
  'customer.ip': { holds: (value) => isIP(value) !== 0, allowed: 'an IPv4 or IPv6 address' },
  'customer.birthDate': pattern(/^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$/, 'yyyy-MM-dd'),
} satisfies Record<string, Rule>;

type FieldName = keyof typeof rules;

/** Characters that form encoding does not change. Most values, and all field names, consist of them. */
const PLAIN = /^[A-Za-z0-9*._-]*$/;

function encoded(value: string): string {
  return PLAIN.test(value) ? value : new URLSearchParams([['', value]]).toString().slice(1);
}

/** Collects the fields of one request, and the wrong ones, so that one error names all of them. */
export class Form {
  readonly #operation: string;
  readonly #fields: [FieldName, string][] = [];
  readonly #wrong: WrongField[] = [];

  constructor(operation: string) {
    this.#operation = operation;
  }

  /** Adds a required field. */
  need(name: FieldName, value: string | undefined): this {
    if (this.#holds(name, value)) this.#fields.push([name, value]);
    return this;
  }

  /** Adds an optional field, unless it is undefined. */
  may(name: FieldName, value: string | undefined): this {
    return value === undefined ? this : this.need(name, value);
  }

  /** Checks a value that is part of the path. An empty id would turn `/v1/payments/{id}` into the endpoint that creates a payment. */
  inPath(name: FieldName, value: string): this {
    this.#holds(name, value);
    return this;
  }

  /** Checks that a time limit is a number of milliseconds: a limit of `NaN` would never be reached. */
  limit(name: string, value: number): this {
    if (!Number.isFinite(value) || value < 0) {
      this.#wrong.push({ field: name, allowed: 'a number of milliseconds' });
    }
    return this;
  }

  /** Returns the fields as `application/x-www-form-urlencoded` in UTF-8, for a body or a query string. Throws {@link GatewayInputError}. */
  encode(): string {
    if (this.#wrong.length > 0) throw new GatewayInputError(this.#operation, this.#wrong);
    return this.#fields.map(([name, value]) => `${name}=${encoded(value)}`).join('&');
  }

  // Checks the type too: a caller in plain JavaScript, or a database row, may hold something else than a string.
  #holds(name: FieldName, value: unknown): value is string {
    const rule: Rule = rules[name];
    if (typeof value === 'string' && rule.holds(value)) return true;
    this.#wrong.push({ field: name, allowed: rule.allowed });
    return false;
  }
}
