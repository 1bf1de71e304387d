/** Builds the HTTP API as one Fastify app: hooks for every request, then the routes. */
import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { looksLikeCard } from '../../domain/card/card-number.js';
import type { Database } from '../../ledger/db/database.js';
import { verifyApiKey } from '../../ledger/access/api-keys.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Log } from '../../settings/log.js';
import type { Cards } from '../../client/cards.js';
import type { RefundsClient } from '../../client/refunds-client.js';
import { webhookRoutes, type WebhookParts } from '../webhooks/routes.js';
import { auditRoutes } from './audits.js';
import { authenticate, type Verify } from './auth.js';
import { endConnections } from './connections.js';
import { cardRoutes } from './cards.js';
import { serveConsole, type ConsoleOptions } from './console.js';
import { decisionRoutes } from './approvals.js';
import { repairRoutes } from './operator-commands.js';
import { documentRoutes } from './documentation.js';
import { healthRoutes, type Readiness } from './health.js';
import { eventRoutes } from './events.js';
import { readJsonBodies } from './json-body.js';
import { limitRoutes } from './limits.js';
import { meRoutes } from './principal.js';
import type { ApiParts } from './route-dependencies.js';
import { registerMetrics } from './metrics.js';
import { notAvailableRoutes } from './not-available.js';
import { payloadCodecRoutes, type CodecServerOptions } from './payload-codec.js';
import { paymentRoutes } from './payments.js';
import { answerProblems } from './problems.js';
import { queueRoutes } from './queue.js';
import { limitRequests } from './rate-limit.js';
import { refundRoutes } from './refunds.js';
import { reportingOf } from '../../client/readiness.js';
import { streamRoutes } from './stream.js';

export interface ApiOptions {
  readonly client: RefundsClient;
  /** For reads only. Workflows write. */
  readonly ledger: Ledger;
  readonly database: Database;
  readonly limits: ApiParts['limits'];
  readonly log: Log;
  /** Seals cards. Absent: `POST /v1/cards` answers 501. */
  readonly cards?: Cards;
  /** Receiver of gateway notifications. Absent: the route is not registered. */
  readonly webhooks?: Omit<WebhookParts, 'log' | 'onIgnored'>;
  /** Verifies tokens of an identity provider. Absent: only API keys are accepted. */
  readonly verifyToken?: Verify;
  /** Dependencies that must be available for this process to be ready. */
  readonly readiness: Readiness;
  /** Requests per minute for each principal, and for each IP address without a valid key, in this process. */
  readonly requestsPerMinute: number;
  /** Codec server for Temporal's UI and command line. Absent: the routes are not registered. */
  readonly payloadCodec?: CodecServerOptions;
  /** Absent: the console is not served. */
  readonly console?: ConsoleOptions;
}

/** Bytes. The largest valid body is a refund request with 50 metadata entries of 540 characters. */
const LARGEST_BODY = 256 * 1024;
const REQUEST_ID = /^[\w.:-]{1,64}$/;

/** Builds the app, ready to listen. It opens no connections of its own. */
export async function buildApi(options: ApiOptions): Promise<FastifyInstance> {
  const { database, log } = options;
  const app = fastify({
    logger: false,
    bodyLimit: LARGEST_BODY,
    // The client may send its own request id, so that its log and ours can be matched.
    requestIdHeader: false,
    genReqId: ({ headers }) => {
      const given = headers['x-request-id'];
      // The id is logged, so it must not be a card number.
      const isId = typeof given === 'string' && REQUEST_ID.test(given) && !looksLikeCard(given);
      return isId ? given : randomUUID();
    },
    routerOptions: { maxParamLength: 200 },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  // Only JSON bodies are accepted, unless a route registers another parser.
  app.removeContentTypeParser('text/plain');
  readJsonBodies(app);

  const closing = new AbortController();
  app.addHook('preClose', async () => {
    closing.abort();
  });
  endConnections(app, closing.signal);
  logRequests(app, log);
  const metrics = registerMetrics(app, database);
  answerProblems(app, log);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    strictTransportSecurity: { maxAge: 31_536_000 },
    referrerPolicy: { policy: 'no-referrer' },
  });
  authenticate(
    app,
    [
      (text) => verifyApiKey(database, text),
      ...(options.verifyToken === undefined ? [] : [options.verifyToken]),
    ],
    await limitRequests(app, options.requestsPerMinute),
  );
  await documentRoutes(app);

  const parts: ApiParts = {
    client: options.client,
    ledger: options.ledger,
    database,
    limits: options.limits,
    log,
    closing: closing.signal,
  };
  await app.register(refundRoutes, parts);
  await app.register(paymentRoutes, parts);
  await app.register(decisionRoutes, parts);
  await app.register(repairRoutes, parts);
  await app.register(queueRoutes, parts);
  await app.register(limitRoutes, parts);
  await app.register(streamRoutes, parts);
  await app.register(cardRoutes, { ...parts, cards: options.cards });
  if (options.cards === undefined) await app.register(notAvailableRoutes);
  await app.register(auditRoutes, parts);
  await app.register(eventRoutes, parts);
  await app.register(meRoutes);
  if (options.payloadCodec !== undefined)
    await app.register(payloadCodecRoutes, { ...parts, ...options.payloadCodec });
  if (options.webhooks !== undefined)
    await app.register(webhookRoutes, {
      log,
      onIgnored: metrics.webhookIgnored,
      ...options.webhooks,
    });
  await app.register(healthRoutes, { readiness: options.readiness, reporting: () => reportingOf(database) });
  if (options.console !== undefined) await serveConsole(app, options.console);
  return app;
}

function logRequests(app: FastifyInstance, log: Log): void {
  app.decorateRequest('about');
  app.addHook('onRequest', async (request, reply) => {
    request.about = {};
    void reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store' });
  });
  app.addHook('onResponse', async (request, reply) => {
    log.info('http.request', {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? '(none)',
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime),
      clientId: request.principal?.name,
      ...request.about,
    });
  });
}
