/** Settings of the HTTP API: its address, its rate limit and the identity provider whose tokens it accepts. */
import { z } from 'zod';
import type { SettingsProblem } from './problems.js';

/** An identity provider whose tokens the API accepts besides API keys. */
export interface TokenSettings {
  readonly issuer: string;
  readonly audience: string;
  /** Address of the provider's public keys (JWKS). */
  readonly keysUrl: string;
}

export interface ApiSettings {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Limit for each principal in one process. */
  readonly requestsPerMinute: number;
  readonly tokens: TokenSettings | undefined;
  /** Origins whose pages may use the codec server: those of Temporal's UI. */
  readonly codecOrigins: readonly string[];
  /** Address of Temporal's web UI, for the links of the console. */
  readonly temporalUi: string | undefined;
}

const whole = (from: number, to: number) =>
  z
    .string()
    .refine(
      (text) => /^\d{1,9}$/.test(text) && Number(text) >= from && Number(text) <= to,
      `must be a whole number from ${from} to ${to}`,
    )
    .transform(Number);

export const apiVariables = {
  REFUNDS_HOST: z
    .string()
    .regex(/^[\w.:-]{1,253}$/, 'must be an address or name to listen on')
    .default('127.0.0.1'),
  REFUNDS_PORT: whole(0, 65_535).default(8080),
  REFUNDS_REQUESTS_PER_MINUTE: whole(1, 10_000_000).default(6_000),
  REFUNDS_JWT_ISSUER: z.string().optional(),
  REFUNDS_JWT_AUDIENCE: z.string().optional(),
  REFUNDS_JWT_JWKS_URL: z
    .string()
    .refine(isKeysUrl, 'must be an https:// address (http:// on loopback only)')
    .optional(),
  REFUNDS_CODEC_ORIGINS: z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((origin) => origin.trim() || []))
    .refine(
      (origins) => origins.every(isOrigin),
      'must be origins such as https://temporal.example, with commas',
    ),
  REFUNDS_TEMPORAL_UI: z
    .string()
    .refine((text) => /^https?:\/\//u.test(text) && URL.canParse(text), 'must be an http(s):// address')
    .optional(),
};

export const API_EXAMPLES: Readonly<Record<keyof typeof apiVariables, string>> = {
  REFUNDS_HOST: '127.0.0.1',
  REFUNDS_PORT: '8080',
  REFUNDS_REQUESTS_PER_MINUTE: '6000',
  REFUNDS_JWT_ISSUER: 'https://login.example',
  REFUNDS_JWT_AUDIENCE: 'refunds',
  REFUNDS_JWT_JWKS_URL: 'https://login.example/.well-known/jwks.json',
  REFUNDS_CODEC_ORIGINS: 'https://temporal.example',
  REFUNDS_TEMPORAL_UI: 'https://temporal.example',
};

type Read = z.infer<z.ZodObject<typeof apiVariables>>;

/** Returns a problem for each missing variable if only some of the three are set: a token is checked with all three. */
export function tokenProblems(
  read: Pick<Read, 'REFUNDS_JWT_ISSUER' | 'REFUNDS_JWT_AUDIENCE' | 'REFUNDS_JWT_JWKS_URL'>,
): SettingsProblem[] {
  const names = ['REFUNDS_JWT_ISSUER', 'REFUNDS_JWT_AUDIENCE', 'REFUNDS_JWT_JWKS_URL'] as const;
  const missing = names.filter((name) => read[name] === undefined);
  if (missing.length === names.length) return [];
  return missing.map((variable) => ({
    variable,
    problem: 'is missing: tokens need issuer, audience and keys',
    example: API_EXAMPLES[variable],
  }));
}

export function apiSettings(read: Read): ApiSettings {
  const { REFUNDS_JWT_ISSUER: issuer, REFUNDS_JWT_AUDIENCE: audience, REFUNDS_JWT_JWKS_URL: keysUrl } = read;
  const isComplete = issuer !== undefined && audience !== undefined && keysUrl !== undefined;
  return {
    host: read.REFUNDS_HOST,
    port: read.REFUNDS_PORT,
    requestsPerMinute: read.REFUNDS_REQUESTS_PER_MINUTE,
    tokens: isComplete ? { issuer, audience, keysUrl } : undefined,
    codecOrigins: read.REFUNDS_CODEC_ORIGINS,
    temporalUi: read.REFUNDS_TEMPORAL_UI,
  };
}

/** True for scheme, host and port alone, as browsers send them. */
const isOrigin = (text: string): boolean =>
  /^https?:/u.test(text) && URL.canParse(text) && new URL(text).origin === text;

function isKeysUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (
    protocol === 'https:' ||
    (protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname))
  );
}
