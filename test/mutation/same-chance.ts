/** Fixes the seed of every property, so that the same mutants survive each time. Does not shrink failures: any failure is enough. */
import fc from 'fast-check';

process.env['FUZZ_SHARE'] ??= '0.1';
fc.configureGlobal({ seed: 20_261_125, endOnFailure: true });
