/** A secret is revealed by one method only. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../domain/secret.js';

describe('a secret', () => {
  const number = '4200000000000000';
  const secret = new Secret(number);

  it('returns its value from reveal', () => {
    expect(secret.reveal()).toBe(number);
  });

  it.each([
    ['String()', () => String(secret)],
    ['a template literal', () => `${String(secret)} ${secret.toString()}`],
    ['concatenation', () => 'a ' + secret.toString() + [secret].join()],
    ['JSON', () => JSON.stringify({ card: { number: secret } })],
    ['inspect', () => inspect({ card: { number: secret } }, { depth: 9, showHidden: true })],
    ['inspect of the bare secret', () => inspect(secret, { showHidden: true })],
    ['its own keys', () => JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret), '[secret]'])],
    ['a structured clone', () => inspect(structuredClone({ secret }), { depth: 9 }) + '[secret]'],
  ])('does not show in %s', (_operation, show) => {
    expect(show()).not.toContain(number);
    expect(show()).toContain('[secret]');
  });
});
