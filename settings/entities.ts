/** Reads the gateway's entities: one from `OPPWA_*`, or several from the file that `REFUNDS_CONFIG` names. */
import { dirname } from 'node:path';
import { z } from 'zod';
import { isEntityId } from '../domain/ids.js';
import type { Secret } from '../domain/secret.js';
import { isSafeAddress, type EntitySettings, type HostKind } from '../gateway/settings.js';
import { readSecrets, SECRET_EXAMPLES } from './entity-secrets.js';
import { isLoopback, knownHostKind } from './hosts.js';
import { capabilitiesShape, policyShape, type OwnPolicy } from './policy.js';
import type { Reading, SettingsProblem } from './problems.js';
import { readText } from './read-text.js';

export interface ConfiguredEntity extends OwnPolicy {
  readonly settings: EntitySettings;
  readonly host: HostKind;
  /** Keys that decrypt its webhooks. Empty without webhooks; several while one key replaces another. */
  readonly webhookKeys: readonly Secret<string>[];
}

export type ConfiguredEntities = readonly [ConfiguredEntity, ...ConfiguredEntity[]];

const EXAMPLES = {
  ...SECRET_EXAMPLES,
  id: '8ac7a4c79394bdc801939736f17e063d',
  baseUrl: 'https://eu-test.oppwa.com',
  hostKind: 'test, where the host is a reseller’s for tests',
  testMode: 'EXTERNAL, or empty on a live host',
  capabilities: '{"credit":true,"partialReversal":false}',
  policy: '{"softRetries":6,"creditApprovalAbove":"EUR:500.00"}',
} as const;
const FILE_EXAMPLE =
  '{"entities":[{"id":"8ac7a4c79394bdc801939736f17e063d","baseUrl":"https://eu-test.oppwa.com","accessTokenFile":"/run/secrets/oppwa-token"}]}';

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return isSafeAddress(url) && url.search === '' && url.hash === '';
}

