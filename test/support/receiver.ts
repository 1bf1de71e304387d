/** The receiver of notices as in production: the API's own server, opened with the key, with its processor behind it. */
import { randomBytes } from 'node:crypto';
import { buildApi } from '../../server/api/server.js';
import { readinessOf } from '../../client/readiness.js';
import { storeNotifications } from '../../server/webhooks/store.js';
import { startNotificationProcessor, type ProcessorOptions } from '../../server/webhooks/processor.js';
import { Secret } from '../../domain/secret.js';
import { createWebhookReader } from '../../gateway/oppwa/webhook.js';
import type { Database } from '../../ledger/db/database.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import {
  encryptWebhook,
  type EncryptedWebhook,
  type WebhookWrapper,
} from '../../sandbox/gateway/webhooks.js';
import { createLog } from '../../settings/log.js';
import type { Stack } from './stack.js';

/** Chosen before the gateway starts, which has to know it, and the receiver, which has to listen there. */
export interface WebhookAddress {
  readonly port: number;
  readonly url: string;
  readonly key: string;
}

export async function webhookAddress(): Promise<WebhookAddress> {
  const port = await freePort();
  return { port, url: `http://127.0.0.1:${port}/webhooks/oppwa`, key: randomBytes(32).toString('hex') };
}

export interface ReceiverOptions {
  /** Keys by entity; default the address's for the stack's entity. */
  readonly keys?: ReadonlyMap<string, readonly string[]>;
  /** Where it keeps notices; default the stack's. */
  readonly database?: Database;
  /** Default true. Without it notices are kept and nothing else. */
  readonly processor?: boolean | Pick<ProcessorOptions, 'leaseMs'>;
}

export interface Receiver {
  readonly url: string;
  readonly logged: readonly string[];
  /** Sealed and posted as the gateway does; answers the status. */
  post(content: object, how?: { readonly key?: string; readonly wrapper?: WebhookWrapper }): Promise<number>;
  /** As it is. */
  postSealed(webhook: EncryptedWebhook): Promise<Response>;
  close(): Promise<void>;
}

export async function startReceiver(
  stack: Stack,
  { port, url, key }: WebhookAddress,
  { keys, database = stack.database, processor = true }: ReceiverOptions = {},
): Promise<Receiver> {
  const logged: string[] = [];
  const log = createLog({
    role: 'api',
    to: { write: (line) => logged.push(line) + stack.logged.push(line) },
  });
  const { temporal, dependencies, start, queues } = stack;
  const open = keys ?? new Map([[dependencies.defaultEntityId, [key]]]);
  const work =
    processor === false
      ? undefined
      : startNotificationProcessor({
          database,
          dependencies,
          temporal,
          start,
          queues,
          log,
          pollMs: 50,
          ...(processor === true ? {} : processor),
        });
  const app = await buildApi({
    client: stack.client,
    ledger: dependencies.ledger,
    database,
    readiness: readinessOf(database, temporal),
    log,
    requestsPerMinute: 100_000,
    webhooks: {
      store: storeNotifications(database),
      read: createWebhookReader(
        new Map([...open].map(([entity, own]) => [entity, own.map((one) => new Secret(one))])),
      ),
      onStored: () => work?.poke(),
    },
  });
  await app.listen({ host: '127.0.0.1', port });

  const postSealed = ({ headers, body }: EncryptedWebhook): Promise<Response> =>
    fetch(url, { method: 'POST', headers, body });
  return {
    url,
    logged,
    postSealed,
    post: async (content, how = {}) => {
      const answer = await postSealed(encryptWebhook(how.key ?? key, JSON.stringify(content), how.wrapper));
      await answer.arrayBuffer();
      return answer.status;
    },
    async close() {
      await app.close();
      await work?.close();
    },
  };
}

/** The gateway posts what is due when it is spoken to. */
export async function deliverNotifications({ gateway }: Pick<Stack, 'gateway'>): Promise<void> {
  await (await fetch(`${gateway.url}/_control/settings`)).arrayBuffer();
}
