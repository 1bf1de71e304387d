// What a workflow can reach at run time, however far away: types are left out, because they are not there then.
const { builtinModules } = require('node:module');
const { options } = require('./.dependency-cruiser.cjs');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'workflow-reaches-a-side-effect',
      comment:
        'Workflow code is replayed: whatever it loads must be deterministic. It also is in every workflow instance: zod alone costs 1 MB and 4 ms each.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        reachable: true,
        path: [
          '(^|/)node_modules/(undici|zod|pg|kysely|pino)(/|$)',
          '^(gateway|ledger|activities|temporal|settings|worker|client|server|sandbox)/',
        ],
      },
    },
    {
      name: 'workflow-reaches-node',
      comment: 'Node built-ins are not in the workflow sandbox.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { reachable: true, path: `^(node:.+|${builtinModules.join('|')})$` },
    },
    {
      name: 'domain-reaches-outside',
      severity: 'error',
      from: { path: '^domain/' },
      to: { reachable: true, path: '^(?!domain/|node_modules/)[a-z]+/' },
    },
  ],
  options: { ...options, tsPreCompilationDeps: false },
};
