/** The check that names and doc comments follow the glossary. */
import { expect, it } from 'vitest';
import { wordFaults } from '../../tools/words.js';

const textsOf = (file: string, text: string): readonly string[] =>
  wordFaults(file, text).map((fault) => `${fault.at} ${fault.text}`);

it.each([
  ['a variable', 'const storyOf = 1;', 'ledger/a.ts:1 storyOf: "story" → timeline'],
  [
    'a property',
    'interface A {\n  readonly isFreeStanding: boolean;\n}',
    'ledger/a.ts:2 isFreeStanding: "free standing" → unlinked',
  ],
  ['a private member', 'class A {\n  #desk = 1;\n}', 'ledger/a.ts:2 desk: "desk" → message handlers'],
  ['a constant', 'const MISSES_NEEDED = 3;', 'ledger/a.ts:1 MISSES_NEEDED: "misses" → not-found count'],
])('finds the word in %s', (_, text, fault) => {
  expect(textsOf('ledger/a.ts', text)).toEqual([fault]);
});

it('finds it in a column and in the name of a file', () => {
  expect(
    textsOf('ledger/migrations/upkeep.sql', 'CREATE TABLE look_ups (\n  told_at text -- told\n);'),
  ).toEqual([
    'ledger/migrations/upkeep.sql upkeep.sql: "upkeep" → maintenance',
    'ledger/migrations/upkeep.sql:1 look_ups: "look" → query',
    'ledger/migrations/upkeep.sql:2 told_at: "told" → reported, received or notified',
  ]);
});

it.each(['What', 'Whoever', 'Where', 'That', 'Nobody', 'Somebody'])(
  'finds a doc comment that begins with %s',
  (opening) => {
    expect(textsOf('ledger/a.ts', `const a = 1;\n/**\n * ${opening} is stored. */\nconst b = 2;`)).toEqual([
      `ledger/a.ts:2 a doc comment begins with "${opening}": begin with what it does`,
    ]);
  },
);

it('lets pass the terms of the field, names that a library demands, and texts', () => {
  const text =
    "/** Returns the snapshot. That is all. */\nconst keepAliveTimeout = 'away'; // nobody\nconst password = 1;";
  expect(textsOf('ledger/a.ts', text)).toEqual([]);
  expect(textsOf('sandbox/gateway/a.ts', 'const redirect = 1;')).toEqual([]);
  expect(textsOf('domain/a.ts', 'const redirect = 1;')).toHaveLength(1);
});
