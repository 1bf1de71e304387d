/**
 * `POST /codec/decode`: the reading half of Temporal's remote codec protocol, for its UI and its command line. The principal's role is checked
 * as for every route, and each use is stored before it is answered. Nothing is encrypted for others: a worker believes a message that is
 * encrypted for its workflow, so one person could approve in another person's name.
 */
import type { Payload } from '@temporalio/common';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { recordPayloadUse } from '../../ledger/access/payload-uses.js';
import { CodecError } from '../../temporal/codec/errors.js';
import { createPayloadCodec, envelopeOf, type Envelope } from '../../temporal/codec/payload-codec.js';
import type { CodecSettings } from '../../temporal/codec/settings.js';
import { principalOf } from './auth.js';
import { Problem } from './problems.js';
import type { ApiParts } from './route-dependencies.js';

export interface CodecServerOptions {
  readonly codec: CodecSettings;
  /** Temporal's namespace. Payloads of another one are refused. */
  readonly namespace: string;
  /** Origins of Temporal's UI, whose pages may call. */
  readonly origins: readonly string[];
}

/** Bytes. Temporal's messages have 4 MiB at most, and base64 is a third longer. */
const LARGEST_BODY = 8 * 1024 * 1024;
const MOST_PAYLOADS = 10_000;

const BASE64 = /^[\w+/-]*={0,2}$/u;
const base64 = z.string().regex(BASE64, 'must be base64');
const body = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), base64).default({}), data: base64.default('') }))
    .max(MOST_PAYLOADS),
});
type JsonPayload = z.infer<typeof body>['payloads'][number];

/** Headers that Temporal's UI sends, and those of `temporal --codec-header`. */
const ALLOWED_HEADERS = 'authorization, content-type, x-namespace, x-workflow-id';

export const payloadCodecRoutes: FastifyPluginAsyncZod<ApiParts & CodecServerOptions> = async (
  app,
  { database, log, codec: settings, namespace, origins },
) => {
  // Plaintext is passed on as it is, also where workers refuse it: payloads from before, and those that the server itself writes.
  const codec = createPayloadCodec(
    { ...settings, mode: settings.mode === 'off' ? 'off' : 'accept-plaintext' },
    namespace,
  );

  // `onSend`, so that a page can read a 401 as well.
  app.addHook('onSend', async ({ headers: { origin } }, reply) => {
    void reply.header('vary', 'origin');
    if (origin === undefined || !origins.includes(origin)) return;
    void reply.headers({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': ALLOWED_HEADERS,
      'access-control-max-age': '600',
    });
  });
  app.options('/codec/decode', { config: { role: 'anyone' }, schema: { hide: true } }, (_request, reply) =>
    reply.code(204).send(),
  );

  const checkNamespace = (named: string | string[] | undefined): void => {
    if (named !== undefined && named !== '' && named !== namespace)
      throw new Problem('payload_unreadable', 'X-Namespace is not the namespace of this deployment');
  };

  async function record(
    { requestId, principal }: { readonly requestId: string; readonly principal: string },
    envelopes: readonly Envelope[],
  ): Promise<void> {
    if (envelopes.length === 0) return;
    const counts = new Map<string | undefined, number>();
    for (const { binding } of envelopes)
      counts.set(binding.workflowId, (counts.get(binding.workflowId) ?? 0) + 1);
    const workflowIds = [...counts.keys()].filter((id) => id !== undefined);
    await recordPayloadUse(database, {
      principal,
      namespace,
      workflowIds,
      payloads: envelopes.length,
    });
    for (const [workflowId, count] of counts)
      log.info('codec.decoded', { requestId, clientId: principal, workflowId, count });
  }

  app.post(
    '/codec/decode',
    { config: { role: 'read' }, bodyLimit: LARGEST_BODY, schema: { hide: true, body } },
    async (request) => {
      checkNamespace(request.headers['x-namespace']);
      const payloads = request.body.payloads.map(fromJson);
      const { decoded, envelopes } = await readable(async () => ({
        decoded: await codec.decode(payloads),
        envelopes: payloads.map(envelopeOf).filter((envelope) => envelope !== undefined),
      }));
      const { name } = principalOf(request);
      await record({ requestId: request.id, principal: name }, envelopes);
      return { payloads: decoded.map(toJson) };
    },
  );
};

/** Translates the codec's errors. Their messages name ids, never content. */
async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CodecError) throw new Problem('payload_unreadable', error.message);
    throw error;
  }
}

const fromJson = ({ metadata, data }: JsonPayload): Payload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, 'base64')]),
  ),
  data: Buffer.from(data, 'base64'),
});

const toJson = ({ metadata, data }: Payload): JsonPayload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});
