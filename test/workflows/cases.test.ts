/** Runs each refund of the demonstration to its end: the faults at the gateway, the requests, and the expected outcomes. */
import { describe, expect, it } from 'vitest';
import { acceptCredit, acceptRefund } from '../../activities/refund/accept.js';
import { gatewayControl, type SandboxPayment } from '../../sandbox/control-client.js';
import { CASES, sampleCard, type Case, type Ending } from '../../sandbox/demo/cases.js';
import { isFinal, type RefundState } from '../../domain/refund/states.js';
import { insertCard } from '../../ledger/cards/cards.js';
import { LedgerError } from '../../ledger/ledger.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import { CLERK, openHarness, type RefundHandle } from './harness.js';
import { decideUpdate } from '../../workflows/refund/contract.js';

const harness = await openHarness({ sideBySide: true, timings: { sendWindow: 1_500 } });
const control = gatewayControl(harness.gateway.url);

/** Outcome of one request. */
type Outcome = { readonly refund: RefundRecord } | { readonly refused: string };

async function sealCard(): Promise<string> {
  const card = await harness.sealer.seal(crypto.randomUUID(), sampleCard());
  await harness.database.transaction((tx) =>
    insertCard(tx, card, 'shop', { maxAgeMs: 86_400_000, graceMs: 0 }),
  );
  return card.cardRef;
}

async function pay(
  { paymentId, registrationId }: SandboxPayment,
  amount: string,
  credit: Case['credit'],
): Promise<{ readonly refundId: string; readonly handle: RefundHandle }> {
  const request = {
    amount,
    currency: 'EUR',
    reason: 'order_cancelled',
    ...(credit === 'unlinked' || credit === 'to_card' ? {} : { paymentId }),
    ...(credit === undefined
      ? {}
      : { destination: credit === 'to_card' ? { cardRef: await sealCard() } : { registrationId } }),
  };
  const order = { clientId: 'shop', idempotencyKey: crypto.randomUUID(), requestedBy: CLERK, request };
  const accept = credit === undefined ? acceptRefund : acceptCredit;
  const { refund } = await accept(harness.dependencies, order);
  return { refundId: refund.id, handle: await harness.drive(refund.id) };
}

async function ask(
  payment: SandboxPayment,
  amount: string,
  { approval, credit }: Pick<Case, 'approval' | 'credit'> = {},
): Promise<Outcome> {
  let paid: Awaited<ReturnType<typeof pay>>;
  try {
    paid = await pay(payment, amount, credit);
  } catch (error) {
    if (error instanceof LedgerError) return { refused: error.code };
    throw error;
  }
  const { refundId, handle } = paid;
  const rests = (state: RefundState): boolean =>
    isFinal(state) || state === 'manual_review' || state === 'awaiting_approval';
  const settled = await harness.untilRefund(refundId, ({ state }) => rests(state));
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
    refund: await harness.untilRefund(refundId, ({ state }) => state !== 'awaiting_approval' && rests(state)),
  };
}

async function askAll(scenario: Case, payment: SandboxPayment): Promise<Outcome[]> {
  const { amounts, atOnce } = scenario;
  if (atOnce === true) return Promise.all(amounts.map((amount) => ask(payment, amount, scenario)));
  const outcomes: Outcome[] = [];
  for (const amount of amounts) outcomes.push(await ask(payment, amount, scenario));
  return outcomes;
}

/** Formats an outcome like the expected ending of a case. */
function endingOf(
  outcome: Outcome,
): { state: string; operation: string | null; why: string | null } | { refused: string } {
  if ('refused' in outcome) return outcome;
  const { state, why, attempts } = outcome.refund;
  return { state, operation: attempts.at(-1)?.operation ?? null, why };
}

const expected = (ending: Ending): unknown =>
  'refused' in ending
    ? ending
    : expect.objectContaining({
        state: ending.state,
        ...(ending.operation === undefined ? {} : { operation: ending.operation }),
        ...(ending.why === undefined ? {} : { why: expect.stringMatching(ending.why) as unknown }),
      });

describe.concurrent('every refund of the demonstration ends as expected, and the books agree', () => {
  it.for(CASES)('$name', async (scenario) => {
    const payment = await control.createPayment({ ...scenario.payment, currency: 'EUR' });
    if (scenario.before !== undefined) {
      const before = await ask(payment, scenario.before);
      expect(endingOf(before)).toMatchObject({ state: 'succeeded' });
    }
    await scenario.arrange?.(control, payment);

    const endings = (await askAll(scenario, payment)).map(endingOf);

    // Two at once: either of them may be the refused one.
    expect(endings).toHaveLength(scenario.endings.length);
    for (const ending of scenario.endings) expect(endings).toContainEqual(expected(ending));
  });
});
