/** Reads the gateway's published list of result codes from a copy beside the repository. We may not publish the list itself. */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const file = new URL('../../../shared/data/result-codes.json', import.meta.url);

/** The list, or empty without a copy. `GET {host}/v1/resultcodes` returns one, as an array of `{code, description}`. */
export const PUBLISHED_CODES: readonly string[] = existsSync(file)
  ? z
      .array(z.object({ code: z.string() }))
      .parse(JSON.parse(readFileSync(file, 'utf8')))
      .map(({ code }) => code)
  : [];

export const hasPublishedCodes = PUBLISHED_CODES.length > 0;

/** Suffix for titles of tests that need the list. */
export const unlessMissing = hasPublishedCodes
  ? ''
  : ' (skipped: shared/data/result-codes.json is not beside the repository)';
