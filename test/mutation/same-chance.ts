/** One seed for every property: a mutant that survives today survives tomorrow. What fails is enough, so nothing is shrunk. */
import fc from 'fast-check';

process.env['FUZZ_SHARE'] ??= '0.1';
fc.configureGlobal({ seed: 20_261_125, endOnFailure: true });
