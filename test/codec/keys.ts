/** Keys and settings of the payload codec for tests. */
import { createSecretKey, randomBytes } from 'node:crypto';
import type { CodecKey, CodecMode, CodecSettings } from '../../temporal/codec/settings.js';

export const newKey = (id: string): CodecKey => ({ id, key: createSecretKey(randomBytes(32)) });

export const codecWith = (mode: CodecMode, ...keys: readonly CodecKey[]): CodecSettings => ({ mode, keys });
