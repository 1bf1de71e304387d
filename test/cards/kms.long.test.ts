/** Keys of cards in AWS KMS: bound to their card, wrapped again, scheduled for deletion, and out of reach. */
import { CreateKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { acceptCredit } from '../../activities/refund/accept.js';
import { submitCredit } from '../../activities/refund/submit-credit.js';
import { CardUnreadable } from '../../domain/card/sealed-card.js';
import { readSealedCard } from '../../ledger/cards/cards.js';
import type { KeyContext } from '../../ledger/cards/key-provider.js';
import { openKeyProvider } from '../../ledger/cards/open-provider.js';
import { rewrap } from '../../ledger/cards/rewrap.js';
import { openerOf, sealerOf } from '../../ledger/cards/seal.js';
import { newKey } from '../support/card-keys.js';
import { startStack } from '../support/stack.js';
import { CARD, CVV, FINGERPRINT_KEY, storedCard } from './fixtures.js';
import { startLocalKms } from './local-kms.js';

const MINUTE = 60_000;
vi.setConfig({ testTimeout: 2 * MINUTE, hookTimeout: 12 * MINUTE });

const stack = await startStack({ worker: false });
const { database } = stack;
const kms = await startLocalKms();
afterAll(async () => {
  vi.unstubAllEnvs();
  await kms.remove();
  await stack.close();
});
for (const [name, value] of Object.entries(kms.env)) vi.stubEnv(name, value);

const client = new KMSClient({});
afterAll(() => {
  client.destroy();
});
const newKmsKey = async (): Promise<string> => {
  const { KeyMetadata: key } = await client.send(new CreateKeyCommand({}));
  return key?.KeyId ?? expect.fail('KMS made no key');
};
const local = newKey('local');
const withKeys = async (kmsKeyIds: readonly string[], localKeys = [local]) => {
  const provider = await openKeyProvider({ kmsKeyIds, localKeys });
  return { provider, sealer: sealerOf(provider, FINGERPRINT_KEY), opener: openerOf(provider) };
};
const keysOf = async (cardRef: string) =>
  (await database.db.selectFrom('card_keys').selectAll().where('card_id', '=', cardRef).execute()).map(
    ({ kek_id }) => kek_id,
  );
const sealedCard = async (cardRef: string) => {
  const found = await database.transaction((tx) => readSealedCard(tx, cardRef));
  return found.kind === 'sealed' ? found.sealed : expect.fail(found.kind);
};
const CONTEXT: KeyContext = { cardRef: randomUUID(), field: 'card', formatVersion: 1 };
const DATA_KEY = Buffer.alloc(32, 7);

beforeEach(async () => {
  await database.db.deleteFrom('card_keys').execute();
});

describe('a key in KMS', () => {
  it('seals a card and opens it', async () => {
    const vault = await withKeys([await newKmsKey()]);
    const cardRef = await storedCard(database, vault, { ...CARD, cvv: CVV });
    expect(await keysOf(cardRef)).toEqual([vault.provider.sealingKeyId, vault.provider.sealingKeyId]);
    const opened = await vault.opener.open(await sealedCard(cardRef));
    expect(opened.reveal()).toEqual({ ...CARD, cvv: CVV });
  });

  it('opens nothing for another card, another field or another version', async () => {
    const { provider } = await withKeys([await newKmsKey()]);
    const wrapped = await provider.wrap(DATA_KEY, CONTEXT);
    expect(await provider.unwrap(wrapped, CONTEXT)).toEqual(DATA_KEY);
    const others: readonly KeyContext[] = [
      { ...CONTEXT, cardRef: randomUUID() },
      { ...CONTEXT, field: 'cvv' },
      { ...CONTEXT, formatVersion: 2 },
    ];
    for (const other of others)
      await expect(provider.unwrap(wrapped, other), JSON.stringify(other)).rejects.toThrow(CardUnreadable);
  });

  it('opens nothing that another key wrapped, or that was changed', async () => {
    const [one, two] = [await newKmsKey(), await newKmsKey()];
    const { provider } = await withKeys([one, two]);
    const { wrapped } = await provider.wrap(DATA_KEY, CONTEXT);
    await expect(provider.unwrap({ kekId: two, wrapped }, CONTEXT)).rejects.toThrow(CardUnreadable);
    const changed = Buffer.from(wrapped);
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
    await expect(provider.unwrap({ kekId: one, wrapped: changed }, CONTEXT)).rejects.toThrow(CardUnreadable);
  });

  it('takes over from a local key, and hands over to another key in KMS', async () => {
    const cardRef = await storedCard(database, await withKeys([]), { ...CARD, cvv: CVV });
    expect(await keysOf(cardRef)).toEqual(['local', 'local']);
    const [one, two] = [await newKmsKey(), await newKmsKey()];
    const done = { rewrapped: 2, unreadable: 0, left: 0 };
    expect(await rewrap(database, (await withKeys([one])).provider)).toEqual(done);
    expect(await keysOf(cardRef)).toEqual([one, one]);
    expect(await rewrap(database, (await withKeys([two, one], [])).provider)).toEqual(done);
    expect(await keysOf(cardRef)).toEqual([two, two]);
    const { opener } = await withKeys([two], []);
    expect((await opener.open(await sealedCard(cardRef))).reveal()).toEqual({ ...CARD, cvv: CVV });
  });

  it('that is scheduled for deletion opens nothing, and the error names it', async () => {
    const key = await newKmsKey();
    const vault = await withKeys([key]);
    const cardRef = await storedCard(database, vault);
    await client.send(new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }));
    const opening = vault.opener.open(await sealedCard(cardRef));
    await expect(opening).rejects.toThrow(CardUnreadable);
    await expect(opening).rejects.toThrow(key);
  });
});

