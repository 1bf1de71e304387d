/** Scenarios that each make a workflow take one path, until its history shows it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { createRefundWorkflow } from '../../client/refund-workflow.js';
import { RefundsError, type RefundsClient } from '../../client/index.js';
import type { NotificationParts } from '../../client/open.js';
import { createNotificationProcess } from '../../server/webhooks/process-notification.js';
import type { RefundState } from '../../domain/refund/states.js';
import type { Order } from '../../examples/order-cancellation/orders.js';
import type { orderCancellation } from '../../examples/order-cancellation/workflow.js';
import { claimWebhooks, subjectsOf } from '../../ledger/inbox/inbox.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import { storeWebhooks } from '../../ledger/inbox/webhooks.js';
import type { Dependencies } from '../../activities/dependencies.js';
import { isGatewayId } from '../../domain/ids.js';
import type { RefundConfig } from '../../domain/refund/config.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import type { FaultRule } from '../../sandbox/gateway/faults.js';
import type { SimulatedGateway } from '../../sandbox/gateway/simulated-gateway.js';
import { recordReturn, inLastMomentOf } from '../support/last-moment.js';
import { maintenanceAt } from '../../temporal/maintenance.js';
import type { audit } from '../../workflows/maintenance/audit.js';
import {
  AUDIT_WORKFLOW,
  paymentUpdatesWorkflowId,
  SWEEP_WORKFLOW,
} from '../../workflows/maintenance/contract.js';
import {
  DEFAULT_TASK_QUEUE,
  gatewayNotification,
  refundWorkflowId,
  withdrawUpdate,
} from '../../workflows/refund/contract.js';
import type { sweep } from '../../workflows/maintenance/sweep.js';
import { seen } from '../support/seen.js';

export interface Recording {
  readonly client: RefundsClient;
  readonly temporal: Client;
  readonly gateway: SimulatedGateway;
  /** Gateway and orders of the merchant in `examples/order-cancellation`, whose worker listens on `orders`. */
  readonly orders: Map<string, Order>;
  readonly dependencies: Dependencies;
  readonly config: RefundConfig;
  /** Dependencies of a process that handles the gateway's notifications. */
  readonly notifications: NotificationParts & { readonly dependencies: Dependencies };
  payment(amount: bigint, type?: 'DB' | 'PA'): CreatedPayment;
  /** Accepts a refund and starts no run. */
  accept(paymentId: string, amount: string): Promise<RefundRecord>;
  /** Accepts a refund and starts its run. */
  ask(paymentId: string, amount: string): Promise<{ readonly id: string; readonly workflowId: string }>;
  until(id: string, states: readonly RefundState[]): Promise<RefundRecord>;
}

/** Follows one path. Returns the id of the workflow whose history is stored. */
type Path = (recording: Recording) => Promise<string>;

const NOT_LINKABLE = { kind: 'reject', code: '700.500.001' } as const;

/** Runs a refund of 100.00 to its end, with the gateway's faults for the refund and for the credit. */
const toTheEnd =
  (onRefund: readonly FaultRule['effect'][] = [], onCredit: readonly FaultRule['effect'][] = []): Path =>
  async ({ gateway, payment, ask, temporal }) => {
    const { paymentId, registrationId } = payment(100_00n);
    for (const effect of onRefund) gateway.setFault({ match: { paymentId, paymentType: 'RF' }, effect });
    for (const effect of onCredit) gateway.setFault({ match: { registrationId, paymentType: 'CD' }, effect });
    const { workflowId } = await ask(paymentId, '100.00');
    await temporal.workflow.getHandle(workflowId).result();
    return workflowId;
  };

/** Runs a credit above the limit, with the approver's decision. */
const decided =
  (note: 'approve' | 'reject'): Path =>
  async ({ gateway, payment, ask, until, client, temporal }) => {
    const { paymentId } = payment(800_00n);
    gateway.setFault({ match: { paymentId }, effect: NOT_LINKABLE });
    const { id, workflowId } = await ask(paymentId, '800.00');
    await until(id, ['awaiting_approval']);
    await client[note](id, await seen(client, id, { by: 'supervisor', reason: 'as recorded' }));
    await temporal.workflow.getHandle(workflowId).result();
    return workflowId;
  };

