/**
 * Runs the tests of `domain/` for Stryker in one process and without a test framework around them. A mutant then takes milliseconds
 * instead of seconds: what takes long otherwise is a new worker for each of two thousand mutants.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';
import fc from 'fast-check';
import ts from 'typescript';

process.env['FUZZ_SHARE'] ??= '0.1';
// One seed for every property: a mutant that survives today survives tomorrow. What fails is enough, so nothing is shrunk.
fc.configureGlobal({ seed: 20_261_125, endOnFailure: true });
for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);
const expect = Object.assign((value, message) => chai.expect(value, message), chai.expect);

/** A loop that a mutant has made endless is stopped by Stryker's own count of how often the mutant was passed. */
const MAX_HITS = 200_000;

/** The sandbox of the mutants: Stryker enters it after this file was loaded. */
const sandbox = (...path) => join(process.cwd(), ...path);
const compiled = new Map();

/** Each file is read and compiled once; it is evaluated anew for every mutant that changes what is done while loading. */
function compile(file) {
  const known = compiled.get(file);
  if (known !== undefined) return known;
  const source = readFileSync(file, 'utf8').replaceAll(
    'import.meta.url',
    JSON.stringify(pathToFileURL(file).href),
  );
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
    },
  });
  const code = compileFunction(outputText, ['exports', 'require', 'module'], { filename: file });
  compiled.set(file, code);
  return code;
}

/** What the tests take from `vitest`; nothing else of it is used in `test/domain`. */
function framework(tests, file) {
  const path = [];
  const title = (name, index) => [file, ...path, name, index].join(' › ');
  const add = (name, run) => {
    tests.push({ id: title(name, tests.length), name: title(name, ''), file, run });
  };
  const skip = () => undefined;
  const it = Object.assign(add, {
    each: (rows) => (name, run) => {
      const isSpread = rows.every((row) => Array.isArray(row));
      for (const row of rows) add(name, () => (isSpread ? run(...row) : run(row)));
    },
    runIf: (condition) => (condition ? add : skip),
  });
  const group = (name, define) => {
    path.push(name);
    define();
    path.pop();
  };
  const describe = Object.assign(group, { runIf: (condition) => (condition ? group : skip) });
  return { it, describe, expect };
}

/** Loads every test file and what it imports, as if for the first time. */
function load(files) {
  const tests = [];
  const modules = new Map();
  const evaluate = (file, testFile) => {
    const loaded = modules.get(file);
    if (loaded !== undefined) return loaded.exports;
    const module = { exports: {} };
    modules.set(file, module);
    const native = createRequire(file);
    const require = (name) => {
      if (name === 'vitest') return framework(tests, testFile);
      if (!name.startsWith('.')) return native(name);
      return evaluate(join(dirname(file), name.replace(/\.js$/, '.ts')), testFile);
    };
    compile(file)(module.exports, require, module);
    return module.exports;
  };
  for (const file of files) evaluate(sandbox('test', file), file);
  return tests;
}

async function failureOf({ run }) {
  try {
    await run();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

class OneProcess {
  #files = [
    ...readdirSync(sandbox('test/domain'))
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => `domain/${name}`),
    'gateway/read-code.test.ts',
    'gateway/result-codes.test.ts',
  ];
  /** Milliseconds that each test took when it last ran. */
  #took = new Map();
  #state = (globalThis['__stryker__'] ??= {});
  #loaded = [];

  capabilities() {
    return { reloadEnvironment: true };
  }

  async dryRun() {
    this.#state.activeMutant = undefined;
    this.#state.mutantCoverage = undefined;
    this.#loaded = load(this.#files);
    const results = [];
    for (const test of this.#loaded) {
      this.#state.currentTestId = test.id;
      const started = performance.now();
      const failureMessage = await failureOf(test);
      this.#state.currentTestId = undefined;
      const about = { id: test.id, name: test.name, timeSpentMs: performance.now() - started };
      results.push(
        failureMessage === undefined ? { ...about, status: 0 } : { ...about, status: 1, failureMessage },
      );
    }
    return { status: 'complete', tests: results, mutantCoverage: this.#state.mutantCoverage };
  }

  #time({ id }) {
    return Math.round(this.#took.get(id) ?? 0);
  }

  async mutantRun({ activeMutant, testFilter, mutantActivation }) {
    this.#state.hitCount = 0;
    this.#state.hitLimit = MAX_HITS;
    let nrOfTests = 0;
    try {
      if (mutantActivation === 'static') {
        this.#state.activeMutant = activeMutant.id;
        this.#loaded = load(this.#files);
      } else if (this.#loaded.length === 0) {
        this.#state.activeMutant = undefined;
        this.#loaded = load(this.#files);
      }
      this.#state.activeMutant = activeMutant.id;
      const wanted = testFilter === undefined ? undefined : new Set(testFilter);
      // Whatever draws a page or tries thousands of cases comes last: a mutant dies at the first test that fails.
      const quickFirst = this.#loaded.toSorted((a, b) => this.#time(a) - this.#time(b));
      for (const test of quickFirst) {
        if (wanted !== undefined && !wanted.has(test.id)) continue;
        nrOfTests += 1;
        const started = performance.now();
        const failureMessage = await failureOf(test);
        this.#took.set(test.id, performance.now() - started);
        if (this.#state.hitCount > MAX_HITS) return { status: 'timeout', reason: 'endless loop' };
        if (failureMessage !== undefined)
          return { status: 'killed', killedBy: [test.id], failureMessage, nrOfTests };
      }
      return { status: 'survived', nrOfTests };
    } catch (error) {
      // Broken while it is loaded: no test could run.
      return { status: 'killed', killedBy: [], failureMessage: String(error), nrOfTests };
    } finally {
      this.#state.activeMutant = undefined;
      if (mutantActivation === 'static') this.#loaded = [];
    }
  }
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'one-process', injectableClass: OneProcess }];
