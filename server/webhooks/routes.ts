/** `POST /webhooks/oppwa`: a notice is opened with the key, kept, and answered; what it means is found out behind the answer. */
import type { FastifyInstance } from 'fastify';
import type {
  WebhookIgnored,
  WebhookReader,
  WebhookReading,
  WebhookRefusal,
} from '../../gateway/oppwa/webhook.js';
import type { Log } from '../../settings/log.js';
import { Problem } from '../api/problems.js';
import type { KeepNotice } from './keep.js';

export interface WebhookParts {
  readonly keep: KeepNotice;
  readonly read: WebhookReader;
  readonly log: Log;
  /** Called after a notice was kept that was not there before. */
  readonly onStored: () => void;
  /** Called for each that is authentic and about nothing here. */
  readonly onIgnored?: (why: WebhookIgnored) => void;
}

/** Bytes. A payload with every field is some kilobytes, twice that in hex. */
const LARGEST_BODY = 256 * 1024;

const REFUSALS: Readonly<Record<WebhookRefusal, string>> = {
  malformed:
    'X-Initialization-Vector must be 12 bytes, X-Authentication-Tag 16 bytes, and the body a hex text',
  undecryptable: 'none of the configured keys opens it',
  foreign_entity: 'the key does not belong to the entity that it speaks for',
};

/** Of so many entities it is remembered that a line was logged about them: who has the key may name any. */
const MOST_REMEMBERED = 1_000;

/** No API key: whoever has the webhook key is the gateway. Anybody else is told 400 and changes nothing. */
export async function webhookRoutes(app: FastifyInstance, parts: WebhookParts): Promise<void> {
  const { keep, read, log, onStored, onIgnored } = parts;
  const told = new Set<string>();
  /** Once for each entity, not for each of its payments. */
  function tellOnce(
    { why, entityId }: Extract<WebhookReading, { kind: 'ignored' }>,
    requestId: string,
  ): void {
    const about = `${why}:${entityId ?? ''}`;
    if (told.has(about) || told.size >= MOST_REMEMBERED) return;
    told.add(about);
    log.info('webhook.ignored', { requestId, entityId: entityId ?? undefined, code: why });
  }
  // The gateway says text/plain or application/json; either way the bytes are what counts.
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
      // Not 2xx: after a key was changed on one side only, the gateway tries again until it fits.
      throw new Problem('bad_request', REFUSALS[reading.why], { details: { reason: reading.why } });
    }
    if (reading.kind === 'ignored') {
      onIgnored?.(reading.why);
      tellOnce(reading, requestId);
      return reply.code(200).send({ received: true });
    }
    const { notice } = reading;
    const { id, state } = await keep(notice);
    log.info('webhook.received', {
      requestId,
      webhookId: id ?? undefined,
      entityId: notice.entityId ?? undefined,
      gatewayId: notice.transaction?.id,
      code: notice.transaction?.result.code,
      state: id === null ? 'repeated' : state,
    });
    if (id !== null && state === 'received') onStored();
    return reply.code(200).send({ received: true });
  });
}

const textOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined;
