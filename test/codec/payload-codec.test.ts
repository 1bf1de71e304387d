/** The payload codec: a payload is read only with its key, in its namespace, in its workflow, unchanged. */
import { inspect } from 'node:util';
import { defaultPayloadConverter, type Payload, type SerializationContext } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { CodecProblem } from '../../temporal/codec/errors.js';
import { createPayloadCodec, envelopeOf } from '../../temporal/codec/payload-codec.js';
import { codecWith, newKey } from './keys.js';

const NAMESPACE = 'refunds';
const WORKFLOW: SerializationContext = { type: 'workflow', namespace: NAMESPACE, workflowId: 'refund-1' };
const ACTIVITY: SerializationContext = {
  type: 'activity',
  namespace: NAMESPACE,
  workflowId: 'refund-1',
  activityId: '1',
  isLocal: false,
};
const november = newKey('2026-11');
const december = newKey('2026-12');
const required = createPayloadCodec(codecWith('required', november), NAMESPACE);

const SECRET = 'order-4711 was returned';
const convert = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const plain = (): Payload => convert({ reason: SECRET });
const valueOf = (payload: Payload | undefined): unknown =>
  payload === undefined ? undefined : defaultPayloadConverter.fromPayload(payload);

async function sealed(
  context: SerializationContext | undefined = WORKFLOW,
  codec = required,
): Promise<Payload> {
  const [payload] = await codec.encode([plain()], context);
  if (payload === undefined) throw new Error('no payload');
  return payload;
}

const refusal = (
  payload: Payload,
  context: SerializationContext | undefined = WORKFLOW,
  codec = required,
): Promise<unknown> =>
  codec.decode([payload], context).then(
    (payloads) => payloads.map(valueOf),
    (error: unknown) => error,
  );
const refusedAs = (code: CodecProblem, ...texts: readonly string[]) =>
  expect.objectContaining({
    code,
    message: expect.stringMatching(new RegExp(texts.join('.*'), 'u')) as unknown,
  }) as unknown;

const withMetadata = (payload: Payload, name: string, text: string): Payload => ({
  ...payload,
  metadata: { ...payload.metadata, [name]: Buffer.from(text) },
});

