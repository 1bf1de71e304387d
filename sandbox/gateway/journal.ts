/** Stores the gateway simulator's books in a file, one JSON line for each change, so that they survive a crash of the process. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { StoreEntry } from './store.js';
import { deferredCodec, registrationCodec, transactionCodec } from './types.js';

const entryCodec = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('transaction'), transaction: transactionCodec }),
  z.object({
    kind: z.literal('registration'),
    registration: registrationCodec,
  }),
  z.object({ kind: z.literal('deferred'), deferred: deferredCodec }),
  z.object({ kind: z.literal('deferred_done'), key: z.string() }),
]);

export interface Journal {
  /** The entries in the file when it was opened, oldest first. */
  readonly history: readonly StoreEntry[];
  /** Writes an entry. It is with the operating system when this returns, so that killing the process does not lose it. */
  readonly append: (entry: StoreEntry) => void;
  close(): void;
}

/**
 * Opens or creates the journal. An incomplete last line was being written when the process died; no answer was sent for
 * it, and it is removed.
 *
 * @throws an `Error` for any other line that cannot be read.
 */
export function openJournal(file: string): Journal {
  mkdirSync(dirname(file), { recursive: true });
  const content = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const complete = content.subarray(0, content.lastIndexOf(0x0a) + 1);
  if (complete.length < content.length) truncateSync(file, complete.length);
  const history = complete
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => parseLine(file, line, index + 1));

  const descriptor = openSync(file, 'a', 0o600);
  return {
    history,
    append(entry) {
      writeSync(descriptor, `${JSON.stringify(z.encode(entryCodec, entry))}\n`);
    },
    close() {
      closeSync(descriptor);
    },
  };
}

function parseLine(file: string, line: string, number: number): StoreEntry {
  try {
    return entryCodec.parse(JSON.parse(line));
  } catch (cause) {
    throw new Error(
      `The gateway's books in ${file} are damaged at line ${number}. Remove the whole data folder to start empty.`,
      { cause },
    );
  }
}
