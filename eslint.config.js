// Lint rules: what the compiler does not see and a refund cannot afford.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Globals that a workflow has no deterministic form of, and `domain` no business with. */
const sideEffects = [
  'process',
  'Buffer',
  'console',
  'fetch',
  'require',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'performance',
  'crypto',
];

const nodeGlobals = [
  'process',
  'console',
  'performance',
  'URL',
  'setTimeout',
  'setInterval',
  'clearInterval',
];

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', '.data/', 'coverage/', 'reports/', '.stryker-tmp/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A promise nobody waits for is money nobody waits for.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // `import { type X }` stays as an import at run time; a workflow must not load what it only names.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { allowDefaultCaseForExhaustiveSwitch: true, considerDefaultExhaustiveForUnions: false },
      ],
      '@typescript-eslint/consistent-type-assertions': [
        'error',
        { assertionStyle: 'as', objectLiteralTypeAssertions: 'never' },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // An `async` function without `await` is allowed: an error thrown in it becomes a rejected promise, as its interface promises.
      '@typescript-eslint/require-await': 'off',
      // Allows `while (true)` with a `return` or `break`, as in retry loops.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Allows `== null`, which is true for null and undefined: both mean absent in an answer of the gateway.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...sideEffects.map((name) => ({
          name,
          message: 'A workflow is deterministic: use @temporalio/workflow, or do it in an activity.',
        })),
      ],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex:
                '^(?!\\./|\\.\\./[\\w-]+\\.js$|(\\.\\./)+domain/|\\.\\./(refund|pay-back|maintenance)/|(\\.\\./)+activities/|@temporalio/(workflow|common)$)',
              message:
                'A workflow imports domain/, the types of activities/ and the SDK. Everything else is an activity.',
            },
            {
              regex: '^(\\.\\./)+activities/',
              allowTypeImports: true,
              message: 'Only the types of activities: proxyActivities() calls them.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['domain/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...sideEffects.map((name) => ({ name, message: 'domain/ is pure: take it as an argument.' })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'domain/ has no clock: take the time as an argument.' },
        { object: 'Math', property: 'random', message: 'domain/ has no chance: take it as an argument.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
          message: 'domain/ has no clock: take the time as an argument.',
        },
      ],
    },
  },
  {
    files: ['{gateway,ledger,activities,temporal,worker}/**/*.ts'],
    rules: { 'no-console': 'error' },
  },
  {
    // The argument of `expect(mock.method)` is a name, not a call.
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: Object.fromEntries([...nodeGlobals, 'module'].map((name) => [name, 'readonly'])),
    },
  },
);
