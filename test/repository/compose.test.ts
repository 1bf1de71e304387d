/** Checks docker-compose.yml: pinned images, a start in order, no secrets, and only files that exist. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ANSWER_WITHIN } from '../../client/refund-workflow.js';
import { DEFAULT_TIMINGS } from '../../domain/refund/config.js';
import { SEARCH_ATTRIBUTES } from '../../sandbox/servers/temporal.js';
import { SHUTDOWN_FORCE, SHUTDOWN_GRACE } from '../../worker/shutdown.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = await readFile(join(root, 'docker-compose.yml'), 'utf8');
const example = await readFile(join(root, '.env.example'), 'utf8');

const service = z.looseObject({
  image: z.string().optional(),
  build: z.string().optional(),
  restart: z.string(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  environment: z.record(z.string(), z.string()).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/u)
    .optional(),
});
const { services } = z
  .looseObject({ services: z.record(z.string(), service) })
  .parse(parse(text, { merge: true }));
const all = Object.entries(services);

/** The compose command of this machine, or undefined if there is none. */
const compose = [['docker', 'compose'], ['docker-compose']].find(
  ([command = '', ...args]) => spawnSync(command, [...args, 'version']).status === 0,
);

describe('docker-compose.yml', () => {
  it('pins every image, and uses no auto-setup image', () => {
    for (const [name, { image, build }] of all) {
      expect(build ?? image, name).toMatch(build === undefined ? /^[\w/-]+:\d+(\.\d+)+$/u : /^\.$/u);
      expect(image ?? '', name).not.toContain('auto-setup');
    }
  });

  it('waits for the needs of each part by a condition that the other part can meet', () => {
    for (const [name, { depends_on: others }] of all) {
      for (const [other, { condition }] of Object.entries(others)) {
        const needed = services[other];
        expect(needed, `${name} needs ${other}`).toBeDefined();
        if (condition === 'service_healthy') expect(needed?.healthcheck, other).toBeDefined();
        // A job that is restarted whenever it ends never counts as completed.
        if (condition === 'service_completed_successfully') expect(needed?.restart).toMatch(/^on-failure/u);
      }
    }
    expect(Object.keys(services['temporal']?.depends_on ?? {})).toEqual(['temporal-schema']);
    for (const process of ['worker', 'api'])
      expect(Object.keys(services[process]?.depends_on ?? {}).sort(), process).toEqual([
        'postgres',
        'temporal-namespace',
      ]);
  });

  it('runs our own processes without needless rights, on a read-only file system', () => {
    const ours = all.filter(([, { build }]) => build !== undefined);
    expect(ours.map(([name]) => name).sort()).toEqual(['api', 'worker']);
    for (const [name, process] of ours)
      expect(process, name).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    expect(services['api']).toMatchObject({
      command: ['node', 'dist/server/api/main.js'],
      ports: ['127.0.0.1:8080:8080'],
    });
    expect(services['api']?.environment).toMatchObject({ REFUNDS_HOST: '0.0.0.0', REFUNDS_PORT: '8080' });
  });

  it('contains no secret, and asks for each by a name that .env.example explains', () => {
    const asked = [...text.matchAll(/\$\{(\w+):[?-]/gu)].map(([, name = '']) => name);
    const explained = [...example.matchAll(/^(\w+)=/gmu)].map(([, name = '']) => name);
    expect([...new Set(asked)].sort()).toEqual(explained.sort());
    for (const [name, { environment }] of all) {
      for (const [variable, value] of Object.entries(environment)) {
        if (/password|pwd|token|secret/iu.test(variable))
          // Required, or absent if it is not set: never a value of its own.
          expect(value, `${name}.${variable}`).toMatch(/\$\{\w+:(\?|-\})/u);
      }
    }
    expect(example).toMatch(/^OPPWA_ACCESS_TOKEN=$/mu);
  });

  it('gives each process enough time to stop by itself', () => {
    const waits = (name: string): number =>
      1_000 * Number.parseInt(services[name]?.stop_grace_period ?? '0', 10);
    const { sendWindow, answerWithin } = DEFAULT_TIMINGS;
    // The worker's open calls are answered within this time, then recorded.
    expect(SHUTDOWN_GRACE).toBeGreaterThan(sendWindow + answerWithin);
    expect(SHUTDOWN_FORCE).toBeGreaterThan(SHUTDOWN_GRACE);
    // After that it closes its connections.
    expect(waits('worker')).toBeGreaterThanOrEqual(SHUTDOWN_FORCE + 10_000);
    // The longest request waits for an operator's command.
    expect(waits('api')).toBeGreaterThan(2 * ANSWER_WITHIN);
  });

  it('publishes ports on the loopback interface only and mounts files that exist', async () => {
    for (const [name, { ports, volumes }] of all) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/u);
      for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
        if (source.startsWith('.')) expect((await stat(join(root, source))).isFile(), source).toBe(true);
      }
    }
  });

  it('creates the same search attributes as the sandbox', async () => {
    const script = await readFile(join(root, 'deploy/temporal/setup-namespace.sh'), 'utf8');
    const [, list = ''] = /for attribute in (.+); do/u.exec(script) ?? [];
    expect(list.split(' ').sort()).toEqual(
      Object.entries(SEARCH_ATTRIBUTES)
        .map(([name, kind]) => `${name}:${kind}`)
        .sort(),
    );
  });

  it.skipIf(compose === undefined)(
    `is valid for Docker Compose${compose === undefined ? ' (skipped: there is no `docker compose` here)' : ''}`,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'compose-'));
      try {
        await writeFile(join(folder, 'env'), example.replaceAll(/=$/gmu, '=filled'));
        const [command = '', ...args] = compose ?? [];
        const file = join(root, 'docker-compose.yml');
        const run = promisify(execFile);
        const { stdout, stderr } = await run(
          command,
          [...args, '--env-file', join(folder, 'env'), '--file', file, 'config', '--services'],
          { cwd: folder },
        );
        expect(stderr).toBe('');
        expect(stdout.trim().split('\n').sort()).toEqual(Object.keys(services).sort());
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});
