/** Keeps what is on the screen true: hears of every change as it happens, and asks again where it may have missed one. */
import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { readEvents } from './event-stream.js';

export type Connection = 'connecting' | 'live' | 'lost';

/** The server says something every 15 s, if only that it is there. */
const SILENCE = 40_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** Changes come in bursts; a page asks once for each burst. */
const BURST = 150;

let connection: Connection = 'connecting';
const listeners = new Set<() => void>();

export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connection,
  );
}

/** Whether changes are heard of at this moment; where not, pages ask from time to time. */
export const isLive = (): boolean => connection === 'live';

function become(next: Connection): void {
  if (connection === next) return;
  connection = next;
  for (const listener of listeners) listener();
}

/** Follows the changes until `signal` ends it. Pages that are open are asked for again whenever one concerns them. */
export async function followChanges(key: string, queries: QueryClient, signal: AbortSignal): Promise<void> {
  let lastId: string | null = null;
  let pause = FIRST_PAUSE;
  const refresh = inBursts(
    () => void queries.invalidateQueries({ predicate: ({ meta }) => meta?.['live'] === true }),
  );
  const isOver = (): boolean => signal.aborted;
  become('connecting');
  while (!isOver()) {
    const silence = new AbortController();
    let alarm = setTimeout(() => silence.abort(), SILENCE);
    try {
      const response = await fetch('/v1/stream', {
        headers: {
          accept: 'text/event-stream',
          authorization: `Bearer ${key}`,
          ...(lastId === null ? {} : { 'last-event-id': lastId }),
        },
        signal: AbortSignal.any([signal, silence.signal]),
        cache: 'no-store',
        redirect: 'error',
        credentials: 'omit',
      });
      if (response.ok && response.body !== null) {
        become('live');
        pause = FIRST_PAUSE;
        // What happened while nobody listened.
        refresh();
        for await (const event of readEvents(response.body)) {
          clearTimeout(alarm);
          alarm = setTimeout(() => silence.abort(), SILENCE);
          if (event === null) continue;
          lastId = event.id ?? lastId;
          if (event.event === 'change') refresh();
        }
      }
    } catch {
      // Cut off, refused or silent: all the same to somebody who looks at the page.
    } finally {
      clearTimeout(alarm);
    }
    if (isOver()) return;
    become('lost');
    await sleep(pause * (0.75 + Math.random() / 2), signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

function inBursts(action: () => void): () => void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  return () => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      action();
    }, BURST);
  };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
