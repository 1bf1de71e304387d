/** A credit that was approved once and is submitted again without an approval counts towards the limits. */
import { expect, it } from 'vitest';
import {
  answer,
  creditOrder,
  debit,
  ENTITY,
  gatewayId,
  notSent,
  paid,
  POLICY,
  sent,
  TIMINGS,
} from '../ledger/fixtures.js';
import { postgresLedger } from '../ledger/postgres.js';

const { ledger, letPass } = await postgresLedger();

it('counts a credit that was submitted again within the limits', async () => {
  const asked = async (minor: bigint) => {
    const registrationId = gatewayId();
    const facts = debit({ registrationId });
    const order = creditOrder(minor, { paymentId: facts.id });
    const request = { ...order.request, destination: { registrationId } };
    const { refund } = await ledger.accept({ ...order, request }, { entityId: ENTITY, facts });
    return { id: refund.id, check: () => ledger.openCredit(refund.id, facts, TIMINGS, POLICY) };
  };
  const first = await asked(10_000n);
  await ledger.record(answer(sent(await first.check()), paid()));
  const second = await asked(5_000n);
  expect((await second.check()).verdict).toMatchObject({ kind: 'needs_approval' });
  const instruction = (await ledger.findRefund(second.id))?.instruction?.hash ?? '';
  await ledger.decide({
    refundId: second.id,
    instruction,
    verdict: 'approved',
    by: 'berta',
    reason: 'checked',
  });
  await ledger.record(answer(sent(await second.check()), notSent));
  await letPass(25 * 3_600_000);
  await ledger.openCase(second.id, 'configuration');
  await ledger.replay({ refundId: second.id, by: 'carl', reason: 'the setting is right now' });
  sent(await second.check());
  const third = await asked(5_001n);
  expect((await third.check()).verdict).toMatchObject({ why: ['above_limit_of_requester'] });
});
