/** Several captures under one authorisation: one promise, paid in parts, one after the other. */
import { describe, expect, it } from 'vitest';
import {
  accepted,
  answer,
  authorisation,
  ENTITY,
  lost,
  notSent,
  openLinked,
  order as ordered,
  paid,
  refused,
  seen,
  submitted,
  TIMINGS,
  type LedgerUnderTest,
} from '../given.js';

export function describeParts(underTest: () => LedgerUnderTest): void {
  describe('a refund of several captures', () => {
    it('is paid capture by capture and done with the last', async () => {
      const { ledger } = underTest();
      const facts = authorisation([5_000n, 3_000n, 2_000n]);
      const id = await accepted(ledger, facts, 9_000n);
      const taken: (readonly [string | null, bigint])[] = [];
      for (let part = 0; part < 3; part += 1) {
        const order = await submitted(ledger, id);
        taken.push([order.originalId, order.amountMinor]);
        expect((await openLinked(ledger, id)).kind).toBe('adopt');
        await ledger.record(answer(order, paid()));
      }
      const [first, second, third] = facts.captures.map((capture) => capture.id);
      expect(taken).toEqual([
        [first, 5_000n],
        [second, 3_000n],
        [third, 1_000n],
      ]);
      expect((await ledger.position(id)).state).toBe('succeeded');
      expect(await ledger.findPayment(facts.id)).toMatchObject({ succeededMinor: 9_000n, reservedMinor: 0n });
    });

    it('begins with the capture that was asked for', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const asked = facts.captures[1]?.id ?? '';
      const { refund } = await ledger.accept(ordered(asked, 4_000n), { entityId: ENTITY, facts });
      expect(refund.paymentId).toBe(asked);
      expect(await submitted(ledger, refund.id)).toMatchObject({ originalId: asked, amountMinor: 4_000n });
    });

    it('leaves to another refund what an open attempt of the first may take', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const one = await accepted(ledger, facts, 6_000n);
      const two = await accepted(ledger, facts, 4_000n);
      expect((await submitted(ledger, one)).originalId).toBe(facts.captures[0]?.id);
      expect((await submitted(ledger, two)).originalId).toBe(facts.captures[1]?.id);
    });

    it('of which a part is paid and the rest refused for good goes to a person, never to failed', async () => {
      const { ledger, openCases } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), paid()));
      await ledger.record(answer(await submitted(ledger, id), refused('not_owed')));
      expect(await ledger.giveUp(id, 'not_owed', 'system')).toMatchObject({
        state: 'manual_review',
        why: 'partly_refunded',
      });
      expect(await openCases(id)).toEqual(['partly_refunded']);
      expect(await ledger.withdraw(id, 'anna', 'enough')).toMatchObject({
        kind: 'refused',
        why: 'may_have_left',
      });
      expect((await ledger.giveUp(id, 'not_owed', 'system')).state).toBe('manual_review');
      expect((await ledger.findPayment(facts.id))?.reservedMinor).toBe(4_000n);
    });

    it('of which a part is paid and a chargeback takes the rest goes to a person', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), paid()));
      await ledger.record(answer(await submitted(ledger, id), refused('disputed')));
      const disputed = {
        ...facts,
        disputes: [{ id: 'c'.repeat(31) + '1', amountMinor: 4_000n, reversed: false }],
      };
      const { finding, position } = await ledger.applyFinding(id, disputed, 'decide');
      expect(finding.kind).toBe('closed_by_dispute');
      expect(position.state).toBe('manual_review');
    });

    it('does not send an absent part again when an earlier refusal turns out paid and less is owed', async () => {
      const { ledger, letPass, openCases } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const id = await accepted(ledger, facts, 10_000n);
      const first = await submitted(ledger, id);
      await ledger.record(answer(first, refused('wait')));
      await letPass(TIMINGS.retryFirst);
      const second = await submitted(ledger, id);
      expect(second.amountMinor).toBe(6_000n);
      await ledger.record(answer(second, notSent));
      expect((await ledger.record(seen(first, paid()))).state).toBe('manual_review');
      expect((await openLinked(ledger, id)).kind).toBe('adopt');
      expect(await openCases(id)).toEqual(['answers_contradict']);
      expect((await ledger.findPayment(facts.id))?.reservedMinor).toBe(4_000n);
    });

    it('that had ended unpaid and of which a part turns out paid goes to a person', async () => {
      const { ledger, openCases } = underTest();
      const id = await accepted(ledger, authorisation([6_000n, 4_000n]), 10_000n);
      const first = await submitted(ledger, id);
      await ledger.record(answer(first, refused('not_owed')));
      expect((await ledger.giveUp(id, 'not_owed', 'system')).state).toBe('failed');
      expect((await ledger.record(seen(first, paid()))).state).toBe('manual_review');
      expect(await openCases(id)).toEqual(['paid_twice', 'partly_refunded']);
    });

    it('keeps what is still owed when the answer to one part is lost', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), paid()));
      const second = await submitted(ledger, id);
      await ledger.record(answer(second, lost));
      expect(await ledger.withdraw(id, 'anna', 'too late')).toMatchObject({
        kind: 'refused',
        why: 'may_have_left',
      });
      expect((await ledger.record(seen(second, paid()))).state).toBe('succeeded');
    });
  });
}
