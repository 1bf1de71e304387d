/** `POST /webhooks/oppwa`: decrypts a gateway notification, stores it and acknowledges it. It is processed after the response. */
import type { FastifyInstance } from 'fastify';
import type {
  WebhookIgnored,
  WebhookReader,
  WebhookReading,
  WebhookRefusal,
} from '../../gateway/oppwa/webhook.js';
import type { Log } from '../../settings/log.js';
import { Problem } from '../api/problems.js';
import type { StoreNotification } from './store.js';

export interface WebhookParts {
  readonly store: StoreNotification;
  readonly read: WebhookReader;
  readonly log: Log;
  /** Called after a new notification was stored. */
  readonly onStored: () => void;
  /** Called for each authentic notification that concerns no configured entity. */
  readonly onIgnored?: (why: WebhookIgnored) => void;
}

/** Bytes. A payload with every field has a few kilobytes, twice that in hex. */
const LARGEST_BODY = 256 * 1024;

const REFUSALS: Readonly<Record<WebhookRefusal, string>> = {
  malformed:
    'X-Initialization-Vector must be 12 bytes, X-Authentication-Tag 16 bytes, and the body hexadecimal text',
  undecryptable: 'none of the configured keys decrypts it',
  foreign_entity: 'the key does not belong to the entity in the notification',
};

/** Limit on the entities that are remembered as logged, because a sender with the webhook key may name any number of them. */
const MAX_LOGGED = 1_000;

/** Registers the route. It needs no API key: the webhook key authenticates the gateway. Other requests get 400 and change nothing. */
export async function webhookRoutes(app: FastifyInstance, parts: WebhookParts): Promise<void> {
  const { store, read, log, onStored, onIgnored } = parts;
  const logged = new Set<string>();
  /** Logs once for each entity, not for each of its payments. */
  function logOnce({ why, entityId }: Extract<WebhookReading, { kind: 'ignored' }>, requestId: string): void {
    const subject = `${why}:${entityId ?? ''}`;
    if (logged.has(subject) || logged.size >= MAX_LOGGED) return;
    logged.add(subject);
    log.info('webhook.ignored', { requestId, entityId: entityId ?? undefined, code: why });
  }
  // The gateway sends text/plain or application/json; the raw bytes are needed in both cases.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.post('/webhooks/oppwa', { bodyLimit: LARGEST_BODY }, async (request, reply) => {
    const { headers, body, id: requestId } = request;
    const reading = read({
      initializationVector: textOf(headers['x-initialization-vector']),
      authenticationTag: textOf(headers['x-authentication-tag']),
      body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    });
    if (reading.kind === 'refused') {
      log.warn('webhook.refused', { requestId, code: reading.why });
      // Not 2xx, so that the gateway retries: the key may have been rotated on one side only.
      throw new Problem('bad_request', REFUSALS[reading.why], { details: { reason: reading.why } });
    }
    if (reading.kind === 'ignored') {
      onIgnored?.(reading.why);
      logOnce(reading, requestId);
      return reply.code(200).send({ received: true });
    }
    const { notification } = reading;
    const { id, state } = await store(notification);
    log.info('webhook.received', {
      requestId,
      webhookId: id ?? undefined,
      entityId: notification.entityId ?? undefined,
      gatewayId: notification.transaction?.id,
      code: notification.transaction?.result.code,
      state: id === null ? 'repeated' : state,
    });
    if (id !== null && state === 'received') onStored();
    return reply.code(200).send({ received: true });
  });
}

const textOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined;
