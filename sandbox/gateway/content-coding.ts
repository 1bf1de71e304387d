/** Compresses answers without regard to `accept-encoding`, as some servers and proxies do. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { GatewaySettings } from './settings.js';

/** Returns the bytes on the wire and the header that names their coding. */
export function encodeBody(
  text: string,
  coding: GatewaySettings['contentCoding'],
): { readonly bytes: Uint8Array; readonly headers: Readonly<Record<string, string>> } {
  const bytes = Buffer.from(text);
  switch (coding) {
    case 'identity':
      return { bytes, headers: {} };
    case 'gzip':
      return { bytes: gzipSync(bytes), headers: { 'content-encoding': 'gzip' } };
    case 'deflate':
      return { bytes: deflateSync(bytes), headers: { 'content-encoding': 'deflate' } };
    case 'br':
      return { bytes: brotliCompressSync(bytes), headers: { 'content-encoding': 'br' } };
    case 'unknown':
      return { bytes, headers: { 'content-encoding': 'x-sandbox' } };
  }
}
