/** The demonstration's refunds, each to its end: what was arranged at the gateway, what was asked, what came of it. */
import { describe, expect, it } from 'vitest';
import { controlGateway } from '../../sandbox/control-client.js';
import { CASES, type Case, type Ending } from '../../sandbox/demo/cases.js';
import { isFinal, type RefundState } from '../../domain/states.js';
import { LedgerError, type RefundRecord } from '../../ledger/ledger.js';
import { openWorld, type RefundHandle } from './world.js';
import { decideUpdate } from '../../workflows/contract.js';

const world = await openWorld({ sideBySide: true, timings: { sendWindow: 1_500 } });
const control = controlGateway(world.gateway.url);

/** What became of one request. */
type Outcome = { readonly refund: RefundRecord } | { readonly refused: string };

async function ask(paymentId: string, amount: string, approval: Case['approval']): Promise<Outcome> {
  let paid: { refundId: string; handle: RefundHandle };
  try {
    paid = await world.pay(paymentId, amount);
  } catch (error) {
    if (error instanceof LedgerError) return { refused: error.code };
    throw error;
  }
  const { refundId, handle } = paid;
  const rests = (state: RefundState): boolean =>
    isFinal(state) || state === 'manual_review' || state === 'awaiting_approval';
  const settled = await world.untilRefund(refundId, ({ state }) => rests(state));
  const { instruction } = settled;
  if (approval === undefined || instruction === null) return { refund: settled };
  await handle.executeUpdate(decideUpdate, {
    args: [
      {
        verdict: approval === 'approve' ? 'approved' : 'refused',
        instruction: instruction.hash,
        by: 'supervisor',
        reason: 'as the case says',
      },
    ],
  });
  return {
    refund: await world.untilRefund(refundId, ({ state }) => state !== 'awaiting_approval' && rests(state)),
  };
}

async function askAll({ amounts, atOnce, approval }: Case, paymentId: string): Promise<Outcome[]> {
  if (atOnce === true) return Promise.all(amounts.map((amount) => ask(paymentId, amount, approval)));
  const outcomes: Outcome[] = [];
  for (const amount of amounts) outcomes.push(await ask(paymentId, amount, approval));
  return outcomes;
}

/** As the case writes an ending. */
function endingOf(
  outcome: Outcome,
): { state: string; way: string | null; why: string | null } | { refused: string } {
  if ('refused' in outcome) return outcome;
  const { state, why, attempts } = outcome.refund;
  return { state, way: attempts.at(-1)?.way ?? null, why };
}

const expected = (ending: Ending): unknown =>
  'refused' in ending
    ? ending
    : expect.objectContaining({
        state: ending.state,
        way: ending.way,
        ...(ending.why === undefined ? {} : { why: expect.stringMatching(ending.why) as unknown }),
      });

describe.concurrent('every refund of the demonstration ends as it must, and the books agree', () => {
  it.for(CASES)('$name', async (given) => {
    const payment = await control.createPayment({ ...given.payment, currency: 'EUR' });
    if (given.before !== undefined) {
      const before = await ask(payment.paymentId, given.before, undefined);
      expect(endingOf(before)).toMatchObject({ state: 'succeeded' });
    }
    await given.arrange?.(control, payment);

    const endings = (await askAll(given, payment.paymentId)).map(endingOf);

    // Two at once: which of them is refused is theirs to settle.
    expect(endings).toHaveLength(given.endings.length);
    for (const ending of given.endings) expect(endings).toContainEqual(expected(ending));
  });
});
