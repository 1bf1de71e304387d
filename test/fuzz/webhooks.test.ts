/** Fuzzes webhooks: only encryption with the right key is accepted, and garbage never becomes a success. */
import { describe, expect, it } from 'vitest';
import { outcomeOfSend } from '../../domain/refund/outcome.js';
import { Secret } from '../../domain/secret.js';
import { interpret } from '../../gateway/oppwa/transaction.js';
import { createWebhookReader, type SealedWebhook } from '../../gateway/oppwa/webhook.js';
import { encryptWebhook } from '../../sandbox/gateway/webhooks.js';
import type { Random } from '../simulation/harness/random.js';
import { fuzz, holds, inTier } from './fuzz.js';
import { FIXTURE, TEXTS } from './fixture-answers.js';
import { changed, edited, noise, written } from './mutations.js';
import { isKeepable, isMembers, provesDone } from './second-opinion.js';
import { strictJson } from './strict-json.js';

const ENTITIES = ['1', '2'].map((digit) => digit.repeat(32));
const [FIRST = '', SECOND = ''] = ENTITIES;
const KEYS = ['ab', 'cd'].map((pair) => pair.repeat(32));
const [KEY = '', OTHER_KEY = ''] = KEYS;
const STRANGE_KEY = 'ef'.repeat(32);

const read = createWebhookReader(
  new Map([
    [FIRST, [new Secret(KEY)]],
    [SECOND, [new Secret(OTHER_KEY)]],
  ]),
);

const texts: readonly [unknown, ...unknown[]] = [FIRST, SECOND, 'TEST', 'PAYMENT', 'RISK', ...TEXTS];

interface Sent {
  readonly clear: string;
  readonly iv: string;
  readonly tag: string;
  readonly body: string;
}

function seal(random: Random, key: string, message: unknown): Sent {
  let now = message;
  for (let times = random.between(0, 3); times > 0; times -= 1) now = changed(random, now, texts);
  const clear = random.chance(0.03) ? noise(random) : written(random, now);
  const { headers, body } = encryptWebhook(
    key,
    clear,
    random.chance(0.5) ? 'none' : 'json',
    Buffer.from(random.hex(24), 'hex'),
  );
  const header = (name: string): string => headers[name] ?? '';
  return { clear, iv: header('x-initialization-vector'), tag: header('x-authentication-tag'), body };
}

/** Changes something in an encrypted webhook. */
function tampered(random: Random, sent: Sent): Sent {
  const part = random.pick(['iv', 'tag', 'body'] as const);
  const text = sent[part];
  const at = random.between(0, text.length - 1);
  const digit = random.chance(0.6)
    ? text.slice(0, at) + random.pick(['0', '7', 'F']) + text.slice(at + 1)
    : random.chance(0.5)
      ? edited(random, text)
      : noise(random);
  return { ...sent, [part]: digit };
}

const sealedOf = ({ iv, tag, body }: Sent): SealedWebhook => ({
  initializationVector: iv,
  authenticationTag: tag,
  body: Buffer.from(body),
});

/** Returns the bytes that the texts encode. */
function bytesOf({ iv, tag, body }: Sent): string {
  const wrapper = strictJson(body.trim());
  const inside = isMembers(wrapper) ? wrapper.get('encryptedBody') : body;
  return [iv, tag, (typeof inside === 'string' ? inside : '').trim()].join(' ').toLowerCase();
}

describe('a webhook', () => {
  it('is accepted only as it was encrypted with a key of its entity, and proves no more than a second reader finds in it', async () => {
    const seen: Record<string, number> = {};
    const count = (what: string) => (seen[what] = (seen[what] ?? 0) + 1);
    await fuzz(inTier(200_000), (random) => {
      const { body: payload, expected } = random.pick(FIXTURE);
      const key = random.pick([KEY, KEY, OTHER_KEY, STRANGE_KEY]);
      const entityId = random.pick([FIRST, FIRST, SECOND]);
      const message = { type: 'PAYMENT', payload: { ...payload, authentication: { entityId } } };
      const right = seal(random, key, message);
      const sent = random.chance(0.3) ? tampered(random, right) : right;
      const reading = read(sealedOf(sent));
      count(reading.kind === 'read' ? 'read' : reading.why);
      if (reading.kind !== 'read') return;
      holds(key !== STRANGE_KEY, 'A webhook without the right key is accepted.', sent);
      holds(bytesOf(sent) === bytesOf(right), 'It is not the encrypted message.', [sent, right]);
      const { notification } = reading;
      const owner = key === KEY ? FIRST : SECOND;
      holds(
        notification.entityId === null || notification.entityId === owner,
        'It is accepted for another entity.',
        sent,
      );
      if (notification.transaction === null) return;
      count('transaction');
      holds(isKeepable(JSON.stringify(notification.transaction)), 'A text that no database stores.', sent);
      const outcome = outcomeOfSend(
        {
          kind: 'answered',
          httpStatus: 200,
          transaction: interpret(notification.transaction, expected.host),
        },
        expected,
      );
      if (outcome.kind !== 'succeeded' || sent.clear.split(/[{[]/).length > 400) return;
      count('succeeded');
      const reported = strictJson(sent.clear);
      holds(
        isMembers(reported) && provesDone(reported.get('payload'), expected),
        'A success that it does not prove.',
        sent,
      );
    });
    for (const what of ['read', 'malformed', 'undecryptable', 'foreign_entity', 'transaction', 'succeeded'])
      expect([what, (seen[what] ?? 0) > 0]).toEqual([what, true]);
  }, 600_000);
});
