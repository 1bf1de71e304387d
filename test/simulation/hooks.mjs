/** Resolves the simulation's aliases. The SDK's own packages keep what they import. */
import { pathToFileURL } from 'node:url';
import { ALIASES } from './aliases.mjs';

export async function resolve(specifier, context, next) {
  const replaced = ALIASES[specifier];
  const isOurs = context.parentURL !== undefined && !context.parentURL.includes('/node_modules/');
  return replaced !== undefined && isOurs
    ? next(pathToFileURL(replaced).href, context)
    : next(specifier, context);
}
