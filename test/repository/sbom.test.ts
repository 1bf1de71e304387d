/** The list of packages that run in production (`npm run sbom`). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const document = z.object({
  bomFormat: z.literal('CycloneDX'),
  components: z.array(z.object({ group: z.string().optional(), name: z.string(), version: z.string() })),
});
const lockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({ name: z.string().optional(), version: z.string(), dev: z.boolean().default(false) }),
  ),
});

it('has every package of the lock file that is not for development only', { timeout: 240_000 }, () => {
  const made = execFileSync(process.execPath, ['--import', 'tsx', 'tools/sbom.ts'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  const listed = document
    .parse(JSON.parse(made))
    .components.map(
      ({ group, name, version }) => `${group === undefined ? '' : `${group}/`}${name}@${version}`,
    );
  const { packages } = lockFile.parse(JSON.parse(readFileSync(`${ROOT}/package-lock.json`, 'utf8')));
  const production = Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { name, version }]) => `${name ?? path.replace(/^.*node_modules\//u, '')}@${version}`);
  expect(listed.sort()).toEqual([...new Set(production)].sort());
});
