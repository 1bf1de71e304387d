/** Compresses answers as servers and proxies do that do not look at `accept-encoding`. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { GatewaySettings } from './settings.js';

/** The bytes on the wire and the headers that name their coding. */
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
