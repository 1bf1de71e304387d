/** Decodes the body of an answer that a server or a proxy compressed although `identity` was asked for. */
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

export type Decoded =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly why: 'body_too_large' | 'not_decodable' };

type Decoder = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array;

/** The low four bits of a zlib header are 8; some servers send the bare stream instead (RFC 9110, 8.4.1.2). */
const inflate: Decoder = (bytes, options) =>
  ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateSync(bytes, options) : inflateRawSync(bytes, options);

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', gunzipSync],
  ['x-gzip', gunzipSync],
  ['deflate', inflate],
  ['br', brotliDecompressSync],
]);

/** A gateway and a proxy make two. */
const MOST_CODINGS = 4;

/** Undoes the codings of `content-encoding`, the last one first. No step yields more than `limit` bytes. Never throws. */
export function decodeBody(
  bytes: Uint8Array,
  contentEncoding: string | readonly string[] | undefined,
  limit: number,
): Decoded {
  const named = [contentEncoding ?? ''].flat().join(',').toLowerCase().split(',');
  const codings = named.map((name) => name.trim()).filter((name) => name !== '');
  if (codings.length > MOST_CODINGS) return { ok: false, why: 'not_decodable' };
  let decoded = bytes;
  for (const coding of codings.reverse()) {
    if (coding === 'identity' || decoded.byteLength === 0) continue;
    const decode = DECODERS.get(coding);
    if (decode === undefined) return { ok: false, why: 'not_decodable' };
    try {
      decoded = decode(decoded, { maxOutputLength: limit });
    } catch (error) {
      const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
      return { ok: false, why: isTooLarge ? 'body_too_large' : 'not_decodable' };
    }
  }
  return { ok: true, bytes: decoded };
}
