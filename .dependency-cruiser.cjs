// Import rules: the rooms' imports go one way, types included. What may be reached at run time: .dependency-cruiser.runtime.cjs.

/** What each room may import, besides itself. A room that is not listed may import anything. */
const allowed = {
  domain: [],
  gateway: ['domain'],
  ledger: ['domain'],
  activities: ['domain', 'gateway', 'ledger'],
  workflows: ['domain', 'activities'],
  temporal: ['domain', 'workflows'],
  settings: ['domain', 'gateway', 'ledger', 'temporal'],
  // docs/decisions/014: an event shows a refund in the one shape that everybody outside sees.
  worker: [
    'domain',
    'gateway',
    'ledger',
    'activities',
    'workflows',
    'temporal',
    'settings',
    'client/view.ts',
  ],
  // docs/decisions/008: accepting a refund is the same few lines for a caller's workflow and for the client.
  client: ['domain', 'gateway', 'ledger', 'activities', 'workflows', 'temporal', 'settings'],
  server: ['domain', 'gateway', 'ledger', 'activities', 'workflows', 'temporal', 'settings', 'client'],
};

const modules = [...Object.keys(allowed), 'sandbox', 'test', 'bench', 'examples'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(allowed).map(([capacity, others]) => ({
      name: `${capacity}-imports`,
      comment: `${capacity}/ imports ${others.length === 0 ? 'no other room' : `only ${others.join(', ')}`}.`,
      severity: 'error',
      from: { path: `^${capacity}/` },
      to: {
        path: modules.filter((other) => other !== capacity).map((other) => `^${other}/`),
        ...(others.length === 0 ? {} : { pathNot: others.map((other) => `^${other}(/|$)`) }),
      },
    })),
    {
      name: 'console-imports',
      comment:
        'The browser gets tables of domain/, the tones of states, and the console; of the server only types.',
      severity: 'error',
      from: { path: '^server/console/app/' },
      to: {
        path: modules.map((capacity) => `^${capacity}/`),
        pathNot: [
          '^server/console/app/',
          '^domain/refund/(attempt-states|credit-guard|reasons|replay|states)[.]ts$',
          '^domain/card/schemes[.]ts$',
          '^client/state-tones[.]ts$',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'console-types',
      comment: 'The types that the console knows are those of the HTTP answers and of domain/.',
      severity: 'error',
      from: { path: '^server/console/app/' },
      to: {
        path: modules.map((capacity) => `^${capacity}/`),
        pathNot: [
          '^server/console/app/',
          '^server/api/(command-)?schemas[.]ts$',
          '^domain/',
          '^client/state-tones[.]ts$',
        ],
      },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or three.',
      severity: 'error',
      // The parts of the simulated world hold each other: the world its people, the people their world.
      from: { pathNot: '^test/simulation/' },
      to: { circular: true },
    },
    {
      name: 'development-only',
      comment: 'What runs in production needs only what production installs.',
      severity: 'error',
      // Of the console, production has the files that are built from it.
      from: { path: `^(${Object.keys(allowed).join('|')})/`, pathNot: '^server/console/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm'] },
    },
    {
      name: 'not-in-package-json',
      severity: 'error',
      from: { path: `^(${modules.join('|')})/` },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'not-found',
      severity: 'error',
      from: { path: `^(${modules.join('|')})/` },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
