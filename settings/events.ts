/** Settings of outgoing signed events: `REFUNDS_EVENTS_URL`, `REFUNDS_EVENTS_SECRET` and the days for which events are stored. */
import { Secret } from '../domain/secret.js';
import { isSafeAddress } from '../gateway/settings.js';
import type { Reading, SettingsProblem } from './problems.js';

export interface EventsSettings {
  readonly url: string;
  /** One or two signature keys. While one replaces the other, an event carries both signatures. */
  readonly secrets: readonly Secret<Buffer>[];
  /** Milliseconds for which a delivered event is stored. Until then it is listed and an operator can resend it. */
  readonly keptMs: number;
}

const URL_EXAMPLE = 'https://shop.example/hooks/refunds';
const SECRET_EXAMPLE =
  'whsec_ and 24 to 64 random bytes in base64, from: echo "whsec_$(openssl rand -base64 32)"';
const MOST_SECRETS = 2;
const DAY = 24 * 3_600_000;
const KEPT_DAYS = 90;

/** Returns undefined as the value if neither variable is set: then no event is stored or sent. */
export function readEvents(
  variable: (name: string) => string | undefined,
): Reading<EventsSettings | undefined> {
  const url = variable('REFUNDS_EVENTS_URL');
  const secret = variable('REFUNDS_EVENTS_SECRET');
  const kept = variable('REFUNDS_EVENTS_KEPT_DAYS') ?? String(KEPT_DAYS);
  if (url === undefined && secret === undefined) return { ok: true, value: undefined };
  const problems: SettingsProblem[] = [];
  const wrongUrl = (problem: string) =>
    problems.push({ variable: 'REFUNDS_EVENTS_URL', problem, example: URL_EXAMPLE });
  const wrongSecret = (problem: string) =>
    problems.push({ variable: 'REFUNDS_EVENTS_SECRET', problem, example: SECRET_EXAMPLE });

  if (url === undefined) wrongUrl('is missing: the secret alone says nothing');
  else if (!URL.canParse(url) || !isSafeAddress(new URL(url)) || new URL(url).hash !== '')
    wrongUrl('must be an https address without user or fragment; http is for loopback addresses only');

  const secrets: Secret<Buffer>[] = [];
  if (secret === undefined) wrongSecret('is missing: events are never sent unsigned');
  else {
    const texts = secret.split(',').map((text) => text.trim());
    if (texts.length > MOST_SECRETS) wrongSecret(`must be at most ${MOST_SECRETS} secrets`);
    for (const text of texts) {
      const key = keyOf(text);
      if (key === undefined)
        wrongSecret(
          'must be whsec_ followed by 24 to 64 bytes in base64; a comma separates a new and an old one',
        );
      else secrets.push(new Secret(key));
    }
  }
  if (!/^[1-9]\d{0,3}$/.test(kept))
    problems.push({
      variable: 'REFUNDS_EVENTS_KEPT_DAYS',
      problem: 'must be a whole number of days from 1 to 9999',
      example: String(KEPT_DAYS),
    });
  return url === undefined || problems.length > 0
    ? { ok: false, problems }
    : { ok: true, value: { url, secrets, keptMs: Number(kept) * DAY } };
}

function keyOf(text: string): Buffer | undefined {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  if (encoded === undefined) return undefined;
  const key = Buffer.from(encoded, 'base64');
  // Node decodes any text. Only text that encodes back to itself was base64.
  const isWhole = key.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '');
  return isWhole && key.length >= 24 && key.length <= 64 ? key : undefined;
}
