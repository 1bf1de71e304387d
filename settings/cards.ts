/** Settings of sealed cards: the key-encryption keys, the key of fingerprints, and how long cards live. */
import { Secret } from '../domain/secret.js';
import type { CardKeySettings, LocalKey } from '../ledger/cards/key-provider.js';
import { keyIn, readKeyLines } from './key-file.js';
import type { Reading, SettingsProblem } from './problems.js';
import { readText } from './read-text.js';

export interface CardsSettings {
  readonly keys: CardKeySettings;
  /** Key of the fingerprints, by which limits find credits to one card. */
  readonly fingerprintKey: Secret<Buffer>;
  /** Milliseconds between the end of the last refund to a card and the end of its keys. */
  readonly graceMs: number;
  /** Milliseconds after which the keys of a card are destroyed, whatever happens. */
  readonly maxAgeMs: number;
}

const EXAMPLES = {
  REFUNDS_CARDS_KEYS_FILE:
    '/run/secrets/card-keys, with lines id:base64, from: echo "k1:$(openssl rand -base64 32)"',
  REFUNDS_CARDS_KMS_KEY_ID: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  REFUNDS_CARDS_FINGERPRINT_KEY_FILE: '/run/secrets/card-fingerprint-key, from: openssl rand -base64 32',
  REFUNDS_CARDS_GRACE: '7d',
  REFUNDS_CARDS_MAX_AGE: '90d',
} as const;
type Name = keyof typeof EXAMPLES;

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MOST_DAYS = 400;

/** Returns undefined as the value if no key is set: then cards are refused. */
export function readCards(
  variable: (name: string) => string | undefined,
): Reading<CardsSettings | undefined> {
  const problems: SettingsProblem[] = [];
  const wrong: Wrong = (name, problem) => {
    problems.push({ variable: name, problem, example: EXAMPLES[name] });
  };
  const localKeys = readKeys(variable('REFUNDS_CARDS_KEYS_FILE'), wrong);
  const kmsKeyIds = readKmsIds(variable('REFUNDS_CARDS_KMS_KEY_ID'), wrong);
  const fingerprintKey = readFingerprintKey(variable('REFUNDS_CARDS_FINGERPRINT_KEY_FILE'), wrong);
  const graceMs = readDuration(variable, 'REFUNDS_CARDS_GRACE', wrong);
  const maxAgeMs = readDuration(variable, 'REFUNDS_CARDS_MAX_AGE', wrong);
  if (maxAgeMs === 0) wrong('REFUNDS_CARDS_MAX_AGE', 'must be longer than 0');
  const isSealing = localKeys.length > 0 || kmsKeyIds.length > 0;
  if (problems.length > 0) return { ok: false, problems };
  if (!isSealing && fingerprintKey === undefined) return { ok: true, value: undefined };
  if (!isSealing)
    wrong(
      'REFUNDS_CARDS_KEYS_FILE',
      'is missing, and so is REFUNDS_CARDS_KMS_KEY_ID: one of them seals cards',
    );
  if (fingerprintKey === undefined)
    wrong('REFUNDS_CARDS_FINGERPRINT_KEY_FILE', 'is missing: the limits of credits to a card need it');
  else if (localKeys.some(({ key }) => key.reveal().equals(fingerprintKey)))
    wrong('REFUNDS_CARDS_FINGERPRINT_KEY_FILE', 'must hold a key of its own, not one that seals cards');
  if (fingerprintKey === undefined || graceMs === undefined || maxAgeMs === undefined || problems.length > 0)
    return { ok: false, problems };
  return {
    ok: true,
    value: {
      keys: { kmsKeyIds, localKeys },
      fingerprintKey: new Secret(fingerprintKey),
      graceMs,
      maxAgeMs,
    },
  };
}

type Wrong = (name: Name, problem: string) => void;

function readKeys(path: string | undefined, wrong: Wrong): readonly LocalKey[] {
  if (path === undefined) return [];
  const text = readText(path);
  const name = 'REFUNDS_CARDS_KEYS_FILE';
  if (text === undefined) wrong(name, 'names a file that cannot be read');
  const { keys, wrong: lines } = readKeyLines(text ?? '');
  for (const { line, why } of lines)
    wrong(
      name,
      `names a file whose line ${line} ${
        why === 'malformed'
          ? 'must be id:base64, with an id of letters and digits and a key of 32 bytes'
          : 'has an id that a line before it has'
      }`,
    );
  if (text !== undefined && keys.length === 0) wrong(name, 'names a file without a key');
  return keys.map(({ id, key }) => ({ id, key: new Secret(key) }));
}

function readKmsIds(text: string | undefined, wrong: Wrong): readonly string[] {
  const ids = (text ?? '').split(',').flatMap((id) => id.trim() || []);
  if (ids.some((id) => !/^[\w:/.-]{1,2048}$/.test(id)))
    wrong('REFUNDS_CARDS_KMS_KEY_ID', 'must be key ids or ARNs, separated by commas');
  if (new Set(ids).size < ids.length) wrong('REFUNDS_CARDS_KMS_KEY_ID', 'names a key twice');
  return ids;
}

function readFingerprintKey(path: string | undefined, wrong: Wrong): Buffer | undefined {
  if (path === undefined) return undefined;
  const text = readText(path);
  const name = 'REFUNDS_CARDS_FINGERPRINT_KEY_FILE';
  const key = keyIn(text?.trim() ?? '');
  if (text === undefined) wrong(name, 'names a file that cannot be read');
  else if (key === undefined) wrong(name, 'names a file that must hold 32 bytes in base64');
  return key;
}

function readDuration(
  variable: (name: string) => string | undefined,
  name: 'REFUNDS_CARDS_GRACE' | 'REFUNDS_CARDS_MAX_AGE',
  wrong: Wrong,
): number | undefined {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(variable(name) ?? EXAMPLES[name]) ?? [];
  const isUnit = unit === 's' || unit === 'm' || unit === 'h' || unit === 'd';
  const ms = isUnit ? Number(count) * UNITS[unit] : undefined;
  if (ms === undefined)
    wrong(name, 'must be a number of seconds, minutes, hours or days, such as 90s, 30m, 36h or 7d');
  else if (ms > MOST_DAYS * UNITS.d) wrong(name, `must be at most ${MOST_DAYS}d`);
  return ms;
}
