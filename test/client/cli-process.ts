/** The command line against a stack of its own: each command is a process that loads the whole client. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { z } from 'zod';
import { command, type Ended } from '../support/command.js';
import { startStack } from '../support/stack.js';

/** Starts the stack. Call it while the file is read: everything ends after the file's last test. */
export async function startCli() {
  const stack = await startStack();
  const folder = mkdtempSync(join(tmpdir(), 'cli-'));
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await stack.close();
  });
  return {
    stack,
    client: stack.client,
    /** A folder for the test's own files. */
    folder,
    /** Variables that name no system. */
    nothing: { PATH: process.env['PATH'], REFUNDS_DATA_DIR: join(folder, 'empty') },
    cli: (args: readonly string[], env: NodeJS.ProcessEnv = stack.env): Promise<Ended> =>
      command(env, ...args),
    /** Returns the instruction that an operator is shown. */
    waitingOn: async (id: string): Promise<string> =>
      (await stack.client.getRefund(id)).approval?.instruction ??
      expect.fail('nothing waits for an approval'),
  };
}

const refundShape = z.object({ id: z.string(), status: z.string(), state: z.string(), amount: z.string() });

/** Reads the refund that a command printed with `--json`. */
export const refundOf = ({ stdout }: Ended) => refundShape.parse(JSON.parse(stdout));
/** Reads the list of refunds that a command printed with `--json`. */
export const refundsOf = ({ stdout }: Ended) => z.array(refundShape).parse(JSON.parse(stdout));

/** Returns the arguments of a request for 40.00 EUR of the payment. */
export const ask = (paymentId: string, ...more: readonly string[]): string[] => [
  ...[
    'request',
    '--payment',
    paymentId,
    '--amount',
    '40.00',
    '--currency',
    'EUR',
    '--reason',
    'goods_returned',
  ],
  ...more,
];
