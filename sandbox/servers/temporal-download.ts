/** A program that temporal-build.ts runs: lets the SDK download its development server into the folder in its argument. */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { TEMPORAL_CLI_VERSION } from './temporal-build.js';

const downloadDir = process.argv[2];
if (downloadDir === undefined) throw new Error('usage: temporal-download.ts FOLDER');

try {
  // The SDK cannot download without starting, so the server runs for a moment.
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'cached-download', version: `v${TEMPORAL_CLI_VERSION}`, downloadDir },
      ip: '127.0.0.1',
    },
  });
  await environment.teardown();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`\n${message.replaceAll('\n', ' ')}\n`);
  process.exitCode = 1;
}
