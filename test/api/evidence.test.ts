/** Link and correct over HTTP: success, each refusal with its code, repetition and concurrency. */
import { describe, expect, it } from 'vitest';
import { inTime, inTimeAll, NEVER_PAID, refused, startOperators, reported, WHY } from './operators.js';
import { refundOf } from './harness.js';

// A linked transaction has none of our references, so the gateway's books know it by its id only.
const harness = await startOperators({ booksAgree: false });
const { anna, berta, boss, asked, lostBeside, newKey, paid, pendingTooLong, command, stack, until } = harness;
const { engine } = stack.gateway;

describe('link', () => {
  it('records the gateway’s result as the outcome; repeating it changes nothing, and another operator learns who linked it', async () => {
    const { id, gatewayId, payment } = await lostBeside();
    const linked = await inTime(() => command(anna, 'link', id, { ...WHY, gatewayId }));
    expect(linked.status).toBe(200);
    expect(refundOf(linked)).toMatchObject({ status: 'succeeded', attempts: [{ gatewayId }] });
    expect((await command(anna, 'link', id, { ...WHY, gatewayId })).body).toEqual(linked.body);
    const late = await command(berta, 'link', id, { ...WHY, gatewayId });
    expect(reported(late)).toEqual(refused(409, 'already_decided'));
    expect(late.body).toMatchObject({ by: 'anna' });

    stack.fault({ kind: 'drop_before_execute' }, { paymentId: payment.paymentId });
    const other = await asked(payment, 'unknown');
    expect(reported(await command(anna, 'link', other, { ...WHY, gatewayId }))).toEqual(
      refused(409, 'linked_elsewhere'),
    );
  });

  it('by two operators at once takes effect once', async () => {
    const { id, gatewayId, payment } = await lostBeside();
    // The send window is over, so each command is refused for its own reason.
    await inTime(() => command(anna, 'correct', id, NEVER_PAID));
    const both = await Promise.all(
      [anna, berta].map((key) => command(key, 'link', id, { ...WHY, gatewayId })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.flatMap((one) => (one.status === 409 ? [reported(one).code] : []))).toEqual([
      'already_decided',
    ]);
    const balance = await stack.dependencies.ledger.findPayment(payment.paymentId);
    expect(balance).toMatchObject({ succeededMinor: 40_00n, reservedMinor: 0n });
  });

  it('is refused for a transaction that does not match, with its code, and changes nothing', async () => {
    const { id, payment, gatewayId } = await lostBeside();
    const { paymentId } = payment;
    const theirs = stack.newPayment().paymentId;
    for (const [other, code] of [
      [engine.refundInPortal({ paymentId, amount: 41_00n }).id, 'amount_differs'],
      [engine.refundInPortal({ paymentId: theirs, amount: 40_00n }).id, 'original_differs'],
      [
        engine.refundInPortal({ paymentId, amount: 10_00n, merchantTransactionId: 'ANOTHER-ONE' }).id,
        'reference_differs',
      ],
      [paymentId, 'type_differs'],
      ['f'.repeat(32), 'not_at_gateway'],
    ] as const)
      expect(reported(await command(anna, 'link', id, { ...WHY, gatewayId: other })), code).toEqual(
        refused(409, code),
      );
    expect((await stack.client.getRefund(id)).state).toBe('unknown');
    expect(reported(await command(anna, 'link', await paid(), { ...WHY, gatewayId }))).toEqual(
      refused(409, 'original_differs'),
    );
  });

  it('is refused for a transaction in another currency, or with an inconclusive result', async () => {
    const { id, gatewayId } = await lostBeside();
    stack.fault({ kind: 'query', how: 'currency_differs', currency: 'JPY' }, { paymentId: gatewayId });
    expect(reported(await command(anna, 'link', id, { ...WHY, gatewayId }))).toEqual(
      refused(409, 'currency_differs'),
    );

    const payment = stack.newPayment();
    const { paymentId } = payment;
    stack.fault({ kind: 'comm_error', executed: false, recorded: true }, { paymentId });
    const unsure = await asked(payment, 'unknown');
    const recorded = engine.transactions().find(({ referencedId }) => referencedId === paymentId)?.id ?? '';
    expect(reported(await command(anna, 'link', unsure, { ...WHY, gatewayId: recorded }))).toEqual(
      refused(409, 'result_inconclusive'),
    );
    expect((await stack.client.getRefund(unsure)).state).toBe('unknown');
  });

  it('is refused before anything was submitted, for a final attempt, and for a transaction of another attempt', async () => {
    const authorised = stack.newPayment({ type: 'PA' });
    const unsent = await asked(authorised, 'manual_review');
    const someId = 'f'.repeat(32);
    expect(reported(await command(anna, 'link', unsent, { ...WHY, gatewayId: someId }))).toEqual(
      refused(409, 'nothing_submitted'),
    );
    const payment = stack.newPayment();
    const [first, second] = [await asked(payment, 'succeeded'), await asked(payment, 'succeeded')];
    const [attempt] = (await stack.client.getRefund(first)).attempts;
    expect(
      reported(await command(anna, 'link', second, { ...WHY, gatewayId: attempt?.gatewayId ?? '' })),
    ).toEqual(refused(409, 'reference_differs'));
    const other = stack.newPayment();
    const over = await asked(other, 'succeeded');
    const portal = engine.refundInPortal({ paymentId: other.paymentId, amount: 40_00n });
    expect(reported(await command(anna, 'link', over, { ...WHY, gatewayId: portal.id }))).toEqual(
      refused(409, 'attempt_final'),
    );
  });
});

describe('correct', () => {
  it('is confirmed by a second approver, who is neither the requester nor the proposer', async () => {
    const { id, payment } = await lostBeside();
    const proposed = await inTime(() => command(anna, 'correct', id, NEVER_PAID));
    expect(proposed.status).toBe(200);
    const { proposal } = refundOf(proposed);
    expect(proposal).toMatchObject({ action: 'correct', by: 'anna', reason: WHY.reason, ticket: 'PAY-12' });
    const instruction = proposal?.instruction ?? '';
    expect(refundOf(await command(anna, 'correct', id, NEVER_PAID)).proposal, 'said again').toEqual(proposal);
    const second = await command(berta, 'correct', id, NEVER_PAID);
    expect(reported(second)).toEqual(refused(409, 'proposal_open'));
    expect(second.body).toMatchObject({ by: 'anna' });

    const yes = { ...WHY, instruction };
    expect(reported(await command(anna, 'approve', id, yes))).toEqual(
      refused(403, 'proposer_cannot_approve'),
    );
    const asker = await newKey('shop', 'approve');
    expect(reported(await command(asker, 'approve', id, yes))).toEqual(
      refused(403, 'requester_cannot_decide'),
    );
    expect(reported(await command(boss, 'approve', id, { ...WHY, instruction: 'another' }))).toEqual(
      refused(409, 'not_awaiting_approval'),
    );
    const confirmed = await command(boss, 'approve', id, yes);
    expect(refundOf(confirmed)).toMatchObject({ status: 'failed', why: 'corrected', proposal: null });
    expect((await command(boss, 'approve', id, yes)).body, 'said again').toEqual(confirmed.body);
    const late = await command(await newKey('carla', 'approve'), 'approve', id, yes);
    expect(reported(late)).toEqual(refused(409, 'already_decided'));
    expect(late.body).toMatchObject({ by: 'boss' });
    expect(await stack.dependencies.ledger.findPayment(payment.paymentId)).toMatchObject({
      reservedMinor: 0n,
    });
  });

  it('that the approver rejects changes nothing', async () => {
    const { id } = await lostBeside();
    const { proposal } = refundOf(await inTime(() => command(anna, 'correct', id, NEVER_PAID)));
    const no = { ...WHY, instruction: proposal?.instruction };
    expect(refundOf(await command(boss, 'reject', id, no))).toMatchObject({
      state: 'unknown',
      proposal: null,
    });
    expect(reported(await command(boss, 'approve', id, no))).toEqual(refused(409, 'already_decided'));
  });

  it('cannot be confirmed once the gateway has reported an outcome', async () => {
    const { id, payment } = await lostBeside();
    const { proposal } = refundOf(await inTime(() => command(anna, 'correct', id, NEVER_PAID)));
    const [attempt] = (await stack.client.getRefund(id)).attempts;
    const { paymentId } = payment;
    engine.refundInPortal({
      paymentId,
      amount: 40_00n,
      merchantTransactionId: attempt?.merchantTransactionId ?? '',
    });
    await stack.client.sync(id, { by: 'berta', reason: 'the bank found it' });
    await until(id, 'succeeded');
    const yes = { ...WHY, instruction: proposal?.instruction };
    expect(reported(await command(boss, 'approve', id, yes))).toEqual(refused(409, 'superseded'));
    expect((await stack.client.getRefund(id)).state).toBe('succeeded');
  });

  it('by two operators at once is one proposal', async () => {
    const { id } = await lostBeside();
    const both = await inTimeAll(() =>
      Promise.all([anna, berta].map((key) => command(key, 'correct', id, NEVER_PAID))),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.flatMap((one) => (one.status === 409 ? [reported(one).code] : []))).toEqual([
      'proposal_open',
    ]);
  });

  it('is refused if the gateway shows a different outcome, if it is too early, or if there is nothing to correct', async () => {
    const early = stack.newPayment();
    stack.fault({ kind: 'drop_before_execute' }, { paymentId: early.paymentId });
    expect(reported(await command(anna, 'correct', await asked(early, 'unknown'), NEVER_PAID))).toEqual(
      refused(409, 'too_early'),
    );
    const id = await pendingTooLong();
    expect(reported(await inTime(() => command(anna, 'correct', id, NEVER_PAID)))).toEqual(
      refused(409, 'gateway_contradicts'),
    );
    const settled = { ...NEVER_PAID, outcome: 'case_closed' };
    expect(reported(await command(anna, 'correct', id, settled))).toEqual(refused(409, 'not_final'));
    const over = await paid();
    expect(reported(await command(anna, 'correct', over, NEVER_PAID))).toEqual(
      refused(409, 'nothing_to_correct'),
    );
    expect(reported(await command(anna, 'correct', over, settled))).toEqual(refused(409, 'no_case'));
  });
});
