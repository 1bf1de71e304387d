/**
 * Names the tier of tests that runs. `npm test` is the short tier, for use while working. `npm run test:all` is the long tier: files
 * named `*.long.test.ts`, and the fuzz tests with all inputs. A run of named files belongs to neither, and takes any file.
 */
const tier = process.env['TEST_TIER'];

export const isLongTier = tier === 'long';
export const isShortTier = tier === 'short';