/** Accepts an empty path or an API version: the vendor's examples show `https://eu-prod.oppwa.com/v1/`. Each request adds its own version. */
const VERSION = /^\/(?:v\d+\/*)?$/;
const hasNoPath = (text: string): boolean =>
  !isBaseUrl(text) || VERSION.test(new URL(text).pathname.replace(/^\/+/, '/'));

const required = z.string({ error: 'is missing' });
const entityShape = z.strictObject({
  id: required.refine(isEntityId, 'must be 32 lowercase hexadecimal characters'),
  baseUrl: required
    .refine(
      isBaseUrl,
      'must be an https address without user, query or fragment; http is for loopback addresses only',
    )
    .refine(hasNoPath, 'must be the scheme and the host alone, without a path: each request has its own')
    .transform((text) => (URL.canParse(text) ? new URL(text).origin : text)),
  hostKind: z.enum(['test', 'live'], { error: 'must be test or live' }).optional(),
  testMode: z.enum(['INTERNAL', 'EXTERNAL'], { error: 'must be INTERNAL or EXTERNAL' }).optional(),
  capabilities: capabilitiesShape.optional(),
  policy: policyShape.optional(),
  accessToken: z.unknown().optional(),
  accessTokenFile: z.unknown().optional(),
  webhookKey: z.unknown().optional(),
  webhookKeyFile: z.unknown().optional(),
});
const fileShape = z.strictObject({
  entities: z.array(z.unknown(), { error: 'must be a list' }).min(1, 'must name at least one entity'),
});

/** Reads all entities. An empty variable counts as absent, because many platforms pass unset variables as empty. */
export function readEntities(variable: (name: string) => string | undefined): Reading<ConfiguredEntities> {
  const path = variable('REFUNDS_CONFIG');
  if (path === undefined) return fromVariables(variable);
  const also = Object.values(VARIABLES).filter((name) => variable(name) !== undefined);
  if (also.length === 0) return fromFile(path);
  const problem = `cannot be set together with ${also.join(', ')}: which entity is meant would be a guess`;
  return {
    ok: false,
    problems: [{ variable: 'REFUNDS_CONFIG', problem, example: 'only one of the two ways' }],
  };
}

const VARIABLES = {
  id: 'OPPWA_ENTITY_ID',
  baseUrl: 'OPPWA_BASE_URL',
  hostKind: 'OPPWA_HOST_KIND',
  accessToken: 'OPPWA_ACCESS_TOKEN',
  testMode: 'OPPWA_TEST_MODE',
  webhookKey: 'OPPWA_WEBHOOK_KEY',
} as const;

function fromVariables(variable: (name: string) => string | undefined): Reading<ConfiguredEntities> {
  const raw = Object.fromEntries(Object.entries(VARIABLES).map(([key, name]) => [key, variable(name)]));
  const reading = readEntity(
    raw,
    (key) => new Map<string, string>(Object.entries(VARIABLES)).get(key) ?? key,
    '.',
  );
  return reading.ok ? { ok: true, value: [reading.value] } : reading;
}

function fromFile(path: string): Reading<ConfiguredEntities> {
  const wrong = (problem: string): Reading<ConfiguredEntities> => ({
    ok: false,
    problems: [{ variable: 'REFUNDS_CONFIG', problem, example: FILE_EXAMPLE }],
  });
  const text = readText(path);
  if (text === undefined) return wrong('names a file that cannot be read');
  const parsed = fileShape.safeParse(parseJson(text));
  if (!parsed.success) return wrong('names a file that is not such a JSON document');
  const place = (index: number) => (key: string) =>
    `REFUNDS_CONFIG entities[${index}]${key === '' ? '' : `.${key}`}`;
  const readings = parsed.data.entities.map((raw, index) => readEntity(raw, place(index), dirname(path)));
  const problems = readings.flatMap((reading) => (reading.ok ? [] : reading.problems));
  const entities = readings.flatMap((reading) => (reading.ok ? [reading.value] : []));
  const seen = new Set<string>();
  entities.forEach(({ settings }, index) => {
    if (seen.has(settings.id))
      problems.push({
        variable: place(index)('id'),
        problem: 'is the id of an earlier entity',
        example: 'each entity once',
      });
    seen.add(settings.id);
  });
  const [first, ...others] = entities;
  return first === undefined || problems.length > 0
    ? { ok: false, problems }
    : { ok: true, value: [first, ...others] };
}

function readEntity(raw: unknown, place: (key: string) => string, folder: string): Reading<ConfiguredEntity> {
  const parsed = entityShape.safeParse(raw);
  const secrets = readSecrets(raw, place, folder);
  const problems: SettingsProblem[] = [
    ...(parsed.success ? [] : problemsOf(parsed.error, place)),
    ...(secrets.ok ? [] : secrets.problems),
  ];
  if (!parsed.success || !secrets.ok) return { ok: false, problems };
  const { id, baseUrl, testMode, capabilities, policy, hostKind } = parsed.data;
  const known = knownHostKind(baseUrl);
  if (hostKind !== undefined && known !== undefined && hostKind !== known && !isLoopback(baseUrl))
    problems.push({
      variable: place('hostKind'),
      problem: `cannot be ${hostKind}: the host is known as a ${known} one`,
      example: `leave it out, or name a ${hostKind} host`,
    });
  const host = hostKind ?? known ?? 'live';
  if (host === 'live' && testMode !== undefined)
    problems.push({
      variable: place('testMode'),
      problem:
        'must be empty: the host is not a known test host, and a live one refuses the parameter. Where it is a reseller’s test host, say so with hostKind (OPPWA_HOST_KIND)',
      example: 'leave it out, or name a test host such as https://eu-test.oppwa.com',
    });
  if (problems.length > 0) return { ok: false, problems };
  const { accessToken, webhookKeys } = secrets.value;
  return {
    ok: true,
    value: {
      settings: { id, baseUrl, accessToken, hostKind: host, ...(testMode === undefined ? {} : { testMode }) },
      host,
      capabilities: capabilities ?? {},
      policy: policy ?? {},
      webhookKeys,
    },
  };
}

function problemsOf(error: z.ZodError, place: (key: string) => string): SettingsProblem[] {
  return error.issues.map(({ path, ...issue }) => ({
    variable: place(path.map(String).join('.')),
    problem:
      issue.code === 'unrecognized_keys' ? `has unknown fields: ${issue.keys.join(', ')}` : issue.message,
    example: new Map<unknown, string>(Object.entries(EXAMPLES)).get(path[0]) ?? FILE_EXAMPLE,
  }));
}

/** Returns undefined for text that is not JSON. The parser's own message would repeat a piece of the file, which may be a token. */
function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
