/** Keeps open pages up to date: follows `/v1/stream`, reconnects when the connection is lost, and then refetches everything. */
import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { readEvents } from './event-stream.js';

export type Connection = 'connecting' | 'live' | 'lost';

/** Milliseconds without an event after which the connection is presumed dead. The server sends a heartbeat every 15 s. */
const SILENCE_MS = 40_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** Milliseconds for which changes are collected: a burst of changes causes one refetch. */
const BURST_MS = 150;

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

/** True while the stream is connected. Otherwise pages poll. */
export const isLive = (): boolean => connection === 'live';

function become(next: Connection): void {
  if (connection === next) return;
  connection = next;
  for (const listener of listeners) listener();
}

/** Follows the stream until `signal` aborts, and refetches the live queries after each change. */
export async function followChanges(key: string, queries: QueryClient, signal: AbortSignal): Promise<void> {
  let lastId: string | null = null;
  let pause = FIRST_PAUSE_MS;
  const refresh = inBursts(
    () => void queries.invalidateQueries({ predicate: ({ meta }) => meta?.['live'] === true }),
  );
  const isOver = (): boolean => signal.aborted;
  become('connecting');
  while (!isOver()) {
    const silence = new AbortController();
    let alarm = setTimeout(() => silence.abort(), SILENCE_MS);
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
        pause = FIRST_PAUSE_MS;
        // Changes may have been missed while disconnected.
        refresh();
        for await (const event of readEvents(response.body)) {
          clearTimeout(alarm);
          alarm = setTimeout(() => silence.abort(), SILENCE_MS);
          if (event === null) continue;
          lastId = event.id ?? lastId;
          if (event.event === 'change') refresh();
        }
      }
    } catch {
      // Disconnected, refused or silent: the page shows all of them as "Offline".
    } finally {
      clearTimeout(alarm);
    }
    if (isOver()) return;
    become('lost');
    await sleep(pause * (0.75 + Math.random() / 2), signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

function inBursts(action: () => void): () => void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  return () => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      action();
    }, BURST_MS);
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
