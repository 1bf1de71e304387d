/** Checks that each lint and import rule reports a file that breaks it. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Creates a folder with our settings, in which the compiler reads only the planted files. */
async function plant(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rooms-'));
  for (const shared of ['node_modules', 'package.json', 'tsconfig.json']) {
    await symlink(join(root, shared), join(folder, shared));
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), `${text}\n`);
  }
  return folder;
}

describe('lint', () => {
  let folder: string;
  let eslint: ESLint;

  beforeAll(async () => {
    folder = await plant({ 'workflows/planted.ts': '', 'domain/planted.ts': '', 'ledger/planted.ts': '' });
    eslint = new ESLint({ cwd: folder, overrideConfigFile: join(root, 'eslint.config.js') });
    // Loads the compiler, which takes long, before the time limits of the tests begin.
    await broken('ledger/planted.ts', 'export {};');
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Returns the rules that a file with this text breaks. */
  async function broken(file: string, text: string): Promise<readonly string[]> {
    const [result] = await eslint.lintText(text, { filePath: join(folder, file) });
    return (result?.messages ?? []).map(({ ruleId, message }) => ruleId ?? message);
  }

  it.each([
    ['undici', `import { fetch } from 'undici'; export const x = fetch;`],
    ['zod', `import { z } from 'zod'; export const x = z;`],
    ['pg', `import pg from 'pg'; export const x = pg;`],
    ['kysely', `import { sql } from 'kysely'; export const x = sql;`],
    ['a Node built-in', `import { readFileSync } from 'node:fs'; export const x = readFileSync;`],
    ['the gateway', `import { createGateway } from '../gateway/oppwa.js'; export const x = createGateway;`],
    ['the values of activities', `import { y } from '../activities/refunds.js'; export const x = y;`],
  ])('forbids a workflow to import %s', async (_name, text) => {
    expect(await broken('workflows/planted.ts', text)).toContain('@typescript-eslint/no-restricted-imports');
  });

  it('lets a workflow import the SDK, domain and the types of activities', async () => {
    const text = [
      `import { sleep } from '@temporalio/workflow';`,
      `import type { RefundActivities } from '../activities/refunds.js';`,
      `export { next } from '../domain/planted-elsewhere.js';`,
      `export { step } from './planted-elsewhere.js';`,
      `export const x = async (_: RefundActivities): Promise<void> => sleep(1);`,
    ].join('\n');
    expect(await broken('workflows/planted.ts', text)).not.toContain(
      '@typescript-eslint/no-restricted-imports',
    );
  });

  it.each([
    ['a promise without await', `async function f(): Promise<void> {}\nf();`, 'no-floating-promises'],
    [
      'a promise as a condition',
      `async function f(): Promise<boolean> { return true; }\nif (f()) throw new Error();`,
      'no-misused-promises',
    ],
    ['any', `export const x = (y: any): void => void y;`, 'no-explicit-any'],
    ['!', `export const x = (y: string | null): string => y!;`, 'no-non-null-assertion'],
    [
      'a switch without one of the cases',
      `export function f(x: 'a' | 'b'): number { switch (x) { case 'a': return 1; } return 2; }`,
      'switch-exhaustiveness-check',
    ],
    [
      'an object with an asserted type that it may not have',
      `export const x = {} as { y: string };`,
      'consistent-type-assertions',
    ],
  ])('forbids %s', async (_name, text, rule) => {
    expect(await broken('ledger/planted.ts', text)).toContain(`@typescript-eslint/${rule}`);
  });

  it.each(['process.env', 'setTimeout(() => 1, 1)', 'Buffer.alloc(1)', 'fetch("/")'])(
    'forbids %s in a workflow',
    async (text) => {
      expect(await broken('workflows/planted.ts', `export const x = ${text};`)).toContain(
        'no-restricted-globals',
      );
    },
  );

  it.each([
    ['Date.now()', 'no-restricted-properties'],
    ['Math.random()', 'no-restricted-properties'],
    ['new Date()', 'no-restricted-syntax'],
    ['process.env', 'no-restricted-globals'],
  ])('forbids %s in domain', async (text, rule) => {
    expect(await broken('domain/planted.ts', `export const x = ${text};`)).toContain(rule);
  });
});

describe('import rules', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await plant({
      'domain/money.ts': `export const money = 1;`,
      'domain/curious.ts': `import { z } from 'zod';\nexport const curious = z;`,
      'domain/greedy.ts': `import { send } from '../gateway/send.js';\nexport const greedy = send;`,
      'gateway/send.ts': `import { money } from '../domain/money.js';\nexport const send = money;`,
      'gateway/rude.ts': `import type { work } from '../worker/work.js';\nexport type Rude = typeof work;`,
      'ledger/one.ts': `import { two } from './two.js';\nexport const one = (): unknown => two;`,
      'ledger/two.ts': `import { one } from './one.js';\nexport const two = (): unknown => one;`,
      'ledger/test-only.ts': `import fc from 'fast-check';\nexport const x = fc;`,
      'activities/pay.ts': `import { send } from '../gateway/send.js';\nexport const pay = send;`,
      'worker/work.ts': `import { pay } from '../activities/pay.js';\nexport const work = pay;`,
      'workflows/good.ts': `import type { pay } from '../activities/pay.js';\nimport { money } from '../domain/money.js';\nexport type Pay = typeof pay;\nexport const good = money;`,
      'workflows/pulls-zod.ts': `import { curious } from '../domain/curious.js';\nexport const x = curious;`,
      'workflows/pulls-gateway.ts': `import { pay } from '../activities/pay.js';\nexport const x = pay;`,
      'server/console/app/good.tsx': `import type { schema } from '../../api/schemas.js';\nexport type X = typeof schema;`,
      'server/console/app/pulls-server.tsx': `import { schema } from '../../api/schemas.js';\nexport const x = schema;`,
      'server/console/app/pulls-ledger.tsx': `import type { one } from '../../../ledger/one.js';\nexport type X = typeof one;`,
      'client/asks.ts': `import { schema } from '../server/api/schemas.js';\nexport const asks = schema;`,
      'server/api/schemas.ts': `export const schema = 1;`,
      'workflows/pulls-node.ts': `import { readFileSync } from 'node:fs';\nexport const x = readFileSync;`,
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Returns the reports of the import rules about the planted modules, as lines like `error name: from → to`. */
  async function violations(config: string): Promise<readonly string[]> {
    const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const modules = ['domain', 'gateway', 'ledger', 'activities', 'workflows', 'worker', 'client', 'server'];
    const stdout = await new Promise<string>((resolve) => {
      // The exit code is the number of violations, so a failure is expected.
      execFile(
        process.execPath,
        [program, '--config', join(root, config), '--no-cache', ...modules],
        { cwd: folder },
        (_error, out, err) => resolve(out + err),
      );
    });
    return stdout
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line.startsWith('error '));
  }

  it('let modules import in one direction only, types included', async () => {
    const found = await violations('.dependency-cruiser.cjs');
    expect(found).toEqual(
      expect.arrayContaining([
        'error domain-imports: domain/greedy.ts → gateway/send.ts',
        'error gateway-imports: gateway/rude.ts → worker/work.ts',
        expect.stringContaining('error no-cycles: ledger/one.ts'),
        expect.stringContaining('error development-only: ledger/test-only.ts'),
        'error console-imports: server/console/app/pulls-server.tsx → server/api/schemas.ts',
        'error client-imports: client/asks.ts → server/api/schemas.ts',
        'error console-types: server/console/app/pulls-ledger.tsx → ledger/one.ts',
      ]),
    );
    expect(found.filter((line) => line.includes('good.ts') || line.includes('gateway/send.ts →'))).toEqual(
      [],
    );
  });

  it("follow a workflow's imports through other files, and ignore type imports", async () => {
    const found = await violations('.dependency-cruiser.runtime.cjs');
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /workflow-reaches-a-side-effect: workflows\/pulls-zod\.ts → .*node_modules\/zod/u,
        ),
        expect.stringContaining(
          'workflow-reaches-a-side-effect: workflows/pulls-gateway.ts → gateway/send.ts',
        ),
        expect.stringMatching(/workflow-reaches-node: workflows\/pulls-node\.ts → (node:)?fs/u),
        expect.stringContaining('domain-reaches-outside: domain/greedy.ts → gateway/send.ts'),
      ]),
    );
    expect(found.filter((line) => line.includes('good.ts'))).toEqual([]);
  });
});
