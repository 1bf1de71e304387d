/** The commands `cards …` as processes: standard input, a terminal, arguments that are refused, keys that are replaced. */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { programArguments } from '../../sandbox/program.js';
import { ROOT, type Ended } from '../support/command.js';
import { startCli } from './cli-process.js';

const { stack, cli, folder } = await startCli();
vi.setConfig({ testTimeout: 180_000 });

const NUMBER = '4200000000000000';
const YEAR = String(new Date().getFullYear() + 1);
const CARD = {
  number: NUMBER,
  holder: 'John Smith',
  expiryMonth: '02',
  expiryYear: YEAR,
  brand: 'VISA',
  cvv: '739',
};
const sealed = z.strictObject({
  cardRef: z.uuid(),
  brand: z.string(),
  last4: z.string(),
  expiresAt: z.string(),
});
const keysFile = join(folder, 'card.keys');
const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}\n`;
writeFileSync(keysFile, key('k1'));
writeFileSync(join(folder, 'fingerprint.key'), randomBytes(32).toString('base64'));
const env = {
  ...stack.env,
  REFUNDS_CARDS_KEYS_FILE: keysFile,
  REFUNDS_CARDS_FINGERPRINT_KEY_FILE: join(folder, 'fingerprint.key'),
};

function withInput(input: string, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const all = [...programArguments('client/cli/main.ts'), ...args];
    const child = execFile(process.execPath, all, { cwd: ROOT, env }, (error, stdout, stderr) => {
      if (child.exitCode === null) reject(error ?? new Error('ended by a signal'));
      else resolve({ code: child.exitCode, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

async function add(card: object = CARD): Promise<string> {
  const ended = await withInput(JSON.stringify(card), 'cards', 'add', '--json');
  expect(ended.code, ended.stderr).toBe(0);
  return sealed.parse(JSON.parse(ended.stdout)).cardRef;
}

async function keysBy(kekId: string): Promise<number> {
  const { db } = stack.database;
  return (await db.selectFrom('card_keys').select('card_id').where('kek_id', '=', kekId).execute()).length;
}

it('a card is sealed from standard input, shown, given a new CVV, and destroyed', async () => {
  const cardRef = await add();
  const shown = await cli(['cards', 'show', cardRef], env);
  expect(shown.stdout).toMatch(/VISA 0000\nCVV: \w+/u);
  const renewed = await withInput('{"cvv":"123"}', 'cards', 'cvv', cardRef);
  expect(renewed.code, renewed.stderr).toBe(0);
  const destroyed = await cli(['cards', 'destroy', cardRef, '--by', 'alice', '--yes'], env);
  expect(destroyed.stdout).toContain('by alice: by_operator');
  expect(`${shown.stdout}${renewed.stdout}${destroyed.stdout}`).not.toContain(NUMBER);
});

it.each([
  [['cards', 'add', NUMBER]],
  [['cards', 'add', '--number', NUMBER]],
  [['cards', 'cvv', '--cvv=739']],
])('card data in an argument is refused and not repeated (%#)', async (args) => {
  const { code, stdout, stderr } = await cli(args, env);
  expect(code).toBe(2);
  expect(stderr).toContain('must not be an argument');
  expect(`${stdout}${stderr}`).not.toMatch(/4200000|739/u);
});

it('wrong fields are named, and their values are not repeated', async () => {
  const { code, stdout, stderr } = await withInput(
    JSON.stringify({ ...CARD, number: '4200000000000001', cvv: '98765' }),
    ...['cards', 'add'],
  );
  expect(code).toBe(2);
  expect(stderr).toMatch(/number/u);
  expect(stderr).toMatch(/cvv/u);
  expect(`${stdout}${stderr}`).not.toMatch(/4200000|98765/u);
  expect((await withInput(`{"number":"${NUMBER}`, 'cards', 'add')).stderr).not.toContain(NUMBER);
});

const hasScript = spawnSync('script', ['--version']).status === 0;
it.skipIf(!hasScript)('a terminal does not show what is typed (needs `script` of util-linux)', async () => {
  const log = join(folder, 'typescript');
  const line = [process.execPath, ...programArguments('client/cli/main.ts'), 'cards', 'add', '--json']
    .map((part) => `'${part}'`)
    .join(' ');
  const answers = [NUMBER, CARD.holder, CARD.expiryMonth, YEAR, 'VISA', ''];
  await new Promise<void>((resolve, reject) => {
    const child = execFile('script', ['-qec', line, log], { cwd: ROOT, env }, (error) => {
      if (error === null) resolve();
      else reject(new Error(`script ended with ${String(error.code)}`));
    });
    // One answer for each question.
    let asked = 0;
    child.stdout?.on('data', (chunk: string) => {
      for (const _ of chunk.matchAll(/[a-z)]: /gu)) {
        child.stdin?.write(`${answers[asked] ?? ''}\r`);
        asked += 1;
      }
    });
  });
  const seen = readFileSync(log, 'utf8');
  expect(seen).toContain('"last4"');
  expect(seen).not.toContain(NUMBER);
});

it.each(['worker/main.ts', 'server/api/main.ts'])(
  '%s does not start without a key that cards need, and names it',
  async (program) => {
    await add();
    const right = readFileSync(keysFile, 'utf8');
    const end = (): Promise<Ended> =>
      new Promise((resolve) => {
        const child = execFile(
          process.execPath,
          programArguments(program),
          { cwd: ROOT, env: { ...env, REFUNDS_PORT: '0' }, timeout: 90_000 },
          (_error, stdout, stderr) => {
            resolve({ code: child.exitCode ?? -1, stdout, stderr });
          },
        );
      });
    try {
      for (const wrong of [key('k9'), key('k1')]) {
        writeFileSync(keysFile, wrong);
        const { code, stderr } = await end();
        expect(stderr).toContain('k1');
        expect(code).toBe(2);
      }
    } finally {
      writeFileSync(keysFile, right);
    }
  },
);

it('keys are wrapped again with the first key of the file, and a lost key takes its cards with it', async () => {
  const cardRef = await add({ ...CARD, cvv: undefined });
  const before = await keysBy('k1');
  expect(before).toBeGreaterThan(0);
  writeFileSync(keysFile, `${key('k2')}${readFileSync(keysFile, 'utf8')}`);
  const done = await cli(['cards', 'rewrap', '--json'], env);
  expect(JSON.parse(done.stdout), done.stderr).toMatchObject({ rewrapped: before, left: 0 });
  expect(await keysBy('k1')).toBe(0);

  writeFileSync(keysFile, key('k3'));
  const refused = await cli(['cards', 'rewrap'], env);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('k2');
  const purged = await cli(['cards', 'purge', '--lost-key', 'k2', '--yes', '--json'], env);
  expect(purged.code, purged.stderr).toBe(0);
  expect(await keysBy('k2')).toBe(0);
  expect((await cli(['cards', 'show', cardRef], env)).stdout).toContain('key_lost');
  expect((await cli(['cards', 'purge'], env)).stdout).toContain('destroyed: 0 CVVs');
});
