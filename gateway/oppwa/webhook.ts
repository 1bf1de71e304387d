/** Decrypts a webhook of the gateway. The key proves its origin, and only fields that may be stored are returned. Never throws. */
import { createDecipheriv, createHash } from 'node:crypto';
import { z } from 'zod';
import { isEntityId } from '../../domain/ids.js';
import {
  NOTIFICATION_KINDS,
  type Notification,
  type NotificationKind,
} from '../../domain/refund/notification.js';
import type { Secret } from '../../domain/secret.js';
import { recordedOf, type OppwaTransaction } from './transaction.js';
import { readTransaction } from './answer.js';
import { parseObject } from '../http/json.js';

/** A webhook as received over HTTP. A missing header is undefined. */
export interface SealedWebhook {
  /** `X-Initialization-Vector`: 12 bytes in hex. */
  readonly initializationVector: string | undefined;
  /** `X-Authentication-Tag`: 16 bytes in hex. */
  readonly authenticationTag: string | undefined;
  /** Ciphertext in hex (upper or lower case), either alone or as `{"encryptedBody":"…"}`. The merchant chooses the form in the gateway's administration. */
  readonly body: Buffer;
}

/**
 * Why a webhook is refused.
 *
 * - `malformed`: a header or the body is missing or malformed
 * - `undecryptable`: no configured key decrypts it. The key is not configured yet, or the message is not from the gateway
 * - `foreign_entity`: a configured key decrypts it, but the key belongs to another entity than the message names
 */
export type WebhookRefusal = 'malformed' | 'undecryptable' | 'foreign_entity';

/** Why an authentic webhook is ignored. */
export type WebhookIgnored = 'unknown_entity' | 'names_no_entity';

export type WebhookReading =
  | { readonly kind: 'read'; readonly notification: Notification }
  /** Authentic, but about no configured entity. It is acknowledged, so the gateway does not send it again. */
  | { readonly kind: 'ignored'; readonly why: WebhookIgnored; readonly entityId: string | null }
  | { readonly kind: 'refused'; readonly why: WebhookRefusal };

/** Keys by entity id, 64 hex digits each. An entity has several keys while one replaces another. */
export type WebhookKeys = ReadonlyMap<string, readonly Secret<string>[]>;

export type WebhookReader = (webhook: SealedWebhook) => WebhookReading;

const IV = /^[0-9a-f]{24}$/i;
const TAG = /^[0-9a-f]{32}$/i;
const HEX = /^(?:[0-9a-f]{2})+$/i;

/** Returns a reader that decrypts with these keys: AES-256-GCM without padding (the vendor's manual, "Webhooks"). */
export function createWebhookReader(keys: WebhookKeys): WebhookReader {
  // Several entities may share one key. It is then valid for messages about any of them.
  const entitiesOf = new Map<string, Set<string>>();
  for (const [entityId, own] of keys)
    for (const key of own) {
      const hex = key.reveal().toLowerCase();
      entitiesOf.set(hex, (entitiesOf.get(hex) ?? new Set()).add(entityId));
    }
  const openers = [...entitiesOf].map(([hex, entities]) => ({ key: Buffer.from(hex, 'hex'), entities }));

  return ({ initializationVector, authenticationTag, body }) => {
    const sealed = unwrap(body);
    if (sealed === undefined || !IV.test(initializationVector ?? '') || !TAG.test(authenticationTag ?? ''))
      return { kind: 'refused', why: 'malformed' };
    const iv = Buffer.from(initializationVector ?? '', 'hex');
    const tag = Buffer.from(authenticationTag ?? '', 'hex');
    for (const { key, entities } of openers) {
      const clear = decrypt(key, iv, tag, sealed);
      if (clear !== undefined) return notificationOf(clear, entities, (entityId) => keys.has(entityId));
    }
    return { kind: 'refused', why: 'undecryptable' };
  };
}

/** Returns the ciphertext from either form of the body. */
function unwrap(body: Buffer): Buffer | undefined {
  const text = body.toString('latin1').trim();
  const hex = text.startsWith('{') ? wrapped.safeParse(parseObject(text)).data?.encryptedBody.trim() : text;
  return hex !== undefined && HEX.test(hex) ? Buffer.from(hex, 'hex') : undefined;
}

const wrapped = z.object({ encryptedBody: z.string() });

function decrypt(key: Buffer, iv: Buffer, tag: Buffer, sealed: Buffer): Buffer | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 });
    decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  } catch {
    return undefined;
  }
}

const envelope = z.object({ type: z.string(), payload: z.unknown().optional() });
const speaker = z.object({ authentication: z.object({ entityId: z.string() }) });

/**
 * Reads a decrypted message. It is authentic, because its sender has the key. A message of unknown form is accepted as a notification
 * without a transaction: if it were refused, the gateway would send it again for thirty days.
 */
function notificationOf(
  clear: Buffer,
  entities: ReadonlySet<string>,
  isConfigured: (entityId: string) => boolean,
): WebhookReading {
  const reported = envelope.safeParse(parseObject(clear.toString('utf8'))).data;
  const kind = kindOf(reported?.type);
  const named = speaker.safeParse(reported?.payload).data?.authentication.entityId;
  const [only, ...more] = entities;
  // A message that names no entity is about the entity of the key, if the key has only one.
  const entityId = named ?? (more.length === 0 ? only : undefined);
  if (kind !== 'TEST' || entityId !== undefined) {
    if (entityId === undefined) return { kind: 'ignored', why: 'names_no_entity', entityId: null };
    // A merchant may use one key for all channels, of which only some are configured here.
    if (!isConfigured(entityId))
      return { kind: 'ignored', why: 'unknown_entity', entityId: knownForm(entityId) };
    if (!entities.has(entityId)) return { kind: 'refused', why: 'foreign_entity' };
  }
  const read = readTransaction(reported?.payload);
  const transaction = read.ok && hasTime(read.value) ? read.value : null;
  return {
    kind: 'read',
    notification: {
      kind,
      entityId: kind === 'TEST' ? null : (entityId ?? null),
      transaction: transaction === null ? null : recordedOf(transaction),
      naturalKey: naturalKeyOf(kind, transaction, clear),
    },
  };
}

/** Returns the id for the log; null if it is malformed. */
const knownForm = (entityId: string): string | null => (isEntityId(entityId) ? entityId : null);

function kindOf(type: string | undefined): NotificationKind {
  const upper = type?.toUpperCase();
  return NOTIFICATION_KINDS.find((known) => known === upper) ?? 'OTHER';
}

/** False if the timestamp is longer than any that the gateway sends. Text that PostgreSQL cannot store was removed before. */
function hasTime({ timestamp }: OppwaTransaction): boolean {
  return (timestamp ?? '').length <= 40;
}

/** Returns the key that identifies duplicates: notifications with the same id, code and time are the same one. A transaction may have several final states. */
function naturalKeyOf(kind: NotificationKind, reported: OppwaTransaction | null, clear: Buffer): string {
  return reported?.id === undefined || reported.timestamp === undefined
    ? `sha256:${createHash('sha256').update(clear).digest('hex')}`
    : `${kind}:${reported.id}:${reported.result.code}:${reported.timestamp}`;
}
