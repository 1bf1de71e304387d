/** Names of principals: how they are stored, when two names mean one principal, and which are reserved. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeName, principalKey, readName } from '../../domain/names.js';

const character = (code: number): string => String.fromCodePoint(code);

describe('a name', () => {
  it.each([
    'a',
    'Anna Müller',
    'refund shop 7',
    '山田',
    '😀',
    'x'.repeat(255),
    'auth0|5f7c8ec7c33c6c004bbafe82',
    'maria@example.org',
  ])('may be %j', (name) => {
    expect(readName(name)).toBe(name);
  });

  it.each([
    ['mari\u200Ba', 'maria'],
    ['\ufeffmaria', 'maria'],
    ['maria\u00ad', 'maria'],
    ['mar\u2060ia', 'maria'],
    ['ma\u202eria', 'maria'],
    ['maria\u{e0061}', 'maria'],
    ['mari\u034fa', 'maria'],
    ['ma\u3164ria', 'maria'],
    [' maria ', 'maria'],
    ['anna  \u00a0 maria', 'anna maria'],
    ['anna\u3000maria', 'anna maria'],
    ['ｍａｒｉａ', 'maria'],
    ['ﬁona', 'fiona'],
    ['Mu\u0308ller', 'Müller'],
    ['Mu\u200b\u0308ller', 'Müller'],
  ])('%j is kept as %j', (fixture, kept) => {
    expect(readName(fixture)).toBe(kept);
  });

  it.each([
    '',
    ' ',
    '\u200b',
    '\u3164',
    'anna\n',
    'an\u0000na',
    'an\u007fna',
    'an\u0085na',
    'a\ud800',
    'a\ue000',
    'x'.repeat(256),
    '\ufdfa'.repeat(20),
    undefined,
    null,
    7,
    ['anna'],
  ])('may not be %j', (fixture) => {
    expect(readName(fixture)).toBeUndefined();
  });

  it.each([
    'system',
    'System',
    'SYSTEM',
    ' system ',
    'sys\u200btem',
    'ｓｙｓｔｅｍ',
    'ѕуѕtеm',
    'gateway',
    'answer',
    'query',
    'notification',
    'cancellation',
    'sweep',
    'cli',
  ])('is reserved: %j', (fixture) => {
    expect(readName(fixture)).toBeUndefined();
    expect(normalizeName(fixture)).toBeDefined();
  });

  it.each(['operator', 'approver'])(
    'is not reserved: %j, which the program never writes as an actor',
    (name) => {
      expect(readName(name)).toBe(name);
    },
  );

  it('is stored unchanged if it was stored before', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0x20, max: 0x10ffff }), { maxLength: 12 }), (codes) => {
        const fixture = codes.map(character).join('');
        const name = normalizeName(fixture);
        return name === undefined || normalizeName(name) === name;
      }),
      { numRuns: 500 },
    );
  });
});

describe('two names', () => {
  it.each(['maria', 'Maria', ' MARIA', 'mari\u200Ba', 'm\u0430ria', 'ｍaria', 'maria\u{e0061}', 'mаrіа'])(
    'are one principal: maria and %j',
    (other) => {
      expect(principalKey(other)).toBe(principalKey('maria'));
    },
  );

  it.each([
    ['STRASSE', 'straße'],
    ['ΣΟΦΟΣ', 'σοφος'],
    ['ŒUVRE', 'œuvre'],
    ['Anna Maria', 'anna   maria'],
    ['maría', 'marίa'],
    ['müller', 'mϋller'],
    ['maria', 'mɑriɑ'],
    ['helen', 'հelen'],
    ['ines', 'ıneꜱ'],
    ['joão', 'jоãо'],
  ])('are one principal: %j and %j', (one, other) => {
    expect(principalKey(one)).toBe(principalKey(other));
  });

  it.each([
    ['anna', 'anne'],
    ['müller', 'muller'],
    ['anna maria', 'annamaria'],
    ['desk 1', 'desk 2'],
  ])('are two principals: %j and %j', (one, other) => {
    expect(principalKey(one)).not.toBe(principalKey(other));
  });

  it('are one principal if one is the key of the other', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0x20, max: 0x10ffff }), { maxLength: 12 }), (codes) => {
        const name = normalizeName(codes.map(character).join(''));
        return name === undefined || principalKey(principalKey(name)) === principalKey(name);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are one principal with invisible characters in between', () => {
    const invisible = fc.constantFrom(
      ...[
        0x200b, 0x200c, 0x200d, 0x200e, 0x202a, 0x2060, 0x2066, 0xfeff, 0xad, 0x61c, 0x180e, 0xfe0f, 0xe0020,
      ].map(character),
    );
    fc.assert(
      fc.property(fc.nat(5), invisible, (at, extra) => {
        expect(principalKey(`${'maria'.slice(0, at)}${extra}${'maria'.slice(at)}`)).toBe(
          principalKey('maria'),
        );
      }),
    );
  });
});
