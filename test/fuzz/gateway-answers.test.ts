/** Whatever a gateway answers: no crash, and no success, refusal or absence that the body does not prove. */
import { describe, expect, it } from 'vitest';
import { readOriginal } from '../../domain/original.js';
import { outcomeOfFound, outcomeOfSend } from '../../domain/outcome.js';
import type { SendResult } from '../../domain/transaction.js';
import { readTransactionBody } from '../../gateway/answer.js';
import { findByReference, findWithLinked } from '../../gateway/look-ups.js';
import { fuzz, holds } from './fuzz.js';
import { FOUND, GIVEN, PAYMENT, REFERENCE, TREES, WORDS } from './given-answers.js';
import { changed, edited, noise, written } from './mutations.js';
import {
  codeOf,
  entriesOf,
  isDone,
  isFlagged,
  isKeepable,
  isMembers,
  mayRefuse,
  provesDone,
  provesPending,
  worth,
} from './second-opinion.js';
import { strictJson, type Told } from './strict-json.js';
import type { Random } from '../simulation/world/random.js';

const STATUSES = [200, 200, 200, 200, 400, 404, 429, 500, 503] as const;

/** One that was right, changed up to three times; or no form at all. */
function garbled(random: Random, value: object): string {
  if (random.chance(0.03)) return noise(random);
  let now: unknown = value;
  for (let times = random.between(0, 3); times > 0; times -= 1) now = changed(random, now, WORDS);
  const text = written(random, now);
  return random.chance(0.08) ? edited(random, text) : text;
}

