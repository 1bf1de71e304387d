/** How the simulated gateway is configured: what differs between acquirers, or is not known of the real one, is a choice here. */
import { z } from 'zod';

/** Requests in one window; `windowMs` is a minute on the real gateway, shorter where time is scaled. */
const limits = z.strictObject({
  windowMs: z.number().positive(),
  /** `GET /v1/payments/{id}`. */
  v1Payment: z.int().positive(),
  /** `GET /v1/query…`, by id and search together. */
  v1Query: z.int().positive(),
  v3Query: z.int().positive(),
  v3Search: z.int().positive(),
  /** `POST /v1/payments/{id}`, for each payment id. */
  backoffice: z.int().positive(),
  /** `POST /v1/registrations/{id}/payments`. */
  payRegistration: z.int().positive(),
});
export type ThrottleLimits = z.infer<typeof limits>;

/** The figures of the vendor's and a reseller's API reference. */
export const DOCUMENTED_LIMITS: ThrottleLimits = {
  windowMs: 60_000,
  v1Payment: 2,
  v1Query: 2,
  v3Query: 100,
  v3Search: 30,
  backoffice: 200,
  payRegistration: 200,
};

export const gatewaySettings = z.strictObject({
  /** A production host answers `000.000.000` and refuses `testMode`. */
  live: z.boolean(),
  /** Declines arrive with either status on the real gateway. */
  declineStatus: z.union([z.literal(400), z.literal(200)]),
  /** "Cannot find transaction" was recorded with both. */
  notFoundStatus: z.union([z.literal(404), z.literal(400)]),
  /** Milliseconds until a new transaction appears in look-ups. */
  visibilityLagMs: z.number().nonnegative(),
  /** Older manuals let a reversal void a debit; the newest one only an authorisation. */
  reversalOnDebit: z.boolean(),
  /** Whether an authorisation with captures can still be reversed: then what was never captured is released, and nothing else. */
  reversalAfterCapture: z.boolean(),
  /** Whether a reversal that was ordered without an amount is answered and listed with the amount that it released. */
  reversalTellsAmount: z.boolean(),
  /** `apart`: an authorisation is listed with what refers to it directly; what refers to a capture is listed with the capture alone. */
  captureLinks: z.enum(['together', 'apart']),
  throttle: z.union([z.literal('off'), z.literal('documented'), limits]),
  /** The status of a throttled answer is not documented. */
  throttledStatus: z.union([z.literal(429), z.literal(400), z.literal(200)]),
  /** How each answer is compressed, asked for or not. `unknown`: it names a coding that no client knows. */
  contentCoding: z.enum(['identity', 'gzip', 'deflate', 'br', 'unknown']),
  /** `v1`: the accounts have no v3 reporting, and each v3 query is declined with `800.121.100`. */
  reporting: z.enum(['v3', 'v1']),
  /** The status of that decline was seen with both. */
  noReportingStatus: z.union([z.literal(403), z.literal(400)]),
  /** Refunds made in the gateway's own portal are not announced by webhook unless the account is set up so. */
  notifyPortalRefunds: z.boolean(),
});
export type GatewaySettings = z.infer<typeof gatewaySettings>;

export const DEFAULT_SETTINGS: GatewaySettings = {
  live: false,
  declineStatus: 400,
  notFoundStatus: 404,
  visibilityLagMs: 0,
  reversalOnDebit: false,
  reversalAfterCapture: false,
  reversalTellsAmount: true,
  captureLinks: 'together',
  throttle: 'off',
  throttledStatus: 429,
  contentCoding: 'identity',
  reporting: 'v3',
  noReportingStatus: 403,
  notifyPortalRefunds: false,
};

/** One channel of a merchant with the token that may use it. */
export interface Entity {
  /** 32 lowercase hex. */
  readonly id: string;
  readonly token: string;
  /** Shown in descriptors and webhooks. */
  readonly name?: string;
  /** 64 hex. Without it this entity gets no webhooks. */
  readonly webhookKey?: string;
  /** `v1`: this entity's account has no v3 reporting, whatever the settings say. */
  readonly reporting?: 'v1';
}
