/** Loads each module. A mutant that breaks a module at load time leaves no test to fail; it fails this one. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';

const domain = new URL('../../domain/', import.meta.url);

const files = readdirSync(domain, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);

it.each(files)('%s can be loaded', async (name) => {
  await expect(import(new URL(name, domain).href)).resolves.toBeTypeOf('object');
});
