/** Settings of the payload codec. Worker, client, schedules, replay tool and codec server use the same object. */
import type { KeyObject } from 'node:crypto';

/**
 * `off`: payloads are written in the clear. `accept-plaintext`: payloads are encrypted; those that were written in the clear are read.
 * `required`: payloads are encrypted, and one in the clear is refused.
 */
export const CODEC_MODES = ['off', 'accept-plaintext', 'required'] as const;
export type CodecMode = (typeof CODEC_MODES)[number];

export interface CodecKey {
  /** Part of each payload that this key encrypted. */
  readonly id: string;
  /** 256 bits for AES. */
  readonly key: KeyObject;
}

export interface CodecSettings {
  readonly mode: CodecMode;
  /** The first encrypts, all decrypt. Empty only with `off`. */
  readonly keys: readonly CodecKey[];
}

export const CODEC_OFF: CodecSettings = { mode: 'off', keys: [] };