/** Runs a refund whose decline proves nothing, until it waits for an operator. */
const inReview = async ({ gateway, payment, ask, until }: Recording): Promise<string> => {
  const { paymentId } = payment(100_00n);
  gateway.setFault({ match: { paymentId }, effect: { kind: 'reject', code: '700.300.300' } });
  const { id, workflowId } = await ask(paymentId, '100.00');
  await until(id, ['manual_review']);
  return workflowId;
};

/** Withdraws a refund with nothing at the gateway. A transaction of it shows up afterwards. */
async function openAfterItsEnd({ accept, dependencies, payment, config }: Recording): Promise<void> {
  const { ledger } = dependencies;
  const { id } = await accept(payment(100_00n).paymentId, '100.00');
  const opened = await ledger.openLinked(id, config.timings, config.policy);
  if (opened.kind !== 'send') throw new Error('the attempt is taken already');
  const { attemptId, send } = opened.order;
  await ledger.record({ attemptId, send, source: 'answer', outcome: { kind: 'not_sent', why: 'refused' } });
  await ledger.withdraw(id, 'clerk', 'as recorded');
  const gatewayId = 'f'.repeat(32);
  if (!isGatewayId(gatewayId)) throw new Error('not an id');
  const outcome = { kind: 'pending', gatewayId } as const;
  await ledger.record({ attemptId, source: 'query', asked: { send, at: await ledger.clock() }, outcome });
}

/** Maintenance workflows of the product. They drive no refund. */
export const MAINTENANCE_PATHS: readonly string[] = ['sweep', 'audit', 'payment-updates'];

/** Repeats a command until the attempt can no longer be on its way. */
async function untilAccepted<T>(command: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await command();
    } catch (error) {
      if (!(error instanceof RefundsError && error.code === 'too_early')) throw error;
      await pause(3_000);
    }
}

