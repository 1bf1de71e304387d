/** A secret is given out by one method and by nothing else. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../domain/secret.js';

describe('a secret', () => {
  const number = '4200000000000000';
  const secret = new Secret(number);

  it('gives its value to whoever reveals it', () => {
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
