/** Fuzzes the gateway's answers: no crash, and no success, decline or absence that the body does not prove. */
import { describe, expect, it } from 'vitest';
import { readOriginal, type OriginalFacts } from '../../domain/payment/original.js';
import { outcomeOfFound } from '../../domain/refund/outcome.js';
import { readTransactionBody } from '../../gateway/oppwa/answer.js';
import { findByReference, findWithLinked } from '../../gateway/oppwa/queries.js';
import { outcomeOfSend, type Expectation, type OppwaSendResult } from '../support/as-oppwa.js';
import { fuzz, holds, inTier } from './fuzz.js';
import { FOUND, FIXTURE, PAYMENT, REFERENCE, TREES, TEXTS } from './fixture-answers.js';
import { DECIMALS, isOfAnotherCurrency, tenThousandths } from './fixture-requests.js';
import { changed, edited, noise, written } from './mutations.js';
import {
  amountOf,
  codeOf,
  DECISIVE,
  entriesOf,
  isDone,
  isFlagged,
  isKeepable,
  isMembers,
  isPending,
  mayRefuse,
  provesDone,
  provesPending,
} from './second-opinion.js';
import { strictJson, type JsonValue } from './strict-json.js';
import type { Random } from '../simulation/harness/random.js';

const STATUSES = [200, 200, 200, 200, 400, 404, 429, 500, 503] as const;

/** A valid answer with up to three changes, or noise. */
function garbled(random: Random, value: object): string {
  if (random.chance(0.03)) return noise(random);
  let now: unknown = value;
  for (let times = random.between(0, 3); times > 0; times -= 1) now = changed(random, now, TEXTS);
  const text = written(random, now);
  return random.chance(0.08) ? edited(random, text) : text;
}

