/** Nobody is waited for who has hung up, and nobody keeps this process from ending. */

export function untilGone(
  raw: { readonly socket: { once(event: 'close', listener: () => void): unknown } },
  closing: AbortSignal,
): AbortSignal {
  const gone = new AbortController();
  raw.socket.once('close', () => {
    gone.abort();
  });
  return AbortSignal.any([gone.signal, closing]);
}
