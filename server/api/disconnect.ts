/** Stops waiting when the client disconnects or the server shuts down. */

/** Returns a signal that aborts when the client's connection closes or `closing` aborts. */
export function disconnectSignal(
  raw: { readonly socket: { once(event: 'close', listener: () => void): unknown } },
  closing: AbortSignal,
): AbortSignal {
  const gone = new AbortController();
  raw.socket.once('close', () => {
    gone.abort();
  });
  return AbortSignal.any([gone.signal, closing]);
}