/** Too deep for the second opinion, which is then not asked; the program is. */
const isDeep = (text: string): boolean => text.length > 1_500 && text.split(/[{[]/).length > 400;

function answered(body: string, httpStatus: number): SendResult {
  const read = readTransactionBody(body);
  return read.ok
    ? { kind: 'answered', httpStatus, transaction: read.value }
    : { kind: 'no_answer', why: read.why, httpStatus };
}

/** Every text in a value. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

describe('an answer to an order', () => {
  it('is a success, a promise or a refusal exactly where a second reader finds it proved, in 120,000 bodies', async () => {
    const seen = { succeeded: 0, pending: 0, rejected: 0, unknown: 0, not_sent: 0 };
    await fuzz(120_000, (random) => {
      const { body: right, expected } = random.pick(GIVEN);
      const body = garbled(random, right);
      const sent = answered(body, random.pick(STATUSES));
      const outcome = outcomeOfSend(sent, expected);
      seen[outcome.kind] += 1;
      holds(textsIn(sent).every(isKeepable), 'A text that no database keeps came through.', body);
      if (isDeep(body)) return;
      const told = strictJson(body);
      const context = { body, outcome };
      holds(
        (outcome.kind === 'succeeded') === provesDone(told, expected),
        'Success and proof differ.',
        context,
      );
      holds(
        (outcome.kind === 'pending') === provesPending(told, expected),
        'Promise and proof differ.',
        context,
      );
      if (outcome.kind === 'rejected') holds(mayRefuse(told, expected), 'A refusal that is none.', context);
      if (outcome.kind === 'succeeded')
        holds(
          isMembers(told) &&
            told.get('id') === outcome.gatewayId &&
            outcome.flagged === isFlagged(codeOf(told) ?? ''),
          'The success is of another transaction.',
          context,
        );
    });
    // A fuzzer that is only ever turned away proves little.
    expect(Math.min(seen.succeeded, seen.pending, seen.rejected, seen.unknown)).toBeGreaterThan(0);
  }, 600_000);
});

describe('an answer to a look-up', () => {
  const expected = GIVEN[0].expected;

  it('by our reference tells of a success or of nothing there only where a second reader sees it, in 60,000 answers', async () => {
    const seen: Record<string, number> = {};
    await fuzz(60_000, async (random) => {
      const served: { readonly status: number; readonly body: string }[] = [];
      const found = await findByReference(
        async () => {
          const one = { status: random.pick(STATUSES), body: garbled(random, random.pick(FOUND)) };
          served.push(one);
          return { kind: 'answered', httpStatus: one.status, body: one.body };
        },
        'e'.repeat(32),
        REFERENCE,
        0,
      );
      seen[found.kind] = (seen[found.kind] ?? 0) + 1;
      holds(textsIn(found).every(isKeepable), 'A text that no database keeps came through.', served);
      if (served.some(({ body }) => isDeep(body))) return;
      const told = served.map(({ status, body }) => ({ status, body: strictJson(body) }));
      if (found.kind === 'not_found')
        holds(told.some(saysNothingThere), 'Nobody said that there is nothing.', served);
      if (found.kind !== 'found') return;
      const outcome = outcomeOfFound(found.value, expected);
      const ours = told
        .flatMap(({ body }) => entriesOf(body))
        .filter((entry) => entry.get('merchantTransactionId') === REFERENCE);
      const done = new Set(
        ours.filter((entry) => provesDone(entry, expected)).map((entry) => entry.get('id')),
      );
      const context = { served, outcome };
      switch (outcome.kind) {
        case 'succeeded':
          seen['succeeded'] = (seen['succeeded'] ?? 0) + 1;
          holds(done.size > 0, 'A success that nothing proves.', context);
          holds(done.has(outcome.gatewayId), 'The success is of another transaction.', context);
          break;
        case 'pending':
          holds(
            ours.some((entry) => provesPending(entry, expected)),
            'A promise that nobody made.',
            context,
          );
          break;
        case 'rejected':
          holds(
            ours.some((entry) => mayRefuse(entry, expected)),
            'A refusal that is none.',
            context,
          );
          break;
        case 'unknown':
        case 'no_match':
          break;
        case 'not_sent':
          holds(false, 'A look-up cannot know that.', context);
          break;
        default:
          outcome satisfies never;
      }
    });
    expect(seen['succeeded']).toBeGreaterThan(0);
    expect(seen['not_found']).toBeGreaterThan(0);
    expect(seen['unavailable']).toBeGreaterThan(0);
  }, 600_000);

  it('of a payment never shows more captured, or less given back, than stands in it, in 60,000 answers', async () => {
    const seen: Record<string, number> = {};
    await fuzz(60_000, async (random) => {
      const served: string[] = [];
      const found = await findWithLinked(
        async () => {
          const body = garbled(random, random.pick(TREES));
          served.push(body);
          return { kind: 'answered', httpStatus: random.pick(STATUSES), body };
        },
        'e'.repeat(32),
        PAYMENT,
        0,
      );
      if (found.kind !== 'found') return;
      const reading = readOriginal(found.value, 'live');
      seen[reading.kind] = (seen[reading.kind] ?? 0) + 1;
      if (reading.kind !== 'read' || served.some(isDeep)) return;
      const { facts } = reading;
      const entries = served.flatMap((body) => entriesOf(strictJson(body)));
      const context = { served, facts: { ...facts, captures: facts.captures.length } };

      const most = entries.reduce(
        (sum, entry) => sum + (tookMoney(entry) ? (amountOf(entry) ?? 0n) : 0n),
        0n,
      );
      const scale = { EUR: 100n, JPY: 10_000n, KWD: 10n, USD: 100n }[facts.currency];
      holds(scale !== undefined, 'A currency that was in no answer.', context);
      holds(facts.capturedMinor * scale <= most, 'More was captured than any entry says.', context);
      holds(facts.id === PAYMENT, 'It is another payment.', context);
      for (const entry of entries) {
        const id = entry.get('id');
        const code = codeOf(entry);
        const type = entry.get('paymentType');
        const twins = entries.filter((other) => other.get('id') === id);
        if (typeof id !== 'string' || id === facts.id || twins.length > 1) continue;
        if (code === undefined || !isDone(code, 'live') || (type !== 'RF' && type !== 'RV')) continue;
        const shown = facts.returns.find((one) => one.id === id);
        holds(shown !== undefined, 'Money given back is not seen.', context);
        if (entry.get('currency') !== facts.currency) continue;
        holds(
          shown.amountMinor * scale >= (amountOf(entry) ?? 0n),
          'Less is seen than was given back.',
          context,
        );
      }
    });
    expect(seen['read']).toBeGreaterThan(0);
    expect(seen['unreadable']).toBeGreaterThan(0);
  }, 600_000);
});

/** A debit, or a capture, that is not refused. */
function tookMoney(entry: ReadonlyMap<string, Told>): boolean {
  const type = entry.get('paymentType');
  return type === 'DB' || type === 'CP';
}

function amountOf(entry: ReadonlyMap<string, Told>): bigint | undefined {
  const amount = entry.get('amount');
  return typeof amount === 'string' ? worth(amount) : undefined;
}

/** The gateway's own word for it, or an empty list beside the code of a request that succeeded. */
function saysNothingThere({ status, body }: { status: number; body: Told | undefined }): boolean {
  if (!isMembers(body)) return false;
  const code = codeOf(body);
  if (code === '700.400.580') return status < 500;
  const lists = ['records', 'payments', 'transactions'].map((name) => body.get(name)).filter(Array.isArray);
  return lists.length > 0 && lists.every((list) => list.length === 0) && code?.startsWith('000.') === true;
}
