/**
 * Encrypts payloads with AES-256-GCM. Key id, namespace and workflow id stand in the clear in the payload's metadata and are authenticated.
 *
 * Encrypted: arguments and results of workflows, activities, signals, updates and queries, memo, heartbeat details, failures, summaries and
 * details. Not encrypted, because the server reads them: ids, type names, task queues, search attributes. Nor headers, which the SDK does not
 * hand to a codec.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import proto from '@temporalio/proto';
import { bindingOf, checkBinding, nameOf, type Binding } from './binding.js';
import { CodecError } from './errors.js';
import type { CodecKey, CodecSettings } from './settings.js';

const { Payload: PayloadProto } = proto.temporal.api.common.v1;

const CIPHER = 'aes-256-gcm';
/** Bytes. A random nonce is safe for 2^32 payloads with one key (NIST SP 800-38D, 8.3). */
const NONCE = 12;
const TAG = 16;

/** Names of Temporal's own encryption samples, so other tools recognize an encrypted payload. */
const ENCODING = 'binary/encrypted';
const METADATA = {
  encoding: 'encoding',
  keyId: 'encryption-key-id',
  namespace: 'namespace',
  workflowId: 'workflow-id',
} as const;

/** Part of the authenticated data. Another format gets another text. */
const FORMAT = 'oppwa-refunds payload 1';

/** A payload of this codec, as its metadata describes it. Not authentic until it is decrypted. */
export interface Envelope {
  readonly keyId: string;
  readonly binding: Binding;
}

export interface OwnPayloadCodec extends PayloadCodec {
  /** Encrypts in every mode. Throws where there is no key. */
  encrypt(payload: Payload, binding: Binding): Payload;
}

/**
 * @param settings the mode and the keys.
 * @param namespace used for payloads that the SDK gives no context for. Undefined: a payload is accepted from any namespace and workflow, which
 *   only the replay tool does.
 */
export function createPayloadCodec(settings: CodecSettings, namespace: string | undefined): OwnPayloadCodec {
  const keys = new Map(settings.keys.map((one) => [one.id, one]));
  const [first] = settings.keys;
  const encrypt = (payload: Payload, binding: Binding): Payload => {
    if (first === undefined) throw new CodecError('key_missing', 'no key of the payload codec is configured');
    return seal(payload, first, binding);
  };
  const decode = (payload: Payload, expected: Partial<Binding>): Payload => {
    const envelope = envelopeOf(payload);
    if (envelope === undefined) {
      if (settings.mode === 'required')
        throw new CodecError(
          'plaintext_refused',
          'a payload is not encrypted, and REFUNDS_CODEC is required; accept-plaintext reads payloads from before',
        );
      return payload;
    }
    checkBinding(envelope.binding, expected);
    const key = keys.get(envelope.keyId);
    if (key === undefined) throw keyMissing(envelope.keyId, settings.keys);
    return open(payload, key, envelope.binding);
  };
  return {
    encrypt,
    encode(payloads, context) {
      if (settings.mode === 'off') return Promise.resolve(payloads);
      return settled(() => {
        const binding = bindingOf(context, namespace ?? '');
        return payloads.map((payload) => encrypt(payload, binding));
      });
    },
    decode(payloads, context) {
      return settled(() => {
        const expected = expectedIn(context, namespace);
        return payloads.map((payload) => decode(payload, expected));
      });
    },
  };
}

const expectedIn = (
  context: SerializationContext | undefined,
  namespace: string | undefined,
): Partial<Binding> => (namespace === undefined ? {} : bindingOf(context, namespace));

/** Returns what the metadata of an encrypted payload states; undefined for a payload in the clear. */
export function envelopeOf({ metadata }: Payload): Envelope | undefined {
  const text = (name: string): string | undefined => {
    const bytes = metadata?.[name];
    return bytes == null ? undefined : Buffer.from(bytes).toString('utf8');
  };
  if (text(METADATA.encoding) !== ENCODING) return undefined;
  const keyId = text(METADATA.keyId);
  const namespace = text(METADATA.namespace);
  if (keyId === undefined || namespace === undefined)
    throw new CodecError('malformed', 'an encrypted payload names no key or no namespace');
  return { keyId, binding: { namespace, workflowId: text(METADATA.workflowId) } };
}

function seal(payload: Payload, { id, key }: CodecKey, binding: Binding): Payload {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG });
  cipher.setAAD(authenticated(id, binding));
  const sealed = cipher.update(PayloadProto.encode(payload).finish());
  cipher.final();
  return {
    metadata: {
      [METADATA.encoding]: Buffer.from(ENCODING),
      [METADATA.keyId]: Buffer.from(id),
      [METADATA.namespace]: Buffer.from(binding.namespace),
      ...(binding.workflowId === undefined ? {} : { [METADATA.workflowId]: Buffer.from(binding.workflowId) }),
    },
    data: Buffer.concat([nonce, sealed, cipher.getAuthTag()]),
  };
}

function open({ data }: Payload, { id, key }: CodecKey, binding: Binding): Payload {
  if (data == null || data.length < NONCE + TAG)
    throw new CodecError('malformed', 'an encrypted payload is too short');
  const decipher = createDecipheriv(CIPHER, key, data.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(authenticated(id, binding));
  decipher.setAuthTag(data.subarray(data.length - TAG));
  let plain: Buffer;
  try {
    plain = decipher.update(data.subarray(NONCE, data.length - TAG));
    decipher.final();
  } catch {
    throw new CodecError(
      'not_authentic',
      `a payload cannot be decrypted with the key ${nameOf(id)}: it was changed, or this key has the same id but other bytes than the one that encrypted it`,
    );
  }
  return PayloadProto.decode(plain);
}

/** Returns the authenticated data. JSON keeps the parts apart. */
const authenticated = (keyId: string, { namespace, workflowId }: Binding): Buffer =>
  Buffer.from(JSON.stringify([FORMAT, keyId, namespace, workflowId ?? null]));

function keyMissing(id: string, keys: readonly CodecKey[]): CodecError {
  const known = keys.map((key) => key.id).join(', ');
  return new CodecError(
    'key_missing',
    `a payload was encrypted with the key ${nameOf(id)}, which is not in REFUNDS_CODEC_KEYS_FILE (${known === '' ? 'no key is configured' : `it has ${known}`})`,
  );
}

/** Encryption is synchronous: the queue of WebCrypto costs five times the CPU for payloads of this size. The SDK expects a promise. */
function settled<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}
