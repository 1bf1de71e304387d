/** Settings of the gateway simulator, for each behavior that differs between acquirers or is not known of the real gateway. */
import { z } from 'zod';

/** Requests that are allowed in one window. `windowMs` is a minute on the real gateway, and shorter where time is scaled. */
const limits = z.strictObject({
  windowMs: z.number().positive(),
  /** `GET /v1/payments/{id}`. */
  v1Payment: z.int().positive(),
  /** `GET /v1/query…`: queries by id and searches together. */
  v1Query: z.int().positive(),
  v3Query: z.int().positive(),
  v3Search: z.int().positive(),
  /** `POST /v1/payments/{id}`, for each payment id. */
  backoffice: z.int().positive(),
  /** `POST /v1/registrations/{id}/payments`. */
  payRegistration: z.int().positive(),
});
export type ThrottleLimits = z.infer<typeof limits>;

/** The limits in the API references of the vendor and of a reseller. */
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
  /** True imitates a production host: successes have the code `000.000.000`, and `testMode` is an error. */
  live: z.boolean(),
  /** HTTP status of a decline. The real gateway uses both. */
  declineStatus: z.union([z.literal(400), z.literal(200)]),
  /** HTTP status of "Cannot find transaction". Recordings of the real gateway show both. */
  notFoundStatus: z.union([z.literal(404), z.literal(400)]),
  /** Milliseconds until a query shows a new transaction. */
  visibilityLagMs: z.number().nonnegative(),
  /** True if a reversal may void a debit, as in older manuals. In the newest manual it can void an authorization only. */
  reversalOnDebit: z.boolean(),
  /** True if an authorization with captures can be reversed. The reversal then releases the amount that was not captured. */
  reversalAfterCapture: z.boolean(),
  /** True if a reversal that was requested without an amount is answered and listed with the amount that it released. */
  reversalShowsAmount: z.boolean(),
  /** `apart`: a query of an authorization lists only its direct children; refunds of a capture are listed with that capture. */
  captureLinks: z.enum(['together', 'apart']),
  throttle: z.union([z.literal('off'), z.literal('documented'), limits]),
  /** HTTP status of a throttled request. It is not documented. */
  throttledStatus: z.union([z.literal(429), z.literal(400), z.literal(200)]),
  /** Compression of each answer, independent of `accept-encoding`. `unknown`: the header names a coding that no client knows. */
  contentCoding: z.enum(['identity', 'gzip', 'deflate', 'br', 'unknown']),
  /** `v1`: the accounts have no v3 reporting, and the answer to each v3 query is `800.121.100`. */
  reporting: z.enum(['v3', 'v1']),
  /** HTTP status of that answer. The real gateway uses both. */
  noReportingStatus: z.union([z.literal(403), z.literal(400)]),
  /** True if refunds made in the gateway's portal are notified by webhook. This depends on the account's set-up. */
  notifyPortalRefunds: z.boolean(),
  /** True if a card of VISA, MASTER or AMEX needs a CVV. */
  demandsCvv: z.boolean(),
  /** `sample`: a card that ends in 0000 is answered with the last digits 0042, as in the vendor's published sample. */
  answeredLast4: z.enum(['own', 'sample']),
});
export type GatewaySettings = z.infer<typeof gatewaySettings>;

export const DEFAULT_SETTINGS: GatewaySettings = {
  live: false,
  declineStatus: 400,
  notFoundStatus: 404,
  visibilityLagMs: 0,
  reversalOnDebit: false,
  reversalAfterCapture: false,
  reversalShowsAmount: true,
  captureLinks: 'together',
  throttle: 'off',
  throttledStatus: 429,
  contentCoding: 'identity',
  reporting: 'v3',
  noReportingStatus: 403,
  notifyPortalRefunds: false,
  demandsCvv: false,
  answeredLast4: 'own',
};

/** One of the merchant's entities (channels), and the access token for it. */
export interface Entity {
  /** 32 lowercase hex digits. */
  readonly id: string;
  readonly token: string;
  /** Shown in descriptors and webhooks. */
  readonly name?: string;
  /** 64 hex digits. Without it, no webhooks are sent for this entity. */
  readonly webhookKey?: string;
  /** `v1`: this entity's account has no v3 reporting, whatever `GatewaySettings.reporting` is. */
  readonly reporting?: 'v1';
  /** Overrides `GatewaySettings.demandsCvv` for this entity. */
  readonly demandsCvv?: boolean;
}
