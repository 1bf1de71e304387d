/** Starts a worker of a client: it runs the client's workflows on a queue of its own, beside the worker that runs refunds. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { dataConverter, FAILURE_CONVERTER } from '../../temporal/codec/data-converter.js';
import type { CodecSettings } from '../../temporal/codec/settings.js';
import { testCodec } from './codec.js';

export interface ClientWorker {
  readonly taskQueue: string;
  stop(): Promise<void>;
}

/** `workflows`: the file that exports the workflows, relative to the repository. */
export async function startClientWorker(
  workflows: string,
  activities: object = {},
  codec: CodecSettings = testCodec,
): Promise<ClientWorker> {
  const { address, namespace } = inject('temporal');
  const taskQueue = `orders-${randomUUID()}`;
  const connection = await NativeConnection.connect({ address });
  const workflowsPath = fileURLToPath(new URL(`../../${workflows}`, import.meta.url));
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath,
    failureConverterPath: FAILURE_CONVERTER,
    logger: new DefaultLogger('ERROR'),
  });
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle,
    activities,
    dataConverter: dataConverter(codec, namespace),
  });
  const run = worker.run();
  return {
    taskQueue,
    async stop() {
      worker.shutdown();
      await run;
      await connection.close();
    },
  };
}
