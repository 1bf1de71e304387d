/** Assigns refunds that were made elsewhere to captures, and chooses the capture for our own refund. */
import { describe, expect, it } from 'vitest';
import { chooseCapture, placeDrawn, type OpenCapture } from '../../domain/payment/captures.js';

const captures = [
  { id: 'c1', amountMinor: 6_000n },
  { id: 'c2', amountMinor: 4_000n },
];
const placed = (
  drawn: readonly (readonly [string | null, bigint])[],
  own: Readonly<Record<string, bigint>> = {},
): readonly (readonly [string, bigint, bigint])[] =>
  placeDrawn(
    captures,
    drawn.map(([referencedId, amountMinor]) => ({ referencedId, amountMinor })),
    (id) => own[id] ?? 0n,
  ).map(({ id, certainMinor, doubtfulMinor }) => [id, certainMinor, doubtfulMinor]);

describe('a refund made elsewhere', () => {
  it.each<[string, Parameters<typeof placed>, ReturnType<typeof placed>]>([
    [
      'belongs to the capture that it names',
      [[['c2', 1_000n]]],
      [
        ['c1', 0n, 0n],
        ['c2', 1_000n, 0n],
      ],
    ],
    [
      'that names nothing belongs to the only capture that had enough',
      [[[null, 5_000n]]],
      [
        ['c1', 5_000n, 0n],
        ['c2', 0n, 0n],
      ],
    ],
    [
      'that names the payment may belong to each capture that had enough',
      [[['payment', 4_000n]]],
      [
        ['c1', 0n, 4_000n],
        ['c2', 0n, 4_000n],
      ],
    ],
    [
      'cannot belong to a capture that our own refunds have emptied',
      [[[null, 3_000n]], { c1: 5_000n }],
      [
        ['c1', 0n, 0n],
        ['c2', 3_000n, 0n],
      ],
    ],
    [
      'is assigned after a larger one, which fits fewer captures',
      [
        [
          [null, 2_000n],
          [null, 6_000n],
        ],
      ],
      [
        ['c1', 6_000n, 0n],
        ['c2', 2_000n, 0n],
      ],
    ],
    [
      'larger than every capture may belong to any',
      [[[null, 9_000n]]],
      [
        ['c1', 0n, 9_000n],
        ['c2', 0n, 9_000n],
      ],
    ],
  ])('%s', (_name, fixture, expected) => {
    expect(placed(...fixture)).toEqual(expected);
  });
});

describe('a refund goes to', () => {
  const open = (id: string, leftMinor: bigint, doubtfulMinor = 0n): OpenCapture => ({
    ...{ id, ownLeftMinor: leftMinor, leftMinor, doubtfulMinor },
  });
  it.each<[string, readonly OpenCapture[], string | null, bigint, ReturnType<typeof chooseCapture>]>([
    [
      'the capture with the largest remainder',
      [open('c1', 10n), open('c2', 40n)],
      null,
      30n,
      { id: 'c2', amountMinor: 30n },
    ],
    ['the requested capture', [open('c1', 10n), open('c2', 40n)], 'c1', 30n, { id: 'c1', amountMinor: 10n }],
    [
      'another capture if that one is empty',
      [open('c1', 0n), open('c2', 40n)],
      'c1',
      30n,
      { id: 'c2', amountMinor: 30n },
    ],
    [
      'the capture that certainly has the largest remainder',
      [open('c1', 60n, 60n), open('c2', 40n, 10n)],
      null,
      40n,
      { id: 'c2', amountMinor: 30n },
    ],
    [
      'the capture that may have the largest remainder if none certainly has any',
      [open('c1', 60n, 60n), open('c2', 40n, 60n)],
      null,
      40n,
      { id: 'c1', amountMinor: 40n },
    ],
    ['the first of equals', [open('c2', 40n), open('c1', 40n)], null, 40n, { id: 'c1', amountMinor: 40n }],
    ['none where all are empty', [open('c1', 0n), open('c2', -5n)], null, 40n, undefined],
    ['none where there is none', [], null, 40n, undefined],
  ])('%s', (_name, fixture, askedFor, owed, expected) => {
    expect(chooseCapture(fixture, askedFor, owed)).toEqual(expected);
  });
});