describe('an encrypted payload', () => {
  it.for([
    ['an object', { reason: SECRET, amount: '1.00' }],
    ['a text', 'text'],
    ['null', null],
    ['nothing', undefined],
    ['bytes', new Uint8Array([1, 2, 3])],
    ['a list of 100,000 characters', ['x'.repeat(100_000)]],
  ] as const)('is read where it was written: %s', async ([, value]) => {
    const encoded = await required.encode([convert(value), convert(1)], WORKFLOW);
    const [first, second] = await required.decode(encoded, WORKFLOW);
    expect(valueOf(first)).toEqual(value);
    expect(valueOf(second)).toBe(1);
  });

  it('shows key, namespace and workflow, and nothing of the content', async () => {
    const payload = await sealed();
    expect(envelopeOf(payload)).toEqual({
      keyId: '2026-11',
      binding: { namespace: NAMESPACE, workflowId: 'refund-1' },
    });
    const all = [...Object.values(payload.metadata ?? {}), payload.data ?? new Uint8Array()].map((bytes) =>
      Buffer.from(bytes).toString('latin1'),
    );
    for (const hidden of [SECRET, 'reason', 'json/plain']) expect(all.join()).not.toContain(hidden);
  });

  it('differs from another one of the same content', async () => {
    expect(Buffer.from((await sealed()).data ?? [])).not.toEqual(Buffer.from((await sealed()).data ?? []));
  });

  it('is read by the activities of its workflow, and their results by the workflow', async () => {
    expect(await refusal(await sealed(WORKFLOW), ACTIVITY)).toEqual([{ reason: SECRET }]);
    expect(await refusal(await sealed(ACTIVITY), WORKFLOW)).toEqual([{ reason: SECRET }]);
  });

  it('is read without a context, as the codec server does', async () => {
    const payload = await sealed();
    expect((await required.decode([payload])).map(valueOf)).toEqual([{ reason: SECRET }]);
  });

  it('is refused after a change of any byte', async () => {
    const payload = await sealed();
    for (let index = 0; index < (payload.data?.length ?? 0); index += 1) {
      const data = Buffer.from(payload.data ?? []);
      data[index] = (data[index] ?? 0) ^ 1;
      expect(await refusal({ ...payload, data }), `byte ${index}`).toEqual(
        refusedAs('not_authentic', '2026-11'),
      );
    }
  });

  it('is refused if it is cut off or empty', async () => {
    const payload = await sealed();
    for (const length of [0, 1, 27])
      expect(
        await refusal({ ...payload, data: (payload.data ?? new Uint8Array()).subarray(0, length) }),
      ).toEqual(refusedAs('malformed', 'too short'));
    expect(await refusal({ metadata: payload.metadata ?? {} })).toEqual(refusedAs('malformed'));
    expect(await refusal({ metadata: { encoding: Buffer.from('binary/encrypted') } })).toEqual(
      refusedAs('malformed', 'names no key'),
    );
  });

  it('is refused in another workflow and in another namespace', async () => {
    const payload = await sealed();
    expect(await refusal(payload, { ...WORKFLOW, workflowId: 'refund-2' })).toEqual(
      refusedAs('other_workflow', 'refund-1', 'refund-2'),
    );
    expect(await refusal(payload, { ...ACTIVITY, workflowId: 'refund-2' })).toEqual(
      refusedAs('other_workflow', 'refund-1', 'refund-2'),
    );
    expect(await refusal(payload, { ...WORKFLOW, namespace: 'shop' })).toEqual(
      refusedAs('other_namespace', 'refunds', 'shop'),
    );
    const shop = createPayloadCodec(codecWith('required', november), 'shop');
    await expect(shop.decode([payload])).rejects.toEqual(refusedAs('other_namespace', 'refunds', 'shop'));
  });

  it('is refused if its metadata was changed to fit', async () => {
    const payload = await sealed();
    const moved = withMetadata(payload, 'workflow-id', 'refund-2');
    expect(await refusal(moved, { ...WORKFLOW, workflowId: 'refund-2' })).toEqual(refusedAs('not_authentic'));
    const elsewhere = withMetadata(payload, 'namespace', 'shop');
    expect(await refusal(elsewhere, { ...WORKFLOW, namespace: 'shop' })).toEqual(refusedAs('not_authentic'));
    const { ['workflow-id']: _, ...unbound } = payload.metadata ?? {};
    await expect(required.decode([{ ...payload, metadata: unbound }])).rejects.toEqual(
      refusedAs('not_authentic'),
    );
  });

  it('that belongs to no workflow is refused in every workflow', async () => {
    const [payload] = await required.encode([plain()]);
    if (payload === undefined) throw new Error('no payload');
    expect((await required.decode([payload])).map(valueOf)).toEqual([{ reason: SECRET }]);
    expect(await refusal(payload)).toEqual(refusedAs('other_workflow', 'belongs to no workflow', 'refund-1'));
  });

  it('of a schedule is read by each of its runs, and by no other workflow', async () => {
    const of = (workflowId: string): SerializationContext => ({ ...WORKFLOW, workflowId });
    const input = await sealed(of('refunds-sweep'));
    expect(await refusal(input, of('refunds-sweep-2026-11-30T08:06:15Z'))).toEqual([{ reason: SECRET }]);
    const result = await sealed(of('refunds-sweep-2026-11-30T08:06:15Z'));
    expect(await refusal(result, of('refunds-sweep-2026-11-30T08:07:15Z'))).toEqual([{ reason: SECRET }]);
    for (const other of ['refunds-audit-2026-11-30T08:06:15Z', 'refunds-sweep-2026', 'refunds'])
      expect(await refusal(input, of(other)), other).toEqual(refusedAs('other_workflow'));
  });

  it('hides ids of its metadata in a message if they are not ids', async () => {
    const strange = withMetadata(await sealed(), 'encryption-key-id', '4200 0000 0000 0000');
    expect(await refusal(strange)).toEqual(refusedAs('key_missing', String.raw`\(id hidden\)`));
  });
});

