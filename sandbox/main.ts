/** `npm start`: starts everything on one machine, runs the demonstration, and stays up until Ctrl-C. */
import { screenOf } from '../client/cli/screen.js';
import { openRefundsClient } from '../client/open.js';
import { readSettings, SettingsError } from '../settings/read.js';
import { gatewayControl } from './control-client.js';
import { allRefunds, compareBooks } from './demo/books.js';
import { demoApi } from './demo/api-client.js';
import { runDemo } from './demo/run.js';
import { caseTable, showProgress } from './demo/table.js';
import { printOnStderr } from './servers/progress.js';
import { TemporalNotFound } from './servers/temporal-binary.js';
import { startSandbox, type Sandbox } from './stack.js';

const OPTIONS = new Set(['--once', '--no-demo', '--help']);
const USAGE = `usage: npm start [-- --once | --no-demo]

  (nothing)   starts everything, runs the demonstration, stays until Ctrl-C
  --once      ends after the table: 0 when every refund ended as it should and the books agree
  --no-demo   sends nothing: prints one JSON line with the addresses, stays until Ctrl-C

DATABASE_URL, TEMPORAL_ADDRESS and OPPWA_BASE_URL replace the part that comes with the sandbox. With
OPPWA_BASE_URL set no refund is sent until you request one: npm run cli -- request --help
`;

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => !OPTIONS.has(arg));
  if (unknown.length > 0 || args.includes('--help')) {
    process.stderr.write(unknown.length > 0 ? `unknown: ${unknown.join(' ')}\n${USAGE}` : USAGE);
    return unknown.length > 0 ? 2 : 0;
  }
  const once = args.includes('--once');
  const interrupted = new Promise<'interrupted'>((resolve) => {
    const stop = (): void => {
      resolve('interrupted');
    };
    // The terminal and npm may both deliver a signal: the second one must not interrupt the shutdown.
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });

  const sandbox = await startSandbox(process.env, printOnStderr);
  try {
    const opened = openRefundsClient(readSettings(sandbox.env), sandbox.env);
    try {
      const resumed = await opened.client.resume();
      if (resumed > 0) printOnStderr(`  ${resumed} unfinished refunds of an earlier run continue`);
      if (args.includes('--no-demo')) {
        process.stdout.write(`${JSON.stringify(addresses(sandbox))}\n`);
        await interrupted;
        return 0;
      }
      if (!sandbox.gateway.control) {
        printOnStderr(
          `The gateway is ${sandbox.gateway.url}: no refund is sent until you request one (npm run cli -- request --help).`,
        );
        if (!once) await interrupted;
        return 0;
      }
      const gateway = gatewayControl(sandbox.gateway.url);
      const running = runDemo({
        api: demoApi(sandbox.api.url, sandbox.apiKeys),
        gateway,
        onProgress: showProgress(process.stderr),
      });
      const rows = await Promise.race([running, interrupted]);
      if (rows === 'interrupted') return 130;
      const screen = screenOf({ stream: process.stdout, env: process.env });
      process.stdout.write(`${caseTable(rows, screen)}\n`);
      const refunds = await allRefunds(opened.ledger);
      const disagreements = compareBooks(refunds, await gateway.transactions());
      const wrong = rows.filter((row) => !row.asExpected);
      process.stdout.write(
        `${rows.length - wrong.length} of ${rows.length} ended as expected; ` +
          (disagreements.length === 0
            ? `the gateway's books equal the ledger (${refunds.length} refunds).\n`
            : `the gateway's books and the ledger DISAGREE:\n`),
      );
      for (const { reference, what } of disagreements) process.stdout.write(`  ${reference}: ${what}\n`);
      const good = wrong.length === 0 && disagreements.length === 0;
      if (once) return good ? 0 : 1;
      printOnStderr(querySubject(sandbox));
      await interrupted;
      return 0;
    } finally {
      await opened.close();
    }
  } finally {
    await sandbox.stop();
  }
}

function addresses(sandbox: Sandbox): Readonly<Record<string, unknown>> {
  return {
    ready: true,
    api: sandbox.api.url,
    console: `${sandbox.api.url}/console/`,
    temporal: sandbox.temporal,
    ...(sandbox.temporalUi === undefined ? {} : { temporalUi: sandbox.temporalUi }),
    database: sandbox.database,
    gateway: sandbox.gateway.url,
    apiKeys: sandbox.apiKeys,
    worker: { pid: sandbox.worker.pid() },
    entityId: sandbox.env['OPPWA_ENTITY_ID'],
  };
}

function querySubject(sandbox: Sandbox): string {
  const { url } = sandbox.api;
  const { submit, operate, approve } = sandbox.apiKeys;
  return [
    '',
    `  console           ${url}/console/`,
    `  API documentation ${url}/docs`,
    `  keys              submit  ${submit}`,
    `                    operate ${operate}`,
    `                    approve ${approve}`,
    ...(sandbox.temporalUi === undefined ? [] : [`  Temporal's UI     ${sandbox.temporalUi}`]),
    `  sandbox gateway   ${sandbox.gateway.url}/_control/books`,
    `  Temporal          ${sandbox.temporal}`,
    '',
    'In another terminal: npm run cli -- list',
    "The API's and the worker's logs are in .data/api.log and .data/worker.log.",
    'Ctrl-C stops everything. The data of the ledger and of the gateway stay in .data/.',
    '',
  ].join('\n');
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const expected = error instanceof SettingsError || error instanceof TemporalNotFound;
    const text =
      error instanceof Error ? (expected ? error.message : (error.stack ?? error.message)) : 'failed';
    process.stderr.write(`${text}\n`);
    process.exitCode = 1;
  },
);
