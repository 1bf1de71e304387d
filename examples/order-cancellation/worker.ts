/** The merchant's own worker, with their workflow, activities and task queue. Refunds run in other workers (`npm run worker`). */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker, type NativeConnection } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import { FAILURE_CONVERTER } from '../../temporal/codec/data-converter.js';
import { createOrderActivities, type Order } from './orders.js';

export interface OrderWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** The same as the refund worker's: each reads what the other one wrote. From `dataConverter(readSettings(env).codec, namespace)`. */
  readonly dataConverter: DataConverter;
  readonly orders: Map<string, Order>;
}

export async function createOrderWorker({ orders, ...options }: OrderWorkerOptions): Promise<Worker> {
  const workflowsPath = fileURLToPath(new URL('workflow.ts', import.meta.url));
  return Worker.create({
    ...options,
    workflowBundle: await bundleWorkflowCode({
      workflowsPath,
      failureConverterPath: FAILURE_CONVERTER,
      logger: new DefaultLogger('ERROR'),
    }),
    activities: createOrderActivities(orders),
  });
}
