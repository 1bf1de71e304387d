/** Fuzzes the bodies, queries and headers of the API: the schemas accept or refuse each, and accept nothing that may not be stored. */
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  approvalBody,
  changeDestinationBody,
  correctBody,
  linkBody,
  replayBody,
  noteBody,
} from '../../server/api/command-schemas.js';
import {
  idempotencyHeaders,
  queueQuery,
  refundsQuery,
  searchQuery,
  streamHeaders,
  waitQuery,
} from '../../server/api/request-schemas.js';
import { fuzz, holds, inTier } from './fuzz.js';
import { ASKED, OTHER_TEXTS } from './fixture-bodies.js';
import { changed, odd } from './mutations.js';
import { CARD, isKeepable } from './second-opinion.js';

/** The schema of each body, a valid body, and the field names that it may have. */
const BODIES: readonly [readonly [z.ZodType, object], ...(readonly [z.ZodType, object])[]] = [
  [noteBody, ASKED.reject],
  [approvalBody, ASKED.approve],
  [linkBody, ASKED.link],
  [correctBody, ASKED.correct],
  [changeDestinationBody, ASKED['change-destination']],
  [replayBody, ASKED.replay],
];
const NAMES = [
  'reason',
  'ticket',
  'instruction',
  'gatewayId',
  'outcome',
  'evidence',
  'reference',
  'case',
].concat(['destination', 'dryRun', 'restart', 'runId']);

function leavesOf(value: unknown): readonly unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [value];
}

describe('the body of a command over HTTP', () => {
  it('is accepted only with a reason, in text that may be stored and contains no card', async () => {
    const acceptedBodies = new Set<object>();
    let refused = 0;
    await fuzz(inTier(200_000), (random) => {
      const [schema, right] = random.pick(BODIES);
      let body: unknown = random.chance(0.02) ? odd(random) : right;
      for (let times = random.between(0, 2); times > 0; times -= 1) body = changed(random, body, OTHER_TEXTS);
      const reading = schema.safeParse(body);
      if (!reading.success) {
        refused += 1;
        holds(reading.error.issues.length > 0, 'Refused without a reason.', body);
        return;
      }
      acceptedBodies.add(right);
      holds(typeof body === 'object' && body !== null, 'Accepted, and no object.', body);
      const accepted = new Map<string, unknown>(Object.entries(body));
      const reason = accepted.get('reason');
      holds(reason !== undefined || accepted.get('dryRun') === true, 'Accepted without a reason.', body);
      holds(
        reason === undefined || (typeof reason === 'string' && reason.trim() !== ''),
        'The reason is not a valid one.',
        body,
      );
      holds(
        Object.keys(body).every((name) => NAMES.includes(name)),
        'An unknown field was accepted.',
        body,
      );
      for (const leaf of leavesOf(reading.data)) {
        if (typeof leaf !== 'string') continue;
        holds(isKeepable(leaf) && leaf.length <= 2_000, 'A text that may not be stored.', body);
      }
      for (const name of ['reason', 'ticket', 'evidence'])
        holds(
          !CARD.test(String(new Map(Object.entries(body)).get(name))),
          'A card is stored in clear text.',
          body,
        );
    });
    // At least one body of each kind was accepted; otherwise the valid bodies were not valid.
    expect(acceptedBodies.size).toBe(BODIES.length);
    expect(refused).toBeGreaterThan(0);
  }, 600_000);
});

/** The schema of each query and header, and a valid value. */
const QUERIES: readonly [readonly [z.ZodType<object>, object], ...(readonly [z.ZodType<object>, object])[]] =
  [
    [
      refundsQuery,
      { status: 'review', state: 'reserved', paymentId: 'a'.repeat(32), stuck: 'true', limit: '50' },
    ],
    [refundsQuery, { cursor: '00000000-0000-7000-8000-000000000000' }],
    [queueQuery, { cursor: 'abc_-1', limit: '200' }],
    [searchQuery, { q: 'KHQDEW3SX4Y3D2Q8' }],
    [waitQuery, { wait: '60s' }],
    [streamHeaders, { 'last-event-id': '17' }],
    [idempotencyHeaders, { 'idempotency-key': 'order-4711' }],
  ];
const OTHER_QUERIES: readonly [unknown, ...unknown[]] = [
  '0',
  '1',
  '201',
  '61s',
  '1e2',
  '0x10',
  ' 7',
  '',
  ['1', '2'],
];

describe('a query', () => {
  it('is read with its values within their bounds, or refused', async () => {
    let acceptedBodies = 0;
    let refused = 0;
    await fuzz(inTier(100_000), (random) => {
      const [schema, right] = random.pick(QUERIES);
      let query: unknown = right;
      for (let times = random.between(0, 2); times > 0; times -= 1)
        query = changed(random, query, OTHER_QUERIES);
      const reading = schema.safeParse(query);
      if (!reading.success) {
        refused += 1;
        holds(reading.error.issues.length > 0, 'Refused without a reason.', query);
        return;
      }
      acceptedBodies += 1;
      const read = new Map<string, unknown>(Object.entries(reading.data));
      const limit = read.get('limit');
      holds(
        limit === undefined || (Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= 200),
        'A page size out of bounds.',
        query,
      );
      const wait = read.get('wait') ?? '1s';
      const seconds = typeof wait === 'string' ? Number(wait.replace(/s$/, '')) : NaN;
      holds(seconds >= 1 && seconds <= 60, 'A wait out of bounds.', query);
      for (const name of ['q', 'cursor', 'paymentId', 'idempotency-key', 'last-event-id']) {
        const value = read.get(name);
        holds(
          value === undefined ||
            (typeof value === 'string' && value !== '' && value.length <= 255 && !value.includes('\u0000')),
          'A text that is not an id.',
          query,
        );
      }
    });
    expect(Math.min(acceptedBodies, refused)).toBeGreaterThan(0);
  }, 600_000);
});
