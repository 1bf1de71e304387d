/**
 * Prints a CycloneDX document of the packages that run in production, made by `npm sbom` from package.json and the lock file.
 *
 * `npm sbom --omit dev` leaves out packages that a development package depends on too, as `pg` and `zod`. So npm gets copies of the two files
 * that have no development packages.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const manifest = z.looseObject({ devDependencies: z.unknown() });
const lockFile = z.looseObject({
  packages: z.record(z.string(), z.looseObject({ dev: z.boolean().optional() })),
});

const read = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
const { devDependencies: _, ...productive } = manifest.parse(read('package.json'));
const lock = lockFile.parse(read('package-lock.json'));
const packages = Object.fromEntries(
  Object.entries(lock.packages)
    .filter(([, entry]) => entry.dev !== true)
    .map(([path, { devDependencies: __, ...entry }]) => [path, entry]),
);

const folder = mkdtempSync(join(tmpdir(), 'refunds-sbom-'));
try {
  writeFileSync(join(folder, 'package.json'), JSON.stringify(productive));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ ...lock, packages }));
  const options = ['--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  process.stdout.write(execFileSync('npm', ['sbom', ...options], { cwd: folder, maxBuffer: 64 * 2 ** 20 }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
