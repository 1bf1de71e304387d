/** What simulated lifetimes have found, each told again without chance. */
import { describe, expect, it } from 'vitest';
import { createLedger } from '../../ledger/postgres.js';
import { gatewayNotice, refundWorkflowId } from '../../workflows/contract.js';
import { accepted, answer, debit, gatewayId, paid, refused, seen, submitted } from '../ledger/given.js';
import { openMemoryDatabase } from './database/memory-database.js';
import { startRefund } from './lifetime.js';
import { Coverage } from './world/coverage.js';
import { enter, leave } from './world/stand-ins.js';
import { World } from './world/world.js';

const HOUR = 3_600_000;

describe('the answer of a process that was stopped for a while', () => {
  it('does not make a refund paid that succeeded, came back, and was seen refused meanwhile', async () => {
    const { scheduler } = given();
    const ledger = createLedger(openMemoryDatabase(() => scheduler.now));
    const refundId = await accepted(ledger, debit(), 10_000n);
    const order = await submitted(ledger, refundId);
    const id = gatewayId();

    await ledger.record(seen(order, refused('not_linkable', id)));
    const position = await ledger.record(answer(order, paid(id)));

    expect(position.state).toBe('rejected');
    expect((await ledger.findRefund(refundId))?.attempts[0]?.state).toBe('rejected');
    leave();
  });
});

describe('a run that waits for a person', () => {
  it('ends when the gateway gives notice and the ledger has the refund paid already', async () => {
    const world = given();
    const { cluster, scheduler, ledger } = world;
    const facts = debit({ id: world.random.hex(32) });
    const refundId = await accepted(ledger, facts, 10_000n);
    const settle = (): boolean => cluster.settle();
    const order = await submitted(ledger, refundId);
    await ledger.record(answer(order, refused('risk')));
    await ledger.ask(refundId, 'risk');
    startRefund(world, refundId);
    await scheduler.run(settle, () => false, scheduler.now + HOUR);
    expect(cluster.openRuns).toBe(1);

    await ledger.record(seen(order, paid(gatewayId())));
    cluster.signal(refundWorkflowId(refundId), gatewayNotice.name);
    await scheduler.run(settle, () => cluster.openRuns === 0, scheduler.now + HOUR);

    expect(cluster.openRuns).toBe(0);
    leave();
  });
});

/** A world in which nothing goes wrong by chance. */
function given(): World {
  const world = new World({ seed: 1, coverage: new Coverage() });
  world.chaos.isOn = false;
  enter(world);
  return world;
}
