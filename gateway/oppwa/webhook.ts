/** Opens a webhook of the gateway: the key proves who wrote it, and only what may be kept leaves this file. It never throws. */
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

/** As it came over HTTP; a header that was not sent is undefined. */
export interface SealedWebhook {
  /** `X-Initialization-Vector`: 12 bytes in hex. */
  readonly initializationVector: string | undefined;
  /** `X-Authentication-Tag`: 16 bytes in hex. */
  readonly authenticationTag: string | undefined;
  /** Hex in either case, bare or as `{"encryptedBody":"…"}`: the merchant chooses one in the gateway's administration. */
  readonly body: Buffer;
}

/**
 * Why a webhook is not taken.
 *
 * - `malformed`: header or body do not have the form of one
 * - `undecryptable`: none of the keys opens it; a key that is not configured yet, or a foreign message
 * - `foreign_entity`: the key is right, but another one is configured for the entity that the message speaks for
 */
export type WebhookRefusal = 'malformed' | 'undecryptable' | 'foreign_entity';

/** Why an authentic webhook is about nothing here. */
export type WebhookIgnored = 'unknown_entity' | 'names_no_entity';

export type WebhookReading =
  | { readonly kind: 'read'; readonly notification: Notification }
  /** Authentic, and about nothing here: an entity that is not configured, or a shape that names none. The gateway need not send it again. */
  | { readonly kind: 'ignored'; readonly why: WebhookIgnored; readonly entityId: string | null }
  | { readonly kind: 'refused'; readonly why: WebhookRefusal };

/** Keys by entity, 64 hex each; more than one while one replaces another. */
export type WebhookKeys = ReadonlyMap<string, readonly Secret<string>[]>;

export type WebhookReader = (webhook: SealedWebhook) => WebhookReading;

const IV = /^[0-9a-f]{24}$/i;
const TAG = /^[0-9a-f]{32}$/i;
const HEX = /^(?:[0-9a-f]{2})+$/i;

/** AES-256-GCM without padding, as the vendor's manual has it under "Webhooks". */
export function createWebhookReader(keys: WebhookKeys): WebhookReader {
  // One key may be given to several entities, and then speaks for all of them.
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

/** The ciphertext of either wrapper. */
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
 * Whatever comes out was written by somebody who has the key. A form that is not understood is a notice all the same: refusing it
 * would only have it sent again for thirty days.
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
  // Without a name it can only speak for the one entity that the key belongs to.
  const entityId = named ?? (more.length === 0 ? only : undefined);
  if (kind !== 'TEST' || entityId !== undefined) {
    if (entityId === undefined) return { kind: 'ignored', why: 'names_no_entity', entityId: null };
    // One key may be set up for all channels of a merchant, and only some of them give money back here.
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

/** Returns the id for the log; null if it does not have the form of one. */
const knownForm = (entityId: string): string | null => (isEntityId(entityId) ? entityId : null);

function kindOf(type: string | undefined): NotificationKind {
  const upper = type?.toUpperCase();
  return NOTIFICATION_KINDS.find((known) => known === upper) ?? 'OTHER';
}

/** A time longer than any of the gateway's is none. Whatever PostgreSQL cannot keep is out already. */
function hasTime({ timestamp }: OppwaTransaction): boolean {
  return (timestamp ?? '').length <= 40;
}

/** Duplicates and several final states are announced; the same id, code and time are the same notification. */
function naturalKeyOf(kind: NotificationKind, reported: OppwaTransaction | null, clear: Buffer): string {
  return reported?.id === undefined || reported.timestamp === undefined
    ? `sha256:${createHash('sha256').update(clear).digest('hex')}`
    : `${kind}:${reported.id}:${reported.result.code}:${reported.timestamp}`;
}
