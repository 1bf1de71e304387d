/** `npm run test:replay -- FILE…`: replays histories of production against this code. Exit codes: 0 all fit, 1 one does not, 2 wrong use. */
import { basename } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { readCodec } from '../../settings/codec.js';
import { SettingsError } from '../../settings/problems.js';
import { replayDataConverter } from '../../temporal/codec/data-converter.js';
import { workflowBundle } from '../../worker/bundle.js';
import { readHistory, replay } from './replay.js';

async function main(files: readonly string[]): Promise<number> {
  if (files.length === 0 || files.some((file) => file.startsWith('-'))) {
    process.stderr.write(
      'usage: npm run test:replay -- FILE…   (each from: temporal workflow show -w ID -o json)\n',
    );
    return 2;
  }
  const codec = readCodec((name) => process.env[name] || undefined, false);
  if (!codec.ok) {
    process.stderr.write(`${new SettingsError(codec.problems).message}\n`);
    return 2;
  }
  const converter = replayDataConverter(codec.value);
  const runtime = Runtime.install({
    // Each failure is reported in one line.
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
  });
  // The image's own bundle if there is one: that code would take the workflow over.
  const bundle = await workflowBundle(process.env['REFUNDS_WORKFLOW_BUNDLE']);
  let worst = 0;
  for (const file of files) {
    try {
      await replay(bundle, await readHistory(file), basename(file, '.json'), converter);
      process.stdout.write(`fits         ${file}\n`);
    } catch (error) {
      worst = 1;
      process.stdout.write(
        `DOES NOT FIT ${file}\n  ${error instanceof Error ? error.message : 'not readable'}\n`,
      );
    }
  }
  // If there was nothing to replay, the runtime would wait for work.
  await runtime.shutdown();
  return worst;
}

process.exitCode = await main(process.argv.slice(2));
