/**
 * Tests what is left of a card in the process that credited it: in a heap snapshot, in a core file and in all of its memory. Measures how
 * long copies live that JavaScript cannot overwrite.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { SealedField } from '../../domain/card/sealed-card.js';
import { Secret } from '../../domain/secret.js';
import { localKeys } from '../../ledger/cards/local-keys.js';
import { sealerOf, type NewCard } from '../../ledger/cards/seal.js';
import { startGatewayServer, type GatewayServer } from '../../sandbox/gateway/server.js';
import { formsInFile, needlesOf, type Needle } from './forms.js';
import { startSender, type Sender } from './sender-process.js';

const ENTITY = { id: '8ac7a4c9'.padEnd(32, '1'), token: 'a-token' };
/** A test card that is in no other file, so that no source text in memory is taken for it. */
const NUMBER = ['4929', '7198', '4726', '3519'].join('');
const CODE = '737';
const NEEDLES = needlesOf({ numbers: [NUMBER], codes: [CODE] });
/** The forms in which a process may hold it: memory is large, and a search for all forms takes minutes. */
const IN_MEMORY: readonly Needle[] = NEEDLES.filter(({ name }) => /^(card|code) 1( in UTF-16)?$/.test(name));

const key = randomBytes(32);
let gateway: GatewayServer;
let sealed: NewCard;
let folder: string;
let sender: Sender;

beforeAll(async () => {
  gateway = await startGatewayServer({ entities: [ENTITY] });
  const provider = localKeys([{ id: 'k1', key: new Secret(Buffer.from(key)) }]);
  sealed = await sealerOf(provider, new Secret(randomBytes(32))).seal('card-1', {
    brand: 'VISA',
    number: NUMBER,
    holder: 'Jane Jones',
    expiryMonth: '05',
    expiryYear: '2034',
    cvv: CODE,
  });
});
afterAll(() => gateway.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refunds-memory-'));
  sender = await startSender(folder);
  const { id: entityId, token } = ENTITY;
  expect(
    await sender.ask({ kind: 'set_up', url: gateway.url, entityId, token, key: key.toString('base64') }),
  ).toBe('ready');
});
afterEach(async () => {
  await sender.stop();
  await rm(folder, { recursive: true, force: true });
});

const wire = ({ sealed: bytes, kekId, wrapped }: SealedField) => ({
  sealed: Buffer.from(bytes).toString('base64'),
  kekId,
  wrapped: Buffer.from(wrapped).toString('base64'),
});

let references = 0;
async function credit(isRegistered = false): Promise<void> {
  if (sealed.cvv === null) throw new Error('the card was sealed without a code');
  references += 1;
  const { cardRef } = sealed;
  const reference = `Cd${String(references).padStart(14, '0')}`;
  const card = { cardRef, card: wire(sealed.card), cvv: wire(sealed.cvv) };
  expect(await sender.ask({ kind: 'credit', reference, isRegistered, ...card })).toBe('000.100.110');
}

const store = (text: string): Promise<string> =>
  sender.ask({ kind: 'store', text: Array.from(text).reverse().join('') });

async function heap(name: string): Promise<string[]> {
  const file = join(folder, `${name}.heapsnapshot`);
  await sender.ask({ kind: 'heap', file });
  return formsInFile(file, NEEDLES);
}

/** Returns the forms in the core file, or undefined if the kernel writes none here. */
async function core(): Promise<string[] | undefined> {
  await sender.abort();
  const file = (await readdir(folder)).find((name) => /^core(\.\d+)?$/.test(name));
  return file === undefined ? undefined : formsInFile(join(folder, file), IN_MEMORY);
}

it('a heap snapshot a second after a credit and a registration has no card and no code', async () => {
  await credit();
  await credit(true);
  await sleep(1_000);
  expect(await heap('after')).toEqual([]);
});

it('a heap snapshot has a card and a code that are stored', async () => {
  await store(NUMBER);
  expect(await heap('number')).toContain('card 1');
  await store(`card.cvv=${CODE}`);
  expect(await heap('code')).toContain('code 1');
});

it('a core file has a card that is stored', async ({ skip }) => {
  await store(NUMBER);
  const forms = await core();
  if (forms === undefined) skip('the kernel writes no core file here');
  expect(forms).toContain('card 1');
});

it('fewer copies are in memory after a garbage collection than at once: the bytes of the request are overwritten, strings are not', async () => {
  const rows: string[] = [];
  const measure = (when: string): number => {
    const { copies, bytes } = sender.memory(IN_MEMORY);
    rows.push(`${when}: ${copies} copies in ${Math.round(bytes / 1e6)} MB`);
    return copies;
  };
  expect(measure('before the credit')).toBe(0);
  await credit();
  const atOnce = measure('at once');
  await sleep(1_000);
  measure('after 1 s without work');
  await sleep(30_000);
  measure('after 31 s without work');
  for (let done = 0; done < 2_000; done += 500) {
    await sender.ask({ kind: 'work', times: 500 });
    measure(`after ${done + 500} other requests`);
  }
  await sender.ask({ kind: 'collect' });
  await sender.ask({ kind: 'work', times: 50 });
  await sender.ask({ kind: 'collect' });
  const left = measure('after a full garbage collection');
  console.log(`Copies of a card and its code in the memory of the process:\n${rows.join('\n')}`);
  expect(left).toBeLessThan(atOnce);
});
