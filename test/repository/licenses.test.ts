/** Licences of the packages in the lock file. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isAllowed, lockedPackages } from '../../tools/licenses.js';

const lock: unknown = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));

it('are all allowed', () => {
  const packages = lockedPackages(lock);
  expect(packages.length).toBeGreaterThan(100);
  expect(packages.filter((one) => !isAllowed(one))).toEqual([]);
});

it.each([
  ['GPL-3.0', false, false],
  ['AGPL-3.0-only', true, false],
  ['unknown', false, false],
  ['MPL-2.0', false, false],
  ['MPL-2.0', true, true],
  ['(MIT OR GPL-3.0)', false, true],
  ['Apache-2.0 AND MIT', false, true],
  ['MIT AND GPL-3.0', false, false],
])('%s of a package (a tool: %s) is allowed: %s', (license, isTool, allowed) => {
  expect(isAllowed({ name: 'some-package', license, isTool })).toBe(allowed);
});