describe('keys', () => {
  it('are rotated: the first encrypts, the others decrypt', async () => {
    const old = await sealed();
    const rotated = createPayloadCodec(codecWith('required', december, november), NAMESPACE);
    expect(await refusal(old, WORKFLOW, rotated)).toEqual([{ reason: SECRET }]);
    const fresh = await sealed(WORKFLOW, rotated);
    expect(envelopeOf(fresh)?.keyId).toBe('2026-12');
    expect(await refusal(fresh)).toEqual(refusedAs('key_missing', '2026-12', 'it has 2026-11'));
  });

  it('that are missing are named, and no other key is tried', async () => {
    const payload = await sealed();
    const without = createPayloadCodec(codecWith('required', december), NAMESPACE);
    expect(await refusal(payload, WORKFLOW, without)).toEqual(refusedAs('key_missing', '2026-11', '2026-12'));
    const none = createPayloadCodec(codecWith('off'), NAMESPACE);
    expect(await refusal(payload, WORKFLOW, none)).toEqual(
      refusedAs('key_missing', '2026-11', 'no key is configured'),
    );
    const other = createPayloadCodec(codecWith('required', newKey('2026-11')), NAMESPACE);
    expect(await refusal(payload, WORKFLOW, other)).toEqual(refusedAs('not_authentic', '2026-11', 'same id'));
  });

  it('are not printed', () => {
    const settings = codecWith('required', november);
    const bytes = november.key.export();
    for (const text of [inspect(settings, { depth: 9, showHidden: true }), JSON.stringify(settings)])
      for (const encoding of ['hex', 'base64'] as const) expect(text).not.toContain(bytes.toString(encoding));
  });
});

describe('a payload in the clear', () => {
  it('is refused once encryption is required', async () => {
    expect(await refusal(plain())).toEqual(refusedAs('plaintext_refused', 'accept-plaintext'));
    const inTheClear = await required.decode([plain()]).catch((error: unknown) => error);
    expect(inTheClear).toEqual(refusedAs('plaintext_refused'));
  });

  it.for(['accept-plaintext', 'off'] as const)('is read with %s, whatever its metadata', async (mode) => {
    const codec = createPayloadCodec(codecWith(mode, november), NAMESPACE);
    for (const payload of [
      plain(),
      convert(undefined),
      withMetadata(withMetadata(plain(), 'encryption-key-id', 'other'), 'workflow-id', 'refund-9'),
      withMetadata(plain(), 'encoding', 'binary/zlib'),
      { data: new Uint8Array([1]) },
      {},
    ])
      expect(await codec.decode([payload], WORKFLOW)).toEqual([payload]);
    // Encrypted ones as well, so the mode can be changed back.
    expect(await refusal(await sealed(), WORKFLOW, codec)).toEqual([{ reason: SECRET }]);
  });

  it('is written with off only', async () => {
    expect(
      await createPayloadCodec(codecWith('off', november), NAMESPACE).encode([plain()], WORKFLOW),
    ).toEqual([plain()]);
    const accepting = createPayloadCodec(codecWith('accept-plaintext', november), NAMESPACE);
    expect(envelopeOf(await sealed(WORKFLOW, accepting))?.keyId).toBe('2026-11');
  });
});

describe('the replay tool', () => {
  it('reads payloads of every workflow and namespace, but none that was changed', async () => {
    const codec = createPayloadCodec(codecWith('required', november), undefined);
    const payload = await sealed();
    const anywhere: SerializationContext = { type: 'workflow', namespace: 'default', workflowId: 'a-file' };
    expect(await refusal(payload, anywhere, codec)).toEqual([{ reason: SECRET }]);
    expect(await refusal(withMetadata(payload, 'workflow-id', 'refund-2'), anywhere, codec)).toEqual(
      refusedAs('not_authentic'),
    );
  });
});
