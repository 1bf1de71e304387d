/**
 * Which tier of the tests runs. `npm test` is short: what somebody runs while working. `npm run test:all` is long: files named `*.long.test.ts`,
 * and the fuzz tests with all of their inputs. A run of named files is neither, and takes any file.
 */
const tier = process.env['TEST_TIER'];

export const isLongTier = tier === 'long';
export const isShortTier = tier === 'short';
