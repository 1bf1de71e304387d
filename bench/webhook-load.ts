/** Sends encrypted gateway notifications at a fixed rate, and measures when each one is answered. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { encryptWebhook } from '../sandbox/gateway/webhooks.js';

export interface WebhookLoad {
  readonly perSecond: number;
  readonly seconds: number;
  /** 64 hex digits. */
  readonly key: string;
  readonly entityId: string;
}

export interface Answered {
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  /** Milliseconds between its planned time and its sending: a delay of the sender, not of the receiver. */
  readonly lateMs: number;
  /** Milliseconds from sending it until the whole answer was received. */
  readonly ms: number;
  readonly isAcknowledged: boolean;
}

const EVERY_MS = 2;
const CONNECTIONS = 64;
const WARM_UP = 600;

/** Sends the notifications and returns a measurement for each. Passes the progress to `print` once a second. */
export async function sendNotifications(
  url: string,
  load: WebhookLoad,
  print: (line: string) => void,
): Promise<readonly Answered[]> {
  const { perSecond, seconds } = load;
  const total = perSecond * seconds;
  const pool = new Pool(url, { connections: CONNECTIONS });
  const answered: Answered[] = [];
  const answers: Promise<unknown>[] = [];
  const begun = performance.now();
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) / 1_000) * perSecond));
    for (; sent < due; sent += 1) {
      const dueAt = begun + ((sent + 1) / perSecond) * 1_000;
      answers.push(send(pool, load, dueAt).then((one) => answered.push(one)));
      if (sent % perSecond === 0) print(`${sent} of ${total} sent, ${answered.length} answered`);
    }
    await pause(EVERY_MS);
  }
  await Promise.all(answers);
  await pool.close();
  return answered;
}

/**
 * Warms up the sender's code at a server of its own. Otherwise compiling it would take milliseconds of the first
 * measurements, on processors that it shares with the receiver. The receiver is not warmed up.
 */
export async function warmUpSender(load: WebhookLoad): Promise<void> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const pool = new Pool(`http://127.0.0.1:${address.port}`, { connections: 4 });
  for (let sent = 0; sent < WARM_UP; sent += 4)
    await Promise.all(Array.from({ length: 4 }, () => send(pool, load, performance.now())));
  await pool.close();
  server.close();
}

async function send(pool: Pool, { key, entityId }: WebhookLoad, dueAt: number): Promise<Answered> {
  const { headers, body } = encryptWebhook(key, JSON.stringify(notification(entityId)));
  const sentAt = performance.now();
  let isAcknowledged = false;
  try {
    const answer = await pool.request({ method: 'POST', path: '/webhooks/oppwa', headers, body });
    await answer.body.dump();
    isAcknowledged = answer.statusCode < 300;
  } catch {
    // A connection error counts as not acknowledged.
  }
  return {
    sentAt: performance.timeOrigin + sentAt,
    lateMs: sentAt - dueAt,
    ms: performance.now() - sentAt,
    isAcknowledged,
  };
}

const hex = (): string => randomBytes(16).toString('hex');

/** A notification. Half of them are refunds that are not in the ledger, the most expensive case; half are payments. */
function notification(entityId: string): object {
  const id = hex();
  return {
    type: 'PAYMENT',
    payload: {
      id,
      paymentType: id < '8' ? 'RF' : 'DB',
      paymentBrand: 'VISA',
      amount: '60.00',
      currency: 'EUR',
      merchantTransactionId: id.slice(0, 16).toUpperCase(),
      referencedId: hex(),
      result: { code: '000.100.110', description: 'Request successfully processed' },
      timestamp: new Date().toISOString(),
      shortId: '1234.5678.9012',
      channelName: 'bench',
      authentication: { entityId },
    },
  };
}
