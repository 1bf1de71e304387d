/** A shop's event receiver: verifies each event, acts once for it, and answers quickly. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { verify, type RefundEvent } from './verify.js';

export interface ReceiverOptions {
  /** The value of `REFUNDS_EVENTS_SECRET`. */
  readonly secret: string;
  /** Called for each new event. Put slow work into a queue: the sender waits 15 seconds for the answer. */
  readonly onEvent: (event: RefundEvent) => Promise<void>;
}

const MAX_BODY_BYTES = 1_024 * 1_024;

/** Ids of the handled events. Use a table for this, written in the same transaction as the change that the event causes. */
const handled = new Set<string>();

export function createReceiver({ secret, onEvent }: ReceiverOptions): Server {
  return createServer((request, response) => {
    receive(request).then(
      (status) => response.writeHead(status).end(),
      // An error of this shop: the event is sent again later.
      () => response.writeHead(500).end(),
    );
  });

  async function receive(request: IncomingMessage): Promise<number> {
    const body = await textOf(request);
    let event: RefundEvent;
    try {
      event = verify(request.headers, body, secret);
    } catch {
      return 400;
    }
    if (handled.has(event.id)) return 204;
    await onEvent(event);
    handled.add(event.id);
    return 204;
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    if (!(part instanceof Buffer)) throw new Error('not bytes');
    size += part.length;
    if (size > MAX_BODY_BYTES) throw new Error('too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
