/** The forms in which a card number or a security code may be found, and the search for them in bytes, files and folders. */
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { constants, inflateRawSync } from 'node:zlib';

/** One form of one text, as it stands in memory or in a file. */
export interface Needle {
  /** Number of the card or code in the list, and the name of the form. Never the text itself. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** A security code is too short to be searched for alone: it counts with its name beside it. */
export interface Sought {
  readonly numbers: readonly string[];
  readonly codes?: readonly string[];
}

export function needlesOf({ numbers, codes = [] }: Sought): Needle[] {
  return [
    ...numbers.flatMap((number, index) => {
      const named = `card ${index + 1}`;
      return [
        ...encodings(named, number),
        ...groupings(number).flatMap((grouped) => encodings(`${named} in groups`, grouped)),
        ...encodings(`${named} reversed`, Array.from(number).reverse().join('')),
      ];
    }),
    ...codes.flatMap((code, index) => withName(code).flatMap((text) => encodings(`code ${index + 1}`, text))),
  ];
}

function groupings(number: string): string[] {
  const sizes = number.length === 15 ? [4, 6, 5] : number.length === 14 ? [4, 6, 4] : [4, 4, 4, 4, 3];
  let start = 0;
  const groups = sizes.map((size) => number.slice(start, (start += size))).filter((group) => group !== '');
  return [' ', '-', '.', '_', '\u00a0', ' - '].map((separator) => groups.join(separator));
}

const withName = (code: string): string[] => [
  `cvv=${code}`,
  `cvv":"${code}"`,
  `cvv":${code}`,
  `cvv\\":\\"${code}`,
  `cvv: ${code}`,
  `cvv: '${code}'`,
  `cvv' => '${code}'`,
];

function encodings(name: string, text: string): Needle[] {
  const bytes = Buffer.from(text, 'utf8');
  const utf16 = Buffer.from(text, 'utf16le');
  const hex = bytes.toString('hex');
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const all: [string, Buffer | string][] = [
    ['', bytes],
    ['in UTF-16', utf16],
    ['in UTF-16 with the high byte first', Buffer.from(utf16).swap16()],
    ['in hex', hex],
    ['in capital hex', hex.toUpperCase()],
    ['in percents', percent],
    ['in capital percents', percent.toUpperCase()],
    ['as a form value', new URLSearchParams([['', text]]).toString().slice(1)],
    ...[0, 1, 2].map((offset): [string, string] => [`in base64 at ${offset}`, base64At(bytes, offset)]),
  ];
  const seen = new Set<string>();
  return all.flatMap(([form, value]) => {
    const found = Buffer.from(value);
    const key = found.toString('latin1');
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ name: form === '' ? name : `${name} ${form}`, bytes: found }];
  });
}

/** Returns the characters of base64 that only the text decides, if `offset` bytes (modulo 3) stand before it. */
function base64At(text: Buffer, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), text]).toString('base64');
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor(((offset + text.length) * 8) / 6);
  return encoded.slice(first, last);
}

const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);
const GZIP_BASE64 = /H4sI[A-Za-z0-9+/_-]{20,}/g;
const GZIP_HEX = /1f8b08[0-9a-f]{30,}/gi;
const MOST_INFLATED = 16 * 1024 * 1024;

/** Returns the names of the needles that are in the bytes, also where these or a part of them are compressed by gzip. */
export function formsIn(data: Buffer, needles: readonly Needle[], depth = 0): string[] {
  const found = needles.filter(({ bytes }) => data.includes(bytes)).map(({ name }) => name);
  if (depth > 1) return found;
  for (const packed of compressedIn(data)) {
    const inflated = inflate(packed);
    if (inflated !== undefined)
      found.push(...formsIn(inflated, needles, depth + 1).map((name) => `${name}, gzipped`));
  }
  return [...new Set(found)];
}

export const formsInText = (text: string, needles: readonly Needle[]): string[] =>
  formsIn(Buffer.from(text, 'utf8'), needles);

function* compressedIn(data: Buffer): Generator<Buffer> {
  for (let at = data.indexOf(GZIP); at !== -1; at = data.indexOf(GZIP, at + 1)) yield data.subarray(at);
  if (!data.includes('H4sI') && !data.includes('1f8b08') && !data.includes('1F8B08')) return;
  const text = data.toString('latin1');
  for (const [packed] of text.matchAll(GZIP_BASE64)) yield Buffer.from(packed, 'base64');
  for (const [packed] of text.matchAll(GZIP_HEX)) yield Buffer.from(packed, 'hex');
}

/** Inflates what follows the header of a gzip member (RFC 1952) and ignores what stands behind its end. */
function inflate(packed: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(packed.subarray(headerLength(packed), MOST_INFLATED), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: MOST_INFLATED,
    });
  } catch {
    return undefined;
  }
}

const HAS_CRC = 2;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;

function headerLength(packed: Buffer): number {
  const flags = packed[3] ?? 0;
  let at = 10;
  if ((flags & HAS_EXTRA) !== 0 && packed.length > at + 2) at += 2 + packed.readUInt16LE(at);
  for (const flag of [HAS_NAME, HAS_COMMENT]) if ((flags & flag) !== 0) at = packed.indexOf(0, at) + 1;
  return (flags & HAS_CRC) === 0 ? at : at + 2;
}

const CHUNK = 32 * 1024 * 1024;
/** Longer than any needle, so that one across the border of two chunks is found. */
const OVERLAP = 4096;

/** Returns the forms that are in a file of any size. */
export async function formsInFile(file: string, needles: readonly Needle[]): Promise<string[]> {
  if ((await stat(file)).size <= CHUNK) return formsIn(await readFile(file), needles);
  const found = new Set<string>();
  let before = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK })) {
    if (!Buffer.isBuffer(chunk)) continue;
    const data = Buffer.concat([before, chunk]);
    for (const name of formsIn(data, needles)) found.add(name);
    before = data.subarray(-OVERLAP);
  }
  return [...found];
}

/** Returns `file: form` for each file below a folder that has one. Files that vanish meanwhile are skipped. */
export async function formsInFolder(
  folder: string,
  needles: readonly Needle[],
): Promise<{ readonly found: readonly string[]; readonly files: number }> {
  const found: string[] = [];
  let files = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const forms = await formsInFile(file, needles).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    });
    files += 1;
    found.push(...forms.map((form) => `${relative(folder, file)}: ${form}`));
  }
  return { found, files };
}