describe('KMS out of reach', () => {
  it('lets a credit wait without a request to the gateway, and the credit is paid once KMS is back', async () => {
    const vault = await withKeys([await newKmsKey()], []);
    const cardRef = await storedCard(database, vault, { ...CARD, cvv: CVV });
    const id = await approvedCredit(cardRef, vault);
    const deps = { ...stack.dependencies, cards: vault.opener };
    const submitOnce = () => submitCredit(deps, { refundId: id, config: stack.config });
    const credits = () => stack.gateway.engine.transactions().filter(({ type }) => type === 'CD');

    await kms.stop();
    await expect(vault.opener.open(await sealedCard(cardRef))).rejects.not.toThrow(CardUnreadable);
    const waiting = await submitOnce();
    expect(waiting.state).not.toBe('manual_review');
    expect(waiting.attempt).toBeNull();
    expect(await openCases(id)).toEqual([]);
    expect(credits()).toEqual([]);
    expect(await keysOf(cardRef)).toHaveLength(2);

    await kms.start();
    expect((await submitOnce()).state).toBe('succeeded');
    expect(credits()).toHaveLength(1);
  });
});

const openCases = async (id: string) =>
  (
    await database.db
      .selectFrom('cases')
      .select('why')
      .where('refund_id', '=', id)
      .where('closed_at', 'is', null)
      .execute()
  ).map(({ why }) => why);

/** Accepts a credit of 40.00 EUR to the card, and approves it. */
async function approvedCredit(
  cardRef: string,
  { opener }: { readonly opener: ReturnType<typeof openerOf> },
): Promise<string> {
  const deps = { ...stack.dependencies, cards: opener };
  const { ledger } = deps;
  const { refund } = await acceptCredit(deps, {
    clientId: 'shop',
    idempotencyKey: randomUUID(),
    requestedBy: 'clerk',
    request: {
      paymentId: stack.newPayment().paymentId,
      ...{ amount: '40.00', currency: 'EUR', reason: 'goodwill', destination: { cardRef } },
    },
  });
  const snapshot = await submitCredit(deps, { refundId: refund.id, config: stack.config });
  expect(snapshot.state).toBe('awaiting_approval');
  const { approval } = await stack.client.getRefund(refund.id);
  await ledger.decide({
    ...{ refundId: refund.id, verdict: 'approved', instruction: approval?.instruction ?? '' },
    ...{ by: 'boss', reason: 'agreed' },
  });
  return refund.id;
}
