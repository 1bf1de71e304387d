/** Tests the sources of a Temporal CLI: their order, the message when all fail, and several processes at once. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTemporal, TemporalNotFound } from '../../sandbox/servers/temporal-binary.js';
import { buildTemporal, TEMPORAL_CLI_VERSION } from '../../sandbox/servers/temporal-build.js';

const CLI = '#!/bin/sh\necho "temporal version 1.0.0"\n';

let folder: string;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finder-'));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const print = (line: string): void => void lines.push(line);
const noOperation = (why: string) => () => Promise.reject(new Error(why));

async function program(path: string, text: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

const cached = (): string => join(folder, 'cache', 'oppwa-refunds', `temporal-${TEMPORAL_CLI_VERSION}`);

/** Every path of this environment is in the test's own folder. */
const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: join(folder, 'bin'),
  HOME: folder,
  XDG_CACHE_HOME: join(folder, 'cache'),
  ...more,
});

describe.skipIf(process.platform === 'win32')('finding a Temporal CLI', () => {
  it('tries the sources in their order, each only if the ones before it fail', async () => {
    const named = await program(join(folder, 'named'), CLI);
    const onPath = await program(join(folder, 'bin', 'temporal'), CLI);
    await program(cached(), CLI);
    const find = (env = environment()) =>
      findTemporal({
        env,
        print,
        download: (target) => program(target, CLI).then(() => undefined),
        build: noOperation('-'),
      });

    expect(await find(environment({ TEMPORAL_CLI_PATH: named }))).toEqual({
      path: named,
      from: 'TEMPORAL_CLI_PATH',
    });
    expect(await find()).toEqual({ path: onPath, from: 'PATH' });
    await rm(onPath);
    expect(await find()).toEqual({ path: cached(), from: 'cache' });
    await rm(cached());
    expect(await find()).toEqual({ path: cached(), from: 'download' });
    await rm(cached());
    const built = await findTemporal({
      env: environment(),
      print,
      download: noOperation('no network'),
      build: (target) => program(target, CLI).then(() => undefined),
    });
    expect(built).toEqual({ path: cached(), from: 'build' });
    expect(await find()).toEqual({ path: cached(), from: 'cache' });
  });

  it('fails if TEMPORAL_CLI_PATH is wrong, instead of using another CLI', async () => {
    await program(cached(), CLI);
    const env = environment({ TEMPORAL_CLI_PATH: join(folder, 'not-there') });
    await expect(findTemporal({ env, print })).rejects.toThrow(/TEMPORAL_CLI_PATH=.*not-there/u);
  });

  it('skips a file of the right name that does not run', async () => {
    await program(join(folder, 'bin', 'temporal'), 'half a download');
    await program(cached(), CLI);
    expect((await findTemporal({ env: environment(), print })).from).toBe('cache');
    expect(lines.join('\n')).toContain('does not run as a Temporal CLI');
  });

  it('names the error of each source and what to install when all fail, and leaves no files behind', async () => {
    const env = environment();
    const failed = findTemporal({
      env,
      print,
      download: noOperation('no network here'),
      build: buildTemporal,
    });
    await expect(failed).rejects.toBeInstanceOf(TemporalNotFound);
    await expect(failed).rejects.toThrow(
      /no network here[\s\S]*go is not installed[\s\S]*docs\.temporal\.io\/cli[\s\S]*go\.dev\/dl[\s\S]*TEMPORAL_ADDRESS/u,
    );
    expect(await readdir(join(folder, 'cache', 'oppwa-refunds'))).toEqual([]);
  });

  it('downloads or builds once for several processes, none of which sees an incomplete file', async () => {
    let builds = 0;
    const build = async (target: string): Promise<void> => {
      builds += 1;
      // Like `go build -o`: written in parts under another name, then renamed.
      await program(`${target}.build-${builds}`, '#!/bin/sh\n');
      await new Promise((resolve) => setTimeout(resolve, 300));
      await program(`${target}.build-${builds}`, CLI);
      await rename(`${target}.build-${builds}`, target);
    };
    const ask = () => findTemporal({ env: environment(), print, download: noOperation('no network'), build });
    const found = await Promise.all([ask(), ask(), ask()]);
    expect(builds).toBe(1);
    expect(found.map(({ from }) => from).sort()).toEqual(['build', 'cache', 'cache']);
    expect(await readFile(cached(), 'utf8')).toBe(CLI);
  });

  it('takes over the lock of a process that was killed', async () => {
    await mkdir(join(cached(), '..'), { recursive: true });
    // No process has this id: on Linux the maximum is 4,194,304.
    await writeFile(`${cached()}.lock`, '99999999');
    const build = (target: string) => program(target, CLI).then(() => undefined);
    const found = await findTemporal({
      env: environment(),
      print,
      download: noOperation('no network'),
      build,
    });
    expect(found.from).toBe('build');
  });

  it('builds the pinned module and publishes only a complete binary', async () => {
    const go = [
      '#!/bin/sh',
      'pwd > "$FAKE_LOG"; echo "$@" >> "$FAKE_LOG"; echo "cgo=$CGO_ENABLED" >> "$FAKE_LOG"',
      'while [ "$1" != -o ]; do shift; done',
      'printf "#!/bin/sh\\necho temporal version 1.0.0\\n" > "$2"',
      'exit "${FAKE_EXIT:-0}"',
    ].join('\n');
    await program(join(folder, 'bin', 'go'), go);
    const log = join(folder, 'go.log');
    const env = environment({ FAKE_LOG: log, PATH: `${join(folder, 'bin')}:/usr/bin:/bin` });
    const find = (more: NodeJS.ProcessEnv) =>
      findTemporal({ env: { ...env, ...more }, print, download: noOperation('no network') });

    await expect(find({ FAKE_EXIT: '1' })).rejects.toThrow(/building.*go ended with 1/u);
    expect(await readdir(join(folder, 'cache', 'oppwa-refunds'))).toEqual([]);
    expect((await find({})).from).toBe('build');
    const answer = await readFile(log, 'utf8');
    expect(answer).toMatch(/sandbox\/temporal\n.*-tags disable_grpc_modules .*cmd\/temporal\ncgo=0/u);
  });
});
