/** Tests that the search finds each form of a card number and of a security code, in bytes and in files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { formsIn, formsInFile, formsInFolder, needlesOf } from './forms.js';

const NUMBER = '4929719847263518';
const needles = needlesOf({ numbers: [NUMBER], codes: ['737'] });
const groups = NUMBER.match(/.{4}/g) ?? [];
const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
const json = (value: unknown): string => JSON.stringify(value);

const PLANTED: readonly [string, Buffer | string][] = [
  ['whole', `paid with ${NUMBER}.`],
  ...[' ', '-', '.', '_'].map((by): [string, string] => [`grouped by "${by}"`, groups.join(by)]),
  ['reversed', Array.from(NUMBER).reverse().join('')],
  ...[0, 1, 2].map((offset): [string, string] => [
    `base64 after ${offset} bytes`,
    Buffer.from(`${'x'.repeat(offset)}${NUMBER}, and more`).toString('base64'),
  ]),
  ['base64url', Buffer.from(`{"number":"${NUMBER}"}`).toString('base64url')],
  ['hex', Buffer.from(NUMBER).toString('hex')],
  ['percents', [...Buffer.from(NUMBER)].map((byte) => `%${byte.toString(16)}`).join('')],
  ['a form', new URLSearchParams({ 'card.number': groups.join(' ') }).toString()],
  ['UTF-16', Buffer.from(NUMBER, 'utf16le')],
  ['UTF-16, high byte first', swapped(NUMBER)],
  ['gzip', Buffer.concat([Buffer.from('before'), gzipSync(json({ number: NUMBER })), Buffer.from('after')])],
  ['gzip in base64', `x ${gzipSync(json({ number: NUMBER })).toString('base64')}`],
  ['gzip in hex', `\\x${gzipSync(json({ number: NUMBER })).toString('hex')}`],
  ['a code in a form', 'card.cvv=737&x=1'],
  ['a code in JSON', json({ cvv: '737' })],
  ['a code in JSON in JSON', json(json({ cvv: '737' }))],
  ['a code in inspected text', "{ cvv: '737' }"],
  ['a code in base64', Buffer.from(json({ cvv: '737' })).toString('base64')],
  ['a code in gzip', gzipSync('card.cvv=737')],
];

it.each(PLANTED)('it is found as %s', (_form, planted) => {
  const noise = Buffer.from('0123456789'.repeat(50));
  expect(formsIn(Buffer.concat([noise, Buffer.from(planted), noise]), needles)).not.toEqual([]);
});

it('nothing is found in other numbers, in the last four digits, and in a code without its name', () => {
  const others = json({
    last4: NUMBER.slice(-4),
    bin: NUMBER.slice(0, 6),
    order: '737',
    other: '4929719847263511',
  });
  expect(formsIn(Buffer.from(others), needles)).toEqual([]);
  expect(formsIn(gzipSync(others), needles)).toEqual([]);
});

it('names the form and never the text', () => {
  const names = needles.map(({ name }) => name).join(' ');
  expect(names).not.toContain(NUMBER);
  expect(names).not.toContain('737');
});

it('it is found across the border of two chunks of a file, and named with its file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'leaks-'));
  try {
    const file = join(folder, 'large');
    const border = 32 * 1024 * 1024 - 8;
    await writeFile(
      file,
      Buffer.concat([Buffer.alloc(border, 'x'), Buffer.from(NUMBER), Buffer.alloc(100, 'x')]),
    );
    await writeFile(join(folder, 'clean'), 'nothing');
    expect(await formsInFile(file, needles)).toEqual(['card 1']);
    expect(await formsInFolder(folder, needles)).toEqual({ found: ['large: card 1'], files: 2 });
  } finally {
    await rm(folder, { recursive: true });
  }
}, 120_000);
