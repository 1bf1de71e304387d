/** A program that a test runs: starts the API and the worker as the sandbox does, prints their process ids and the API's address, and keeps running. */
import { startNodeProcess } from '../../sandbox/node-process.js';

const print = (line: string): void => void process.stderr.write(`${line}\n`);
const [api, worker] = await Promise.all([
  startNodeProcess({ name: 'API', entry: 'server/api/main.ts', env: process.env, print }),
  startNodeProcess({ name: 'worker', entry: 'worker/main.ts', env: process.env, print }),
]);
process.stdout.write(
  `${JSON.stringify({ api: api.pid(), worker: worker.pid(), ready: [api.ready(), worker.ready()] })}\n`,
);
setInterval(() => undefined, 60_000);
