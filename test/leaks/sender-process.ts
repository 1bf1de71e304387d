/** Runs the program that opens and credits sealed cards, and reads its memory. */
import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { once } from 'node:events';
import type { Needle } from './forms.js';
import type { Order } from './sender.js';

export interface Sender {
  readonly pid: number;
  ask(order: Order): Promise<string>;
  /** Returns the forms that are in the memory of the process now, and how many bytes were read. */
  memory(needles: readonly Needle[]): {
    readonly forms: readonly string[];
    readonly copies: number;
    readonly bytes: number;
  };
  /** Ends it by SIGABRT, for which the kernel writes a core file to `folder` where it is set up so. */
  abort(): Promise<void>;
  stop(): Promise<void>;
}

/** `folder`: its working folder, and that of its core file. */
export async function startSender(folder: string): Promise<Sender> {
  const program = new URL('sender.ts', import.meta.url).pathname;
  const tsx = import.meta.resolve('tsx');
  // The shell sets the limit and becomes the program.
  const child: ChildProcess = fork(program, [], {
    cwd: folder,
    execPath: '/bin/sh',
    execArgv: ['-c', `ulimit -c unlimited; exec "${process.execPath}" --expose-gc --import "${tsx}" "$0"`],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error('the sender did not start');
  const ended = once(child, 'exit');
  return {
    pid,
    async ask(order) {
      const answer = once(child, 'message');
      child.send(order);
      return String((await Promise.race([answer, ended.then(() => ['it ended'])]))[0]);
    },
    memory: (needles) => memoryOf(pid, needles),
    async abort() {
      child.kill('SIGABRT');
      await ended;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.disconnect();
      await ended;
    },
  };
}

const CHUNK = 16 * 1024 * 1024;

/** Reads all writable memory of a process, as a core file would hold it. */
function memoryOf(pid: number, needles: readonly Needle[]): ReturnType<Sender['memory']> {
  const forms = new Set<string>();
  let bytes = 0;
  let copies = 0;
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
      if (range === null) continue;
      const [from, to] = [parseInt(range[1] ?? '', 16), parseInt(range[2] ?? '', 16)];
      for (let at = from; at < to; at += CHUNK) {
        const chunk = Buffer.alloc(Math.min(CHUNK, to - at));
        try {
          const length = readSync(memory, chunk, 0, chunk.length, at);
          bytes += length;
          const data = chunk.subarray(0, length);

          for (const { name, bytes: text } of needles) {
            const count = countIn(data, text);
            copies += count;
            if (count > 0) forms.add(name);
          }
        } catch {
          // A range that was given back meanwhile, or is only reserved.
        }
      }
    }
  } finally {
    closeSync(memory);
  }
  return { forms: [...forms], copies, bytes };
}

function countIn(data: Buffer, text: Buffer): number {
  let count = 0;
  for (let at = data.indexOf(text); at !== -1; at = data.indexOf(text, at + text.length)) count += 1;
  return count;
}
