/**
 * Tells which tier of the tests runs. `npm test` is the short one: what a person runs while working. `npm run test:all` is the long one:
 * files named `*.long.test.ts`, and the fuzz tests with all inputs. A run of named files belongs to neither, and takes any file.
 */
const tier = process.env['TEST_TIER'];

export const isLongTier = tier === 'long';
export const isShortTier = tier === 'short';
