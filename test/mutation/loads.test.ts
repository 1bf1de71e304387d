/** A mutant that breaks a module while it is loaded fails no test, because no test is left; here it fails one. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';

const domain = new URL('../../domain/', import.meta.url);

const files = readdirSync(domain, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);

it.each(files)('%s can be loaded', async (name) => {
  await expect(import(new URL(name, domain).href)).resolves.toBeTypeOf('object');
});
