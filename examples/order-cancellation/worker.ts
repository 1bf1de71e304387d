/** The merchant's own worker, with their workflow, activities and task queue. Refunds run in other workers (`npm run worker`). */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker, type NativeConnection } from '@temporalio/worker';
import { createOrderActivities, type Order } from './orders.js';

export interface OrderWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly orders: Map<string, Order>;
}

export async function createOrderWorker({ orders, ...options }: OrderWorkerOptions): Promise<Worker> {
  const workflowsPath = fileURLToPath(new URL('workflow.ts', import.meta.url));
  return Worker.create({
    ...options,
    workflowBundle: await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') }),
    activities: createOrderActivities(orders),
  });
}
