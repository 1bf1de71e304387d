/** Receives the gateway's notifications as in production: the API's own server with the webhook key, and the processor behind it. */
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

/** Chosen before the start, because both the gateway and the receiver need it. */
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
  /** Keys by entity. Default: the address's key for the stack's entity. */
  readonly keys?: ReadonlyMap<string, readonly string[]>;
  /** Database that stores the notifications; default the stack's. */
  readonly database?: Database;
  /** Default true. Without the processor, notifications are only stored. */
  readonly processor?: boolean | Pick<ProcessorOptions, 'leaseMs'>;
}

export interface Receiver {
  readonly url: string;
  readonly logged: readonly string[];
  /** Encrypts and posts `content` as the gateway does. Returns the HTTP status. */
  post(content: object, how?: { readonly key?: string; readonly wrapper?: WebhookWrapper }): Promise<number>;
  /** Posts the webhook unchanged. */
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
    limits: stack.limits,
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

/** Makes the gateway post the notifications that are due: any request to it does. */
export async function deliverNotifications({ gateway }: Pick<Stack, 'gateway'>): Promise<void> {
  await (await fetch(`${gateway.url}/_control/settings`)).arrayBuffer();
}
