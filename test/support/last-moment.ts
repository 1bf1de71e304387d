/** Holds open the moment between a refund's final state in the ledger and the workflow's receipt of it, so that a test can act in it. */
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { isGatewayId } from '../../domain/ids.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { SimulatedGateway } from '../../sandbox/gateway/simulated-gateway.js';

/**
 * Starts the run with `start`. The gateway's next answer about `refundId` is recorded, `during` runs, and only then the activity
 * receives the recorded snapshot.
 */
export async function inLastMomentOf(
  refundId: string,
  ledger: Ledger,
  start: () => Promise<unknown>,
  during: (recorded: RefundSnapshot) => Promise<unknown>,
): Promise<void> {
  const record = ledger.record.bind(ledger);
  let end = (): void => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  try {
    const begun = new Promise<RefundSnapshot>((resolve) => {
      ledger.record = async (evidence) => {
        const snapshot = await record(evidence);
        if (snapshot.refundId === refundId && evidence.source === 'answer') {
          resolve(snapshot);
          await over;
        }
        return snapshot;
      };
    });
    await start();
    await during(await begun);
  } finally {
    ledger.record = record;
    end();
  }
}

/** Makes the first attempt's success fail late at the gateway, and records that in the ledger without a signal to the workflow. */
export async function recordReturn(
  refundId: string,
  ledger: Ledger,
  gateway: SimulatedGateway,
): Promise<RefundSnapshot> {
  const attempt = (await ledger.findRefund(refundId))?.attempts[0];
  const { id: gatewayId } = gateway.failLate({ id: attempt?.gatewayId ?? '' });
  if (attempt === undefined || !isGatewayId(gatewayId)) throw new Error('nothing was answered');
  const outcome = { kind: 'rejected', class: 'unlisted', gatewayId } as const;
  const asked = { send: attempt.submissions, at: await ledger.clock() };
  return ledger.record({ attemptId: attempt.id, source: 'query', asked, outcome });
}
