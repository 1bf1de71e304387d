/** Facts from outside: chargebacks, refunds made elsewhere, and queries that are stored late or in another order. */
import { describe, expect, it } from 'vitest';
import {
  accepted,
  answer,
  authorisation,
  debit,
  gatewayId,
  linkedReturn,
  lost,
  order,
  paid,
  POLICY,
  refused,
  seen,
  submitted,
  TIMINGS,
  type LedgerUnderTest,
} from '../fixtures.js';

export function describeOutside(underTest: () => LedgerUnderTest): void {
  const payment = async (id: string) =>
    (await underTest().ledger.findPayment(id)) ?? expect.fail('no payment');

  describe('a chargeback', () => {
    it('ends a declined refund and releases its reservation; a reversal of the chargeback makes money refundable again', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('disputed')));
      const dispute = {
        id: gatewayId(),
        amountMinor: 10_000n,
        reversedMinor: 0n,
        state: 'succeeded' as const,
      };
      const first = await ledger.applyReconciliation(id, { ...facts, disputes: [dispute] }, 'decide');
      expect(first).toMatchObject({
        reconciliation: { kind: 'settled' },
        snapshot: { state: 'closed_by_dispute' },
      });
      expect(await payment(facts.id)).toMatchObject({
        reservedMinor: 0n,
        disputedMinor: 10_000n,
        refundableMinor: 0n,
      });
      await ledger.recordOriginal(facts.id, {
        ...facts,
        disputes: [{ ...dispute, reversedMinor: dispute.amountMinor }],
      });
      await ledger.recordOriginal(facts.id, {
        ...facts,
        disputes: [{ ...dispute, reversedMinor: dispute.amountMinor }],
      });
      expect(await payment(facts.id)).toMatchObject({ disputedMinor: 0n, refundableMinor: 10_000n });
    });

    it('that is pending does not count as paid to the customer: a withdrawn refund is not settled by it', async () => {
      const { ledger, violations } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('disputed')));
      const dispute = { id: gatewayId(), amountMinor: 10_000n, reversedMinor: 0n, state: 'open' as const };
      await ledger.applyReconciliation(id, { ...facts, disputes: [dispute] }, 'decide');
      const { snapshot } = await ledger.withdraw(id, 'maria', 'not wanted');
      expect(snapshot).toMatchObject({ state: 'canceled', settled: { settledBy: null } });
      expect(await violations()).toEqual([]);
    });

    it.each([
      ['a chargeback', 'chargeback'],
      ['a refund elsewhere', 'refund_elsewhere'],
    ] as const)(
      '%s that was pending at the withdrawal and is final later counts for the refund',
      async (_name, by) => {
        const { ledger, violations } = underTest();
        const facts = debit();
        const id = await accepted(ledger, facts, 10_000n);
        await ledger.record(answer(await submitted(ledger, id), refused('disputed')));
        const own = { id: gatewayId(), amountMinor: 4_000n };
        const shown = (amountMinor: bigint, state: 'open' | 'succeeded') =>
          by === 'chargeback'
            ? { ...facts, disputes: [{ ...own, amountMinor, reversedMinor: 0n, state }] }
            : { ...facts, returns: [linkedReturn({ ...own, amountMinor, state })] };
        await ledger.applyReconciliation(id, shown(4_000n, 'open'), 'decide');
        // A cancellation is refused here: the customer may have the money.
        const wish = await ledger.withdraw(id, 'cancellation', 'the workflow was cancelled');
        expect(wish).toMatchObject({ kind: 'refused', why: 'may_have_left' });
        expect((await ledger.withdraw(id, 'maria', 'agreed')).snapshot).toMatchObject({
          state: 'canceled',
          settled: { settledBy: null },
        });
        await ledger.recordOriginal(facts.id, shown(4_000n, 'succeeded'));
        expect((await ledger.snapshot(id)).settled).toMatchObject({ settledBy: by, settledAmount: '40.00' });
        // The chargeback grows. Neither its growth nor a later chargeback counts for this refund.
        const other = { ...own, id: gatewayId(), amountMinor: 2_000n, reversedMinor: 0n };
        await ledger.recordOriginal(facts.id, {
          ...shown(6_000n, 'succeeded'),
          disputes: [...shown(6_000n, 'succeeded').disputes, { ...other, state: 'succeeded' }],
        });
        expect(await ledger.snapshot(id)).toMatchObject({
          state: 'canceled',
          settled: { settledBy: by, settledAmount: '60.00' },
        });
        expect(await violations()).toEqual([]);
      },
    );

    it('beside a refund elsewhere is paid twice, also if our own refund has ended', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('ambiguous')));
      const shown = { ...facts, returns: [linkedReturn()] };
      await ledger.applyReconciliation(id, shown, 'decide');
      expect(await openCases(id)).toEqual([]);
      const dispute = {
        id: gatewayId(),
        amountMinor: 10_000n,
        reversedMinor: 0n,
        state: 'succeeded' as const,
      };
      await ledger.recordOriginal(facts.id, { ...shown, disputes: [dispute] });
      expect(await openCases(id)).toEqual(['paid_twice']);
    });

    it('that is pending beside a refund is paid twice only when it is final', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 4_000n);
      await ledger.record(answer(await submitted(ledger, id), paid()));
      // Without an amount it may be the whole payment.
      const dispute = { id: gatewayId(), amountMinor: 10_000n, reversedMinor: 0n };
      await ledger.recordOriginal(facts.id, { ...facts, disputes: [{ ...dispute, state: 'open' }] });
      expect(await payment(facts.id)).toMatchObject({ excessMinor: 4_000n, refundableMinor: 0n });
      expect(await openCases(id)).toEqual([]);
      const shown = { ...dispute, amountMinor: 6_000n, state: 'succeeded' } as const;
      await ledger.recordOriginal(facts.id, { ...facts, disputes: [shown] });
      expect(await openCases(id)).toEqual([]);
      await ledger.recordOriginal(facts.id, { ...facts, disputes: [{ ...shown, amountMinor: 7_000n }] });
      expect(await openCases(id)).toEqual(['paid_twice']);
    });

    it('that crosses a refund is recorded beside it, and opens a case because it was paid twice', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), paid()));
      await ledger.recordOriginal(facts.id, {
        ...facts,
        disputes: [{ id: gatewayId(), amountMinor: 10_000n, reversedMinor: 0n, state: 'succeeded' as const }],
      });
      expect(await payment(facts.id)).toMatchObject({
        succeededMinor: 10_000n,
        disputedMinor: 10_000n,
        excessMinor: 10_000n,
      });
      expect(await openCases(id)).toEqual(['paid_twice']);
    });

    const final = (amountMinor: bigint) => ({
      ...{ id: gatewayId(), amountMinor, reversedMinor: 0n, state: 'succeeded' as const },
    });

    it('of a part, known before the refund is submitted, reduces the refund, whatever the gateway would allow', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.recordOriginal(facts.id, { ...facts, disputes: [final(2_000n)] });
      const order = await submitted(ledger, id);
      expect(order.amountMinor).toBe(8_000n);
      expect(await ledger.record(answer(order, paid()))).toMatchObject({
        state: 'succeeded',
        settled: {
          ...{ settledBy: 'refund', settledAmount: '100.00' },
          settlements: [
            { by: 'refund', amount: '80.00' },
            { by: 'chargeback', amount: '20.00' },
          ],
        },
      });
      expect(await payment(facts.id)).toMatchObject({ excessMinor: 0n, reservedMinor: 0n });
    });

    it('of the whole payment, known before the refund is submitted, ends it: nothing is submitted', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.recordOriginal(facts.id, { ...facts, disputes: [final(10_000n)] });
      expect(await ledger.openLinked(id, TIMINGS, POLICY)).toMatchObject({
        kind: 'resume',
        snapshot: { state: 'closed_by_dispute', settled: { settledBy: 'chargeback' } },
      });
    });

    it('of a part is shared by refunds that are submitted at once: together they pay the rest', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const ids = [await accepted(ledger, facts, 5_000n), await accepted(ledger, facts, 5_000n)] as const;
      await ledger.recordOriginal(facts.id, { ...facts, disputes: [final(2_000n)] });
      const orders = [await submitted(ledger, ids[0]), await submitted(ledger, ids[1])] as const;
      expect(orders.map(({ amountMinor }) => amountMinor)).toEqual([5_000n, 3_000n]);
      for (const order of orders)
        expect((await ledger.record(answer(order, paid()))).state).toBe('succeeded');
      expect(await payment(facts.id)).toMatchObject({ excessMinor: 0n, succeededMinor: 8_000n });
    });

    it('that is pending and leaves too little money delays the refund until it is decided', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      const fitting = await accepted(ledger, debit(), 10_000n);
      const dispute = { ...final(2_000n), state: 'open' as const };
      await ledger.recordOriginal(facts.id, { ...facts, disputes: [dispute] });
      expect((await ledger.openLinked(id, TIMINGS, POLICY)).kind).toBe('resume');
      expect(await openCases(id)).toEqual(['dispute_undecided']);
      expect(await ledger.findRefund(id)).toMatchObject({ state: 'manual_review', chargedBackMinor: 0n });
      await submitted(ledger, fitting);

      const note = { refundId: id, by: 'berta' };
      await ledger.replay({ ...note, reason: 'too early' });
      expect((await ledger.openLinked(id, TIMINGS, POLICY)).kind).toBe('resume');
      expect(await openCases(id)).toEqual(['dispute_undecided']);
      await ledger.recordOriginal(facts.id, { ...facts, declined: [dispute.id] });
      await ledger.replay({ ...note, reason: 'the bank has declined it' });
      expect((await submitted(ledger, id)).amountMinor).toBe(10_000n);
    });

    it('that is pending and leaves enough money delays nothing', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 8_000n);
      const dispute = { ...final(2_000n), state: 'open' as const };
      await ledger.recordOriginal(facts.id, { ...facts, disputes: [dispute] });
      expect((await submitted(ledger, id)).amountMinor).toBe(8_000n);
    });

    it('beside a fact that cannot be counted does not reduce the refund', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      const doubts = [{ gatewayId: gatewayId(), why: 'reversal_unclear' as const }];
      await ledger.recordOriginal(facts.id, { ...facts, disputes: [final(2_000n)], doubts });
      await submitted(ledger, id);
      expect((await ledger.findRefund(id))?.chargedBackMinor).toBe(0n);
    });

    it('does not end a refund whose attempt is still open', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      const open = await submitted(ledger, id);
      await ledger.record(answer(open, lost));
      const disputed = {
        ...facts,
        disputes: [{ id: gatewayId(), amountMinor: 10_000n, reversedMinor: 0n, state: 'succeeded' as const }],
      };
      expect((await ledger.applyReconciliation(id, disputed, 'before_credit')).snapshot.state).toBe(
        'unknown',
      );
      expect((await ledger.applyReconciliation(id, disputed, 'decide')).snapshot.state).toBe('unknown');
    });
  });

  describe('a refund that was made elsewhere', () => {
    it('reduces the refundable amount once, however often it is shown', async () => {
      const { ledger } = underTest();
      const facts = debit();
      await accepted(ledger, facts, 1_000n);
      const shown = { ...facts, returns: [linkedReturn({ amountMinor: 4_000n })] };
      await ledger.recordOriginal(facts.id, shown);
      await ledger.recordOriginal(facts.id, shown);
      expect(await payment(facts.id)).toMatchObject({ succeededMinor: 4_000n, refundableMinor: 5_000n });
    });

    it('that was open and is not listed makes money refundable again, and reduces it once more when it is listed again', async () => {
      const { ledger } = underTest();
      const facts = debit();
      await accepted(ledger, facts, 1_000n);
      const entry = linkedReturn({ amountMinor: 4_000n, state: 'open' });
      for (const [returns, refundable] of [
        [[entry], 5_000n],
        [[], 9_000n],
        [[entry], 5_000n],
        [[{ ...entry, state: 'succeeded' }], 5_000n],
        // It is final: a query that does not show it is older, or wrong.
        [[], 5_000n],
        [[{ ...entry, state: 'succeeded', amountMinor: 3_000n }], 6_000n],
      ] as const) {
        await ledger.recordOriginal(facts.id, { ...facts, returns });
        expect((await payment(facts.id)).refundableMinor).toBe(refundable);
      }
    });

    it('beyond the balance is recorded all the same; reservations stay', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.recordOriginal(facts.id, { ...facts, returns: [linkedReturn({ amountMinor: 6_000n })] });
      expect(await payment(facts.id)).toMatchObject({
        reservedMinor: 10_000n,
        succeededMinor: 6_000n,
        excessMinor: 6_000n,
      });
      await ledger.withdraw(id, 'anna', 'done in the back office');
      expect(await payment(facts.id)).toMatchObject({ excessMinor: 0n, refundableMinor: 4_000n });
    });

    it('that turns out to be ours, shown without its reference, is counted once', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 6_000n);
      const open = await submitted(ledger, id);
      await ledger.record(answer(open, lost));
      const own = gatewayId();
      const shown = { ...facts, returns: [linkedReturn({ id: own, amountMinor: 6_000n })] };
      await ledger.recordOriginal(facts.id, shown);
      expect(await payment(facts.id)).toMatchObject({ reservedMinor: 6_000n, succeededMinor: 6_000n });
      expect((await ledger.record(seen(open, paid(own)))).state).toBe('succeeded');
      await ledger.recordOriginal(facts.id, shown);
      expect(await payment(facts.id)).toMatchObject({
        reservedMinor: 0n,
        succeededMinor: 6_000n,
        excessMinor: 0n,
      });
      expect(await openCases(id)).toEqual([]);
    });

    it('is not recorded for our own refund that is shown without its reference', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 6_000n);
      const own = gatewayId();
      await ledger.record(answer(await submitted(ledger, id), paid(own)));
      await ledger.recordOriginal(facts.id, {
        ...facts,
        returns: [linkedReturn({ id: own, amountMinor: 6_000n })],
      });
      expect((await payment(facts.id)).succeededMinor).toBe(6_000n);
    });
  });

  describe('the reconciliation of a declined refund', () => {
    it.each(['ambiguous', 'already_returned'] as const)(
      'with our own reference at the gateway concludes nothing (%s)',
      async (refusal) => {
        const { ledger } = underTest();
        const facts = debit();
        const id = await accepted(ledger, facts, 10_000n);
        const linked = await submitted(ledger, id);
        await ledger.record(answer(linked, refused(refusal)));
        const shown = { ...facts, returns: [linkedReturn({ reference: linked.reference })] };
        const { reconciliation, snapshot } = await ledger.applyReconciliation(id, shown, 'decide');
        expect(reconciliation).toEqual({ kind: 'ours' });
        expect(snapshot.state).toBe('rejected');
        expect((await ledger.record(seen(linked, paid()))).state).toBe('succeeded');
      },
    );

    it('with a captured original whose reversal was declined leads to a refund', async () => {
      const { ledger } = underTest();
      const facts = authorisation([]);
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('reversal_too_late')));
      const capture = { id: gatewayId(), amountMinor: 10_000n };
      const captured = { ...facts, captures: [capture], capturedMinor: 10_000n };
      expect((await ledger.applyReconciliation(id, captured, 'decide')).snapshot.state).toBe('reserved');
      expect(await submitted(ledger, id)).toMatchObject({ operation: 'refund', originalId: capture.id });
    });

    it('with nothing on the original opens a case, and the reservation stays', async () => {
      const { ledger, openCases } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), refused('ambiguous')));
      expect((await ledger.applyReconciliation(id, facts, 'decide')).snapshot.state).toBe('manual_review');
      expect(await openCases(id)).toEqual(['decline_unclear']);
      expect((await payment(facts.id)).reservedMinor).toBe(10_000n);
    });

    it('with another payment than the refund’s is refused, and nothing of it is stored', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      const strange = debit({ returns: [linkedReturn()] });
      await expect(ledger.applyReconciliation(id, strange, 'decide')).rejects.toMatchObject({
        code: 'payment_unknown',
      });
      await expect(ledger.recordOriginal(facts.id, strange)).rejects.toMatchObject({
        code: 'payment_unknown',
      });
      expect((await payment(facts.id)).succeededMinor).toBe(0n);
    });

    it('with the payment in another currency is refused, because 100.000 dinars would be read as 1000.00 euros', async () => {
      const { ledger } = underTest();
      const facts = debit();
      const id = await accepted(ledger, facts, 10_000n);
      const inDinars = { ...facts, currency: 'KWD', capturedMinor: facts.capturedMinor * 10n };
      await expect(ledger.applyReconciliation(id, inDinars, 'decide')).rejects.toMatchObject({
        code: 'currency_mismatch',
      });
      await expect(ledger.recordOriginal(facts.id, inDinars)).rejects.toMatchObject({
        code: 'currency_mismatch',
      });
      expect((await payment(facts.id)).capturedMinor).toBe(facts.capturedMinor);
    });
  });

  it('a payment of which less is captured than is reserved keeps the reservation, visible as excess', async () => {
    const { ledger } = underTest();
    const facts = authorisation([]);
    await accepted(ledger, facts, 10_000n);
    const captured = {
      ...facts,
      captures: [{ id: gatewayId(), amountMinor: 6_000n }],
      capturedMinor: 6_000n,
    };
    await ledger.recordOriginal(facts.id, captured);
    expect(await payment(facts.id)).toMatchObject({
      capturedMinor: 6_000n,
      reservedMinor: 10_000n,
      excessMinor: 4_000n,
    });
    await expect(ledger.accept(order(facts.id, 1n), null)).rejects.toMatchObject({
      code: 'exceeds_refundable',
    });
  });
}
