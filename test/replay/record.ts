/** Records one history for each path of a workflow. `npm run test:replay:record` adds missing ones to `test/replay/histories/`; names re-record. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { acceptRefund } from '../../activities/refund/accept.js';
import type { Dependencies } from '../../activities/dependencies.js';
import { createRefundsClient } from '../../client/index.js';
import {
  DEFAULT_POLICY,
  DEFAULT_TIMINGS,
  scaleTimings,
  type RefundConfig,
} from '../../domain/refund/config.js';
import { Secret } from '../../domain/secret.js';
import type { Order } from '../../examples/order-cancellation/orders.js';
import { createOrderWorker } from '../../examples/order-cancellation/worker.js';
import { pause } from '../../activities/pause.js';
import { machineClock } from '../../gateway/http/clock.js';
import { createGateway } from '../../gateway/oppwa/oppwa.js';
import { openDatabase, openTransaction } from '../../ledger/db/database.js';
import { migrate } from '../../ledger/db/migrate.js';
import { createLedger } from '../../ledger/postgres.js';
import { startGatewayServer } from '../../sandbox/gateway/server.js';
import { startPostgres } from '../../sandbox/servers/postgres.js';
import { startTemporal } from '../../sandbox/servers/temporal.js';
import { dataConverter } from '../../temporal/codec/data-converter.js';
import { CODEC_OFF } from '../../temporal/codec/settings.js';
import { taskQueues } from '../../temporal/task-queues.js';
import { buildWorkflowBundle } from '../../worker/bundle.js';
import { PROFILES } from '../../worker/profiles.js';
import { startRefundWorker } from '../../worker/refund-worker.js';
import { refundWorkflowId } from '../../workflows/refund/contract.js';
import { PATHS, type Recording } from './paths.js';

const HISTORIES = fileURLToPath(new URL('histories/', import.meta.url));
const ENTITY = '8ac7a4c9900000000000000000000001';

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  shutdownSignals: [],
  telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
});

/** Opens servers, a worker with waits of milliseconds, and the worker of the example's merchant. */
async function open(): Promise<{ recording: Recording; temporal: Client; close(): Promise<void> }> {
  const [postgres, server, gatewayServer] = await Promise.all([
    startPostgres({ fsync: false }),
    startTemporal(),
    startGatewayServer({ entities: [{ id: ENTITY, token: 'token' }] }),
  ]);
  await migrate(postgres.url);
  const database = openDatabase(postgres.url);
  const gateway = createGateway({
    entities: [
      { id: ENTITY, baseUrl: gatewayServer.url, accessToken: new Secret('token'), hostKind: 'test' },
    ],
    refuseWhen: openTransaction,
  });
  const config: RefundConfig = {
    // Few queries, because people read the histories too: the first comes after the send window.
    timings: {
      ...scaleTimings(DEFAULT_TIMINGS, 0.0002),
      queryFirst: 2_300,
      queryGrowth: 1,
      queryMax: 2_300,
    },
    policy: { ...DEFAULT_POLICY, creditApprovalAbove: { EUR: '50000' } },
  };
  const queues = taskQueues();
  const start = { configFor: () => config, queryTaskQueue: queues.queries };
  const ledger = createLedger(database);
  const dependencies: Dependencies = {
    ledger,
    gateway,
    defaultEntityId: ENTITY,
    hasEntity: (id) => id === ENTITY,
    hasCardKeys: true,
    now: machineClock,
    pause,
  };
  const native = await NativeConnection.connect({ address: server.address });
  const connection = await Connection.connect({ address: server.address });
  const temporal = new Client({ connection, namespace: server.namespace });
  const worker = await startRefundWorker({
    connection: native,
    namespace: server.namespace,
    codec: CODEC_OFF,
    bundle: await buildWorkflowBundle(),
    queues,
    profile: PROFILES.small,
    dependencies,
    start,
    database,
  });
  const orders = new Map<string, Order>();
  const orderWorker = await createOrderWorker({
    connection: native,
    namespace: server.namespace,
    taskQueue: 'orders',
    dataConverter: dataConverter(CODEC_OFF, server.namespace),
    orders,
  });
  const ordersRun = orderWorker.run();

  const client = createRefundsClient({ temporal, dependencies, start, queues });
  const accept: Recording['accept'] = async (paymentId, amount) => {
    const request = { paymentId, amount, currency: 'EUR', reason: 'order_cancelled' };
    const order = { clientId: 'shop', idempotencyKey: randomUUID(), requestedBy: 'clerk', request };
    return (await acceptRefund(dependencies, order)).refund;
  };
  const recording: Recording = {
    client,
    temporal,
    dependencies,
    config,
    notifications: { database, dependencies, temporal, start, queues },
    accept,
    orders,
    gateway: gatewayServer.engine,
    payment: (amount, type = 'DB') => gatewayServer.engine.createPayment({ type, amount, currency: 'EUR' }),
    async ask(paymentId, amount) {
      const request = { paymentId, amount, currency: 'EUR', reason: 'order_cancelled' };
      const { id } = await client.requestRefund({
        clientId: 'shop',
        idempotencyKey: randomUUID(),
        requestedBy: 'clerk',
        request,
      });
      return { id, workflowId: refundWorkflowId(id) };
    },
    async until(id, states) {
      for (;;) {
        const refund = await ledger.findRefund(id);
        if (refund !== null && states.includes(refund.state)) return refund;
        await pause(10);
      }
    },
  };
  return {
    recording,
    temporal,
    async close() {
      orderWorker.shutdown();
      await Promise.all([worker.shutdown(), ordersRun]);
      await Promise.all([
        native.close(),
        connection.close(),
        gateway.close(),
        database.close(),
        gatewayServer.close(),
      ]);
      await Promise.all([postgres.stop(), server.stop()]);
    },
  };
}

/** Removes stack traces, process ids and host names: they describe the machine, and replay ignores them. */
function withoutMachine(history: unknown): string {
  const machine = `${process.pid}@${hostname()}`;
  return `${JSON.stringify(
    history,
    (key, value: unknown) => {
      if (key === 'stackTrace') return undefined;
      return typeof value === 'string' ? value.replaceAll(machine, 'worker') : value;
    },
    1,
  )}\n`;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(PATHS, name));
if (unknown.length > 0) throw new Error(`no such path: ${unknown.join(', ')}`);

const { recording, temporal, close } = await open();
try {
  await mkdir(HISTORIES, { recursive: true });
  for (const [name, take] of Object.entries(PATHS)) {
    // Histories of older versions must keep replaying, so only missing ones are added, and those that are named.
    if (asked.length > 0 ? !asked.includes(name) : existsSync(`${HISTORIES}${name}.json`)) continue;
    const workflowId = await take(recording);
    const history = await temporal.workflow.getHandle(workflowId).fetchHistory();
    const text = withoutMachine(JSON.parse(historyToJSON(history)));
    await writeFile(`${HISTORIES}${name}.json`, text);
    process.stdout.write(`${name}: ${history.events?.length ?? 0} events, ${text.length} bytes\n`);
  }
} finally {
  await close();
}