export const PATHS: Readonly<Record<string, Path>> = {
  'accepted-at-once': toTheEnd(),
  pending: toTheEnd([{ kind: 'pending', afterMs: 400 }]),
  'pending-with-notification': async ({ gateway, payment, ask, until, temporal }) => {
    const { paymentId } = payment(100_00n);
    gateway.setFault({ match: { paymentId }, effect: { kind: 'pending' } });
    const { id, workflowId } = await ask(paymentId, '100.00');
    const { attempts } = await until(id, ['pending']);
    gateway.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    const handle = temporal.workflow.getHandle(workflowId);
    await handle.signal(gatewayNotification);
    await handle.result();
    return workflowId;
  },
  /** A notification that the money was returned arrives at the moment in which the run learns that it was paid. */
  'returned-at-the-end': async ({
    accept,
    dependencies,
    gateway,
    notifications,
    payment,
    temporal,
    until,
  }) => {
    const { ledger } = dependencies;
    const refund = await accept(payment(100_00n).paymentId, '100.00');
    const handle = temporal.workflow.getHandle(refundWorkflowId(refund.id));
    await inLastMomentOf(
      refund.id,
      ledger,
      () =>
        createRefundWorkflow(notifications.temporal, notifications.start, notifications.queues).start(refund),
      async () => {
        const { version } = await recordReturn(refund.id, ledger, gateway);
        await handle.signal(gatewayNotification, version);
      },
    );
    await until(refund.id, ['manual_review']);
    return handle.workflowId;
  },
  'answer-lost': toTheEnd([{ kind: 'accept_then_drop' }]),
  'absent-and-submitted-again': toTheEnd([{ kind: 'drop_before_execute' }]),
  'declined-softly': toTheEnd([{ kind: 'reject', code: '900.100.600' }]),
  credit: toTheEnd([NOT_LINKABLE]),
  'credit-answer-lost': toTheEnd([NOT_LINKABLE], [{ kind: 'accept_then_drop' }]),
  'credit-declined': toTheEnd([NOT_LINKABLE], [{ kind: 'reject', code: '800.100.152' }]),
  'credit-approved': decided('approve'),
  'credit-not-approved': decided('reject'),
  'closed-by-dispute': toTheEnd([NOT_LINKABLE, { kind: 'chargeback_after_rejection' }]),
  reversal: async ({ payment, ask, temporal }) => {
    const { workflowId } = await ask(payment(75_00n, 'PA').paymentId, '75.00');
    await temporal.workflow.getHandle(workflowId).result();
    return workflowId;
  },
  /** Still waiting: the history ends where an operator has to act. */
  review: inReview,
  /** Made final by another process; the run finds that out by itself. */
  'ended-without-message': async ({
    accept,
    dependencies,
    gateway,
    notifications,
    payment,
    config,
    temporal,
    until,
  }) => {
    const { paymentId } = payment(100_00n);
    gateway.setFault({ match: { paymentId }, effect: { kind: 'reject', code: '700.300.300' } });
    const refund = await accept(paymentId, '100.00');
    const soon: RefundConfig = { ...config, timings: { ...config.timings, caseAfterUnknown: 2_000 } };
    await createRefundWorkflow(
      notifications.temporal,
      { ...notifications.start, configFor: () => soon },
      notifications.queues,
    ).start(refund);
    await until(refund.id, ['manual_review']);
    await dependencies.ledger.withdraw(refund.id, 'clerk', 'paid by hand');
    const handle = temporal.workflow.getHandle(refundWorkflowId(refund.id));
    await handle.result();
    return handle.workflowId;
  },
  withdrawn: async (recording) => {
    const workflowId = await inReview(recording);
    const handle = recording.temporal.workflow.getHandle(workflowId);
    await handle.executeUpdate(withdrawUpdate, { args: [{ by: 'clerk', reason: 'paid by hand' }] });
    await handle.result();
    return workflowId;
  },
  canceled: async (recording) => {
    const workflowId = await inReview(recording);
    const handle = recording.temporal.workflow.getHandle(workflowId);
    await handle.cancel();
    await handle.result().catch(() => undefined);
    return workflowId;
  },
  /** An operator links a transaction of the portal as the outcome of an attempt that never arrived. */
  linked: async (recording) => {
    const { gateway, payment, ask, until, client, temporal } = recording;
    const { paymentId } = payment(100_00n);
    gateway.setFault({ match: { paymentId }, effect: { kind: 'drop_before_execute' } });
    const { id, workflowId } = await ask(paymentId, '100.00');
    await until(id, ['unknown']);
    const portal = gateway.refundInPortal({ paymentId, amount: 100_00n });
    await untilAccepted(() =>
      client.link(id, { by: 'anna', reason: 'found in the portal', gatewayId: portal.id }),
    );
    await temporal.workflow.getHandle(workflowId).result();
    return workflowId;
  },
  /** One operator proposes a correction, and another confirms it after a look at the evidence. */
  corrected: async (recording) => {
    const { gateway, payment, ask, until, client, temporal } = recording;
    const { paymentId } = payment(100_00n);
    gateway.setFault({ match: { paymentId }, effect: { kind: 'drop_before_execute' } });
    const { id, workflowId } = await ask(paymentId, '100.00');
    await until(id, ['unknown']);
    gateway.refundInPortal({ paymentId, amount: 10_00n });
    await client.sync(id, { by: 'anna', reason: 'the customer called' });
    const answer = { by: 'anna', reason: 'never sent on', outcome: 'failed', evidence: 'a letter' } as const;
    const { proposal } = await untilAccepted(() => client.correct(id, answer));
    const instruction = proposal?.instruction ?? '';
    await client.approve(id, { by: 'berta', reason: 'seen the letter', instruction });
    await temporal.workflow.getHandle(workflowId).result();
    return workflowId;
  },
  /** The card is closed: an operator names another registration, and an approver approves it. */
  'destination-changed': async ({ gateway, payment, ask, until, client, temporal }) => {
    const { paymentId } = payment(100_00n);
    const { registrationId } = payment(1_00n);
    gateway.setFault({ match: { paymentId }, effect: { kind: 'reject', code: '800.100.171' } });
    const { id, workflowId } = await ask(paymentId, '100.00');
    await until(id, ['manual_review']);
    await client.changeDestination(id, { by: 'anna', reason: 'the card is closed', registrationId });
    await until(id, ['awaiting_approval']);
    await client.approve(id, await seen(client, id, { by: 'berta', reason: 'the customer wrote' }));
    await temporal.workflow.getHandle(workflowId).result();
    return workflowId;
  },
  'credit-requested': async ({ payment, until, client, temporal }) => {
    const { registrationId } = payment(1_00n);
    const { id, workflowId } = await client.requestCredit({
      clientId: 'shop',
      idempotencyKey: 'credit-requested',
      requestedBy: 'clerk',
      request: { amount: '5.00', currency: 'EUR', reason: 'goodwill', destination: { registrationId } },
    });
    await until(id, ['awaiting_approval']);
    await client.approve(id, await seen(client, id, { by: 'berta', reason: 'agreed with the customer' }));
    await temporal.workflow.getHandle(workflowId).result();
    return workflowId;
  },
  'order-cancellation': async ({ payment, orders, temporal }) => {
    const { paymentId } = payment(100_00n);
    orders.set('4711', { id: '4711', paymentId, amount: '100.00', currency: 'EUR', state: 'open' });
    const handle = await temporal.workflow.start<typeof orderCancellation>('orderCancellation', {
      workflowId: 'cancel-order-4711',
      taskQueue: 'orders',
      args: [{ orderId: '4711', by: 'clerk' }],
    });
    await handle.result();
    return handle.workflowId;
  },
  /** Canceled while its refund is being accepted. */
  'order-cancellation-canceled': async ({ gateway, payment, orders, temporal }) => {
    const { paymentId } = payment(100_00n);
    // The first query fails, so that the order waits meanwhile.
    gateway.setFault({ match: { paymentId }, effect: { kind: 'query', how: 'drop' } });
    orders.set('4712', { id: '4712', paymentId, amount: '100.00', currency: 'EUR', state: 'open' });
    const handle = await temporal.workflow.start<typeof orderCancellation>('orderCancellation', {
      workflowId: 'cancel-order-4712',
      taskQueue: 'orders',
      args: [{ orderId: '4712', by: 'clerk' }],
    });
    for (let isAsked = false; !isAsked;) {
      const { pendingActivities } = (await handle.describe()).raw;
      isAsked = pendingActivities?.some(({ activityType }) => activityType?.name === 'acceptRefund') ?? false;
    }
    await handle.cancel();
    await handle.result().catch(() => undefined);
    return handle.workflowId;
  },
  sweep: async (recording) => {
    const { accept, payment, temporal, until } = recording;
    await openAfterItsEnd(recording);
    const { id } = await accept(payment(100_00n).paymentId, '100.00');
    const input = maintenanceAt(1).sweep;
    const handle = await temporal.workflow.start<typeof sweep>(SWEEP_WORKFLOW, {
      workflowId: 'refunds-sweep',
      taskQueue: DEFAULT_TASK_QUEUE,
      args: [{ ...input, patience: { ...input.patience, quiet: 0 } }],
    });
    const { queried } = await handle.result();
    if (queried !== 1) throw new Error('the open attempt was not queried');
    await until(id, ['succeeded']);
    return handle.workflowId;
  },
  audit: async ({ temporal }) => {
    const handle = await temporal.workflow.start<typeof audit>(AUDIT_WORKFLOW, {
      workflowId: 'refunds-audit',
      taskQueue: DEFAULT_TASK_QUEUE,
      args: [maintenanceAt(1).audit],
    });
    await handle.result();
    return handle.workflowId;
  },
  /** A chargeback is reported, and reported again while it is queried: two queries, of which the second finds nothing left to query. */
  'payment-updates': async ({ ask, gateway, notifications, payment, temporal, until }) => {
    const { paymentId } = payment(100_00n);
    const { id } = await ask(paymentId, '100.00');
    await until(id, ['succeeded']);
    const chargeback = gateway.chargeback({ paymentId });
    // The first attempt of the query fails, so that the run still exists when the second notification arrives.
    gateway.setFault({ match: { paymentId }, effect: { kind: 'query', how: 'drop' } });
    await storeWebhooks(notifications.database, [
      {
        kind: 'PAYMENT',
        entityId: notifications.dependencies.defaultEntityId,
        naturalKey: `PAYMENT:${chargeback.id}`,
        transaction: {
          id: chargeback.id,
          type: 'chargeback',
          amount: '100.00',
          currency: 'EUR',
          referencedId: paymentId,
          result: { code: '000.100.110', description: 'charged back' },
        },
      },
    ]);
    const claimed = await claimWebhooks(notifications.database, 1, 60_000);
    const subjects = await subjectsOf(
      notifications.database,
      claimed.map((notification) => notification.id),
    );
    for (const notification of claimed)
      await createNotificationProcess(notifications)(notification, subjects.get(notification.id));
    const handle = temporal.workflow.getHandle(paymentUpdatesWorkflowId(paymentId));
    await handle.signal(gatewayNotification);
    await handle.result();
    return handle.workflowId;
  },
};
