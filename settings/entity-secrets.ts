/** Reads the secrets of an entity, each from the settings themselves or from a file of its own. */
import { resolve } from 'node:path';
import { Secret } from '../domain/secret.js';
import type { Reading } from './problems.js';
import { readText } from './read-text.js';

export const SECRET_EXAMPLES = {
  accessToken: 'the bearer token of the entity',
  accessTokenFile: '/run/secrets/oppwa-token',
  webhookKey: "the 64 hexadecimal characters of the gateway's administration, or two such keys with a comma",
  webhookKeyFile: '/run/secrets/oppwa-webhook-key',
} as const;

const isToken = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);
const TOKEN_FORM = 'must be visible ASCII without spaces';

const keysIn = (text: string): string[] => text.split(/[\s,]+/).filter((key) => key !== '');
function areKeys(text: string): boolean {
  const keys = keysIn(text);
  return keys.length > 0 && keys.every((key) => /^[0-9a-f]{64}$/i.test(key));
}
const KEYS_FORM = 'must be one or more keys of 64 hexadecimal characters, separated by commas';

export interface EntitySecrets {
  readonly accessToken: Secret<string>;
  readonly webhookKeys: readonly Secret<string>[];
}

/** Reads both secrets. `raw`: the entity as configured. `place`: names a field in messages. Files are relative to `folder`. */
export function readSecrets(
  raw: unknown,
  place: (key: string) => string,
  folder: string,
): Reading<EntitySecrets> {
  const token = readSecret(raw, place, folder, TOKEN);
  const webhookKey = readSecret(raw, place, folder, WEBHOOK_KEY);
  if (!token.ok || token.value === undefined || !webhookKey.ok)
    return {
      ok: false,
      problems: [...(token.ok ? [] : token.problems), ...(webhookKey.ok ? [] : webhookKey.problems)],
    };
  const keys = keysIn(webhookKey.value?.reveal() ?? '');
  return { ok: true, value: { accessToken: token.value, webhookKeys: keys.map((key) => new Secret(key)) } };
}

/** A secret that is set directly or in a file of its own. */
interface SecretField {
  readonly name: 'accessToken' | 'webhookKey';
  readonly isFit: (text: string) => boolean;
  readonly form: string;
  readonly isNeeded: boolean;
}

const TOKEN: SecretField = { name: 'accessToken', isFit: isToken, form: TOKEN_FORM, isNeeded: true };
const WEBHOOK_KEY: SecretField = {
  name: 'webhookKey',
  isFit: areKeys,
  form: KEYS_FORM,
  isNeeded: false,
};

/** Reads one secret. Returns undefined as the value if it is absent and not required. */
function readSecret(
  raw: unknown,
  place: (key: string) => string,
  folder: string,
  { name, isFit, form, isNeeded }: SecretField,
): Reading<Secret<string> | undefined> {
  const inFile = `${name}File` as const;
  const wrong = (key: keyof typeof SECRET_EXAMPLES, problem: string): Reading<undefined> => ({
    ok: false,
    problems: [{ variable: place(key), problem, example: SECRET_EXAMPLES[key] }],
  });
  const fields = new Map<string, unknown>(typeof raw === 'object' && raw !== null ? Object.entries(raw) : []);
  const [text, path] = [fields.get(name), fields.get(inFile)];
  if (text !== undefined && typeof text !== 'string') return wrong(name, 'must be text');
  if (path !== undefined && typeof path !== 'string') return wrong(inFile, 'must be the name of a file');
  if (text !== undefined) {
    if (!isFit(text)) return wrong(name, form);
    return path === undefined
      ? { ok: true, value: new Secret(text) }
      : wrong(inFile, `cannot be given together with ${name}`);
  }
  if (path === undefined) return isNeeded ? wrong(name, 'is missing') : { ok: true, value: undefined };
  if (path === '') return wrong(inFile, 'must not be empty');
  const content = readText(resolve(folder, path))?.trim();
  if (content === undefined) return wrong(inFile, 'names a file that cannot be read');
  return isFit(content)
    ? { ok: true, value: new Secret(content) }
    : wrong(inFile, `names a file whose text ${form}`);
}
