/** Sends notifications as the gateway does: encrypted with AES-256-GCM under the merchant's key, retried for thirty days. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { request } from 'undici';
import type { Notification, NotificationContent } from './notifications.js';

/** Format of the body: `none` is the hex text itself, `json` is `{"encryptedBody":"<hex>"}`. The merchant chooses one in the portal. */
export type WebhookWrapper = 'none' | 'json';

export interface EncryptedWebhook {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `keyHex`: 64 hex digits. `iv`: 12 bytes, by default random. */
export function encryptWebhook(
  keyHex: string,
  clearText: string,
  wrapper: WebhookWrapper = 'none',
  iv: Buffer = randomBytes(12),
): EncryptedWebhook {
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(keyHex, 'hex'), iv);
  const encrypted = Buffer.concat([cipher.update(clearText, 'utf8'), cipher.final()]);
  const hexBody = encrypted.toString('hex').toUpperCase();
  return {
    headers: {
      'content-type': wrapper === 'none' ? 'text/plain' : 'application/json',
      'x-initialization-vector': iv.toString('hex').toUpperCase(),
      'x-authentication-tag': cipher.getAuthTag().toString('hex').toUpperCase(),
    },
    body: wrapper === 'none' ? hexBody : JSON.stringify({ encryptedBody: hexBody }),
  };
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ANSWER_WITHIN = 30_000;

/** The waits between tries: 1, 2, 4, 8, 15, 30 minutes, an hour, then daily for thirty days. */
const WAITS: readonly number[] = [
  ...[1, 2, 4, 8, 15, 30, 60].map((minutes) => minutes * MINUTE),
  ...Array.from({ length: 30 }, () => DAY),
];

export interface WebhookSenderOptions {
  /** The merchant's webhook URL. Only loopback addresses are accepted: the simulator must not call other machines. */
  readonly url: string;
  /** The key of each entity, 64 hex digits. Notifications of an entity without a key are not sent. */
  readonly keys: ReadonlyMap<string, string>;
  /** Default `none`. */
  readonly wrapper?: WebhookWrapper;
  /** Factor for the waits between tries: 0.001 makes a minute 60 ms. Default 1. */
  readonly timeFactor?: number;
}

export interface WebhookSender {
  send(notification: Notification): void;
  /** Returns the number of notifications that are being sent or wait for another try. */
  undelivered(): number;
  /** Drops all undelivered notifications. */
  close(): void;
}

/** @throws an `Error` for a URL that is not on this machine. */
export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  const { hostname } = new URL(options.url);
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) {
    throw new Error(`The gateway simulator sends webhooks to this machine only, not to ${hostname}.`);
  }
  const factor = options.timeFactor ?? 1;
  const timers = new Set<NodeJS.Timeout>();
  const stop = new AbortController();
  let open = 0;

  async function attempt(key: string, content: NotificationContent, tries: number): Promise<void> {
    const delivered = await post(
      options.url,
      encryptWebhook(key, JSON.stringify(content), options.wrapper),
      stop.signal,
    );
    const wait = WAITS[tries];
    if (stop.signal.aborted) return;
    if (delivered || wait === undefined) {
      open -= 1;
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      void attempt(key, content, tries + 1);
    }, wait * factor);
    timer.unref();
    timers.add(timer);
  }

  return {
    send(notification) {
      const own = options.keys.get(notification.entityId);
      if (own === undefined || stop.signal.aborted) return;
      open += 1;
      void attempt(
        notification.key === 'right' ? own : randomBytes(32).toString('hex'),
        notification.content,
        0,
      );
    },
    undelivered: () => open,
    close() {
      stop.abort();
      timers.forEach(clearTimeout);
      timers.clear();
      open = 0;
    },
  };
}

/** Posts a webhook. True if the answer is 2xx within 30 seconds. */
async function post(url: string, webhook: EncryptedWebhook, stop: AbortSignal): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: webhook.headers,
      body: webhook.body,
      signal: AbortSignal.any([stop, AbortSignal.timeout(ANSWER_WITHIN)]),
    });
    await body.dump();
    return statusCode >= 200 && statusCode < 300;
  } catch {
    // A connection error or a timeout counts as an answer that is not 2xx.
    return false;
  }
}