/** True if the text nests too deep for the second reader. Then only the program reads it. */
const isDeep = (text: string): boolean => text.length > 1_500 && text.split(/[{[]/).length > 400;

function answered(body: string, httpStatus: number): OppwaSendResult {
  const read = readTransactionBody(body);
  return read.ok
    ? { kind: 'answered', httpStatus, transaction: read.value }
    : { kind: 'no_answer', why: read.why, httpStatus };
}

/** Returns every text in a value. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

describe('an answer to an order', () => {
  it('is a success, pending or a decline exactly if a second reader finds it proved', async () => {
    const seen = { succeeded: 0, pending: 0, rejected: 0, unknown: 0, not_sent: 0 };
    await fuzz(inTier(120_000), (random) => {
      const { body: right, expected } = random.pick(FIXTURE);
      const body = garbled(random, right);
      const sent = answered(body, random.pick(STATUSES));
      const outcome = outcomeOfSend(sent, expected);
      seen[outcome.kind] += 1;
      holds(textsIn(sent).every(isKeepable), 'A text that no database stores was accepted.', body);
      if (isDeep(body)) return;
      const reported = strictJson(body);
      const context = { body, outcome };
      if (sent.kind === 'answered')
        holds(
          isMembers(reported) &&
            DECISIVE.every((name) => (reported.get(name) ?? undefined) === sent.transaction[name]),
          'It is stored differently from the answer.',
          context,
        );
      holds(
        (outcome.kind === 'succeeded') === provesDone(reported, expected),
        'Success and proof differ.',
        context,
      );
      holds(
        (outcome.kind === 'pending') === provesPending(reported, expected),
        'Pending and proof differ.',
        context,
      );
      if (outcome.kind === 'rejected')
        holds(mayRefuse(reported, expected), 'A decline that the answer does not prove.', context);
      if (outcome.kind === 'succeeded')
        holds(
          isMembers(reported) &&
            reported.get('id') === outcome.gatewayId &&
            outcome.flagged === isFlagged(codeOf(reported) ?? ''),
          'The success is of another transaction.',
          context,
        );
    });
    // A fuzzer whose inputs are all refused proves little.
    expect(Math.min(seen.succeeded, seen.pending, seen.rejected, seen.unknown)).toBeGreaterThan(0);
  }, 600_000);
});

describe('an answer to a query', () => {
  const expected = FIXTURE[0].expected;

  it('by our reference reports a success or an absence only if a second reader sees it', async () => {
    const seen: Record<string, number> = {};
    await fuzz(inTier(60_000), async (random) => {
      const served: { readonly path: string; readonly status: number; readonly body: string }[] = [];
      const found = await findByReference(
        {
          entityId: 'e'.repeat(32),
          host: expected.host,
          finishBy: 0,
          get: async (path) => {
            const one = {
              path: path.slice(0, 4),
              status: random.pick(STATUSES),
              body: garbled(random, random.pick(FOUND)),
            };
            served.push(one);
            return { kind: 'answered', httpStatus: one.status, body: one.body };
          },
        },
        REFERENCE,
      );
      seen[found.kind] = (seen[found.kind] ?? 0) + 1;
      holds(textsIn(found).every(isKeepable), 'A text that no database stores was accepted.', served);
      if (served.some(({ body }) => isDeep(body))) return;
      const reported = served.map(({ status, body }) => ({ status, body: strictJson(body) }));
      if (found.kind === 'not_found')
        holds(reported.some(showsNothing), 'No answer says that there is nothing.', served);
      if (found.kind !== 'found') return;
      const outcome = outcomeOfFound(found.value, expected);
      // The answer of a version that is not offered says nothing about our order, whatever it quotes.
      const version = served.at(-1)?.path;
      const ours = reported
        .filter((_answer, nth) => served[nth]?.path === version)
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
          holds(done.size === 1, 'Money that left twice is called one success.', context);
          holds(!ours.some((entry) => contradicts(entry, expected)), 'A contradiction is ignored.', context);
          holds(done.has(outcome.gatewayId), 'The success is of another transaction.', context);
          break;
        case 'pending':
          seen['pending'] = (seen['pending'] ?? 0) + 1;
          holds(done.size === 0, 'Money that left is called pending.', context);
          holds(!ours.some((entry) => contradicts(entry, expected)), 'A contradiction is ignored.', context);
          holds(
            ours.some((entry) => provesPending(entry, expected)),
            'Pending, and no answer says so.',
            context,
          );
          break;
        case 'rejected':
          holds(
            ours.some((entry) => mayRefuse(entry, expected)),
            'A decline that the answers do not prove.',
            context,
          );
          break;
        case 'unknown':
          if (outcome.why === 'found_twice') seen['twice'] = (seen['twice'] ?? 0) + 1;
          break;
        case 'no_match':
          break;
        case 'not_sent':
          holds(false, 'A query cannot know that.', context);
          break;
        default:
          outcome satisfies never;
      }
    });
    for (const what of ['succeeded', 'pending', 'twice', 'not_found', 'unavailable'])
      expect([what, (seen[what] ?? 0) > 0]).toEqual([what, true]);
  }, 600_000);

  it('of a payment never shows more captured, or less returned, than it contains', async () => {
    const seen: Record<string, number> = {};
    await fuzz(inTier(60_000), async (random) => {
      const served: string[] = [];
      const found = await findWithLinked(
        {
          entityId: 'e'.repeat(32),
          host: 'live',
          finishBy: 0,
          get: async () => {
            const body = garbled(random, random.pick(TREES));
            served.push(body);
            return { kind: 'answered', httpStatus: random.pick(STATUSES), body };
          },
        },
        PAYMENT,
      );
      if (found.kind !== 'found') return;
      const reading = readOriginal(found.value, { observedAt: new Date(0), coversCaptures: false });
      seen[reading.kind] = (seen[reading.kind] ?? 0) + 1;
      if (reading.kind !== 'read' || served.some(isDeep)) return;
      const { facts } = reading;
      const entries = served.flatMap((body) => entriesOf(strictJson(body)));
      const context = { served, facts: { ...facts, captures: facts.captures.length } };

      // A capture that is listed twice, under the authorization and by itself, was taken once.
      const taken = new Map<JsonValue | undefined, bigint>();
      for (const entry of entries.filter(tookMoney)) {
        const [id, amount] = [inLowerCase(entry.get('id')), amountOf(entry) ?? 0n];
        if (amount >= (taken.get(id) ?? 0n)) taken.set(id, amount);
      }
      const most = [...taken.values()].reduce((sum, amount) => sum + amount, 0n);
      const whole = amountOf(entries.find((entry) => entry.get('id') === PAYMENT)) ?? 0n;
      const isReported = entries.some((entry) => entry.get('currency') === facts.currency);
      holds(isReported, 'A currency that is in no answer.', context);
      if (isOfAnotherCurrency(facts)) return;
      holds(Object.hasOwn(DECIMALS, facts.currency), 'It is not a currency.', context);
      const scale = tenThousandths(facts.currency);
      holds(facts.capturedMinor * scale <= most, 'More was captured than any entry shows.', context);
      holds(facts.id === PAYMENT, 'It is another payment.', context);
      for (const entry of entries) {
        // The same id in upper case is the same transaction.
        const id = inLowerCase(entry.get('id'));
        const code = codeOf(entry);
        const type = entry.get('paymentType');
        const twins = entries.filter((other) => inLowerCase(other.get('id')) === id);
        if (typeof id !== 'string' || id === facts.id || twins.length > 1 || code === undefined) continue;
        // Without an amount, or with an amount that cannot be compared, it may be the whole payment.
        const isComparable = (entry.get('currency') ?? facts.currency) === facts.currency;
        const least = isComparable ? (amountOf(entry) ?? whole) : whole;
        if (type === 'CB') {
          seen['disputed'] = (seen['disputed'] ?? 0) + 1;
          const shown = facts.disputes.find((one) => inLowerCase(one.id) === id);
          // A declined chargeback took nothing and does not count.
          if (shown === undefined && !isDone(code, 'live') && !isPending(code) && !isChargeback(code))
            continue;
          holds(shown !== undefined, 'A chargeback is not seen.', context);
          holds(shown.amountMinor * scale >= least, 'Less is seen than was disputed.', context);
          holds(
            shown.reversedMinor === 0n || entries.some((other) => mayEnd(other, id, facts)),
            'A chargeback counts as reversed without a reversal.',
            context,
          );
        }
        if (type !== 'RF' && type !== 'RV') continue;
        const shown = facts.returns.find((one) => inLowerCase(one.id) === id);
        if (code === DECLINED) holds(shown === undefined, 'A decline counts as money returned.', context);
        if (!isDone(code, 'live')) continue;
        holds(shown !== undefined, 'Returned money is not seen.', context);
        holds(shown.amountMinor * scale >= least, 'Less is seen than was returned.', context);
      }
    });
    for (const what of ['read', 'unreadable', 'disputed'])
      expect([what, (seen[what] ?? 0) > 0]).toEqual([what, true]);
  }, 600_000);
});

/** A decline of the acquirer in every table of the vendor. */
const DECLINED = '800.100.152';
const isChargeback = (code: string): boolean => code.startsWith('000.100.2');
const inLowerCase = (id: JsonValue | undefined): JsonValue | undefined =>
  typeof id === 'string' ? id.toLowerCase() : id;

/** True for a debit that is not declined, and for a capture that is done. */
function tookMoney(entry: ReadonlyMap<string, JsonValue>): boolean {
  const [type, code] = [entry.get('paymentType'), codeOf(entry)];
  if (type === 'CP') return code !== undefined && isDone(code, 'live');
  return type === 'DB' && code !== DECLINED;
}

/** True if the entry may end the chargeback: it refers to the chargeback, the payment, a capture, or to nothing. */
function mayEnd(entry: ReadonlyMap<string, JsonValue>, chargebackId: string, facts: OriginalFacts): boolean {
  const referenced = inLowerCase(entry.get('referencedId') ?? null);
  return (
    entry.get('paymentType') === 'CR' &&
    (referenced === null ||
      [chargebackId, facts.id, ...facts.captures.map(({ id }) => id)].some((id) => id === referenced))
  );
}

/** True if the entry, under our reference and of our type or none, moves money, but not the money that was ordered. */
function contradicts(entry: ReadonlyMap<string, JsonValue>, expected: Expectation): boolean {
  const [type, code] = [entry.get('paymentType') ?? 'RF', codeOf(entry)];
  return (
    type === 'RF' &&
    code !== undefined &&
    (isDone(code, expected.host) || isPending(code)) &&
    !provesDone(entry, expected) &&
    !provesPending(entry, expected)
  );
}

/** True for the gateway's code for "nothing found", or an empty list beside the code of a request that succeeded. */
function showsNothing({ status, body }: { status: number; body: JsonValue | undefined }): boolean {
  if (!isMembers(body)) return false;
  const code = codeOf(body);
  if (code === '700.400.580') return status < 500;
  const lists = ['records', 'payments', 'transactions'].map((name) => body.get(name)).filter(Array.isArray);
  return lists.length > 0 && lists.every((list) => list.length === 0) && code?.startsWith('000.') === true;
}
