/** `npm run licenses`: fails if a package of the lock file has a licence outside the list. */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

/** Permissive licences. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...[
    '0BSD',
    'Apache-2.0',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'BlueOak-1.0.0',
    'ISC',
    'MIT',
    'MIT-0',
    'Unlicense',
  ],
  // The same licence under an older name.
  'MIT/X11',
]);
/** Packages with another licence, each with the reason why it is allowed. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'caniuse-lite': 'CC-BY-4.0: data of browsers that the bundler reads; none of it is part of the program',
  unionfs: 'Unlicense, by the LICENSE file of the package; its package.json names none',
};
/** Build tools may be under the MPL: nothing of them is part of the program. */
const ALLOWED_FOR_TOOLS: ReadonlySet<string> = new Set(['MPL-2.0']);

const lockShape = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({
      license: z.string().optional(),
      dev: z.boolean().optional(),
      link: z.boolean().optional(),
    }),
  ),
});

export interface LockedPackage {
  readonly name: string;
  readonly license: string;
  readonly isTool: boolean;
}

/** True if every licence of an `AND`, or one of an `OR`, is allowed. */
export function isAllowed({ name, license, isTool }: LockedPackage): boolean {
  if (Object.hasOwn(EXCEPTIONS, name)) return true;
  const fits = (one: string): boolean => ALLOWED.has(one) || (isTool && ALLOWED_FOR_TOOLS.has(one));
  return license
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every(fits));
}

/** Reads the packages of the lock file. Where it has no licence, the installed package says it. */
export function lockedPackages(lock: unknown): readonly LockedPackage[] {
  return Object.entries(lockShape.parse(lock).packages).flatMap(([path, { license, dev, link }]) => {
    if (path === '' || link === true) return [];
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return [{ name, license: license ?? installedLicense(path), isTool: dev === true }];
  });
}

function installedLicense(path: string): string {
  const file = `${path}/package.json`;
  if (!existsSync(file)) return 'unknown';
  return (
    z.looseObject({ license: z.string().optional() }).parse(JSON.parse(readFileSync(file, 'utf8'))).license ??
    'unknown'
  );
}

if (process.argv[1]?.endsWith('licenses.ts') === true) {
  const packages = lockedPackages(JSON.parse(readFileSync('package-lock.json', 'utf8')));
  const faults = packages.filter((one) => !isAllowed(one));
  for (const { name, license } of faults) console.error(`${name}: the licence ${license} is not allowed`);
  console.log(`licences: ${packages.length} packages, ${faults.length} not allowed`);
  if (faults.length > 0) process.exitCode = 1;
}
