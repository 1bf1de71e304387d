/** A fresh clone needs one command: it installs missing packages and ends with the exit code of the program. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

let clone: string;

beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'clone-'));
  await mkdir(join(clone, 'sandbox'));
  await copyFile(join(root, 'sandbox/bootstrap.mjs'), join(clone, 'sandbox/bootstrap.mjs'));
  await packageJson('>=20.0.0');
  await lockFile('1.0.0');
  // Replaces npm: records the call, and creates the files that `npm ci` creates.
  await writeFile(
    join(clone, 'npm-cli.js'),
    `const { appendFileSync, cpSync, mkdirSync, symlinkSync, rmSync } = require('node:fs');
     appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n');
     if (process.env.FAKE_NPM_FAILS) process.exit(7);
     rmSync('node_modules', { recursive: true, force: true });
     mkdirSync('node_modules');
     symlinkSync(${JSON.stringify(join(root, 'node_modules/tsx'))}, 'node_modules/tsx');
     cpSync('package-lock.json', 'node_modules/.package-lock.json');`,
  );
});
afterEach(() => rm(clone, { recursive: true, force: true }));

const packageJson = (node: string): Promise<void> =>
  writeFile(join(clone, 'package.json'), JSON.stringify({ type: 'commonjs', engines: { node } }));

const lockFile = (version: string): Promise<void> =>
  writeFile(
    join(clone, 'package-lock.json'),
    JSON.stringify({
      packages: {
        '': {},
        'node_modules/a': { version, integrity: `sha512-${version}` },
        'node_modules/only-on-windows': { version: '1.0.0', optional: true },
      },
    }),
  );

const installs = (): Promise<string> => readFile(join(clone, 'calls'), 'utf8').catch(() => '');

function start(entry: string, env: NodeJS.ProcessEnv = {}): { child: ChildProcess; output: () => string } {
  let output = '';
  const child = spawn(process.execPath, ['sandbox/bootstrap.mjs', entry, '--one', 'two words'], {
    cwd: clone,
    env: { ...process.env, npm_execpath: join(clone, 'npm-cli.js'), ...env },
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output };
}

async function run(entry: string, env?: NodeJS.ProcessEnv): Promise<{ code: number | null; output: string }> {
  const { child, output } = start(entry, env);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output: output() };
}

describe('the start script', () => {
  it('installs once, again after a change of the lock file, and passes arguments and exit code on', async () => {
    await writeFile(
      join(clone, 'entry.ts'),
      `console.log(process.argv.slice(2)); process.exitCode = 3 as number;`,
    );
    const first = await run('entry.ts');
    expect(first.code).toBe(3);
    expect(first.output).toContain(`[ '--one', 'two words' ]`);
    expect(await installs()).toMatch(/^ci --include=dev .*\n$/u);

    expect((await run('entry.ts')).output).not.toContain('npm ci');
    await lockFile('1.0.1');
    expect((await run('entry.ts')).code).toBe(3);
    expect((await installs()).split('\n')).toHaveLength(3);
  });

  it('starts nothing when the installation fails', async () => {
    await writeFile(join(clone, 'entry.ts'), `console.log('the entry ran')`);
    const { code, output } = await run('entry.ts', { FAKE_NPM_FAILS: '1' });
    expect(code).toBe(7);
    expect(output).toContain('npm ci failed');
    expect(output).not.toContain('the entry ran');
  });

  it('names the Node version that it needs before anything else', async () => {
    await packageJson('>=18.0.0 <19 || >=99.1.0');
    const { code, output } = await run('entry.ts');
    expect(code).toBe(1);
    expect(output).toContain(
      `This is Node ${process.versions.node}; oppwa-refunds needs >=18.0.0 <19 || >=99.1.0`,
    );
    expect(await installs()).toBe('');
  });

  it.skipIf(process.platform === 'win32')('passes a signal on and waits for the orderly end', async () => {
    const entry = [
      `process.on('SIGTERM', () => setTimeout(() => { console.log('cleaned up'); process.exit(5); }, 100));`,
      `setInterval(() => undefined, 1_000);`,
      `console.log('ready');`,
    ].join('\n');
    await writeFile(join(clone, 'entry.ts'), entry);
    const { child, output } = start('entry.ts');
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', () => {
        if (output().includes('ready')) resolve();
      });
    });
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([5, null]);
    expect(output()).toContain('cleaned up');
  });
});
