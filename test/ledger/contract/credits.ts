/** Credits: opened only if the guard allows them with a fresh query, and never submitted again because of mere absence. */
import { describe, expect, it } from 'vitest';
import type { CreditBlock } from '../../../domain/refund/credit-guard.js';
import type { OriginalFacts } from '../../../domain/payment/original.js';
import type { Policy } from '../../../domain/refund/config.js';
import type { DeclineClass } from '../../../domain/decline-class.js';
import type { Submission } from '../../../ledger/ledger.js';
import {
  accepted,
  answer,
  authorisation,
  debit,
  ENTITY,
  gatewayId,
  linkedReturn,
  lost,
  missed,
  notSent,
  openLinked,
  order,
  paid,
  POLICY,
  refused,
  seen,
  sent,
  submitted,
  TIMINGS,
  submittedRefund,
  creditsOn,
  type LedgerUnderTest,
} from '../fixtures.js';

export function describeCredits(underTest: () => LedgerUnderTest): void {
  const openCredit = creditsOn(underTest);
  /** A refund whose operation on the original was finally declined. */
  const fixture = (facts?: OriginalFacts, minor?: bigint, refusal: DeclineClass = 'not_linkable') =>
    submittedRefund(underTest().ledger, { facts, minor, outcome: refused(refusal) });

  describe('a credit', () => {
    it('goes to the registration of the payment if a refund is impossible and nothing blocks it', async () => {
      const { ledger } = underTest();
      const { id, facts } = await fixture();
      const opened = await openCredit(id, facts);
      expect(opened.verdict).toEqual({ kind: 'allowed' });
      const credit = sent(opened);
      expect(credit).toMatchObject({
        operation: 'credit',
        originalId: null,
        registrationId: facts.registrationId,
        amountMinor: 10_000n,
      });
      expect((await openCredit(id, facts)).kind).toBe('resume');
      expect((await ledger.record(answer(credit, paid()))).state).toBe('succeeded');
    });

    it.each<[CreditBlock, (facts: OriginalFacts, linked: Submission) => OriginalFacts, Policy]>([
      ['credit_not_enabled', (facts) => facts, { ...POLICY, creditEnabled: false }],
      ['original_not_captured', (facts) => ({ ...facts, state: 'pending' }), POLICY],
      [
        'refund_found',
        (facts, { reference }) => ({
          ...facts,
          returns: [linkedReturn({ reference, amountMinor: 1n, state: 'open' })],
        }),
        POLICY,
      ],
      [
        'unknown_return',
        (facts) => ({ ...facts, returns: [linkedReturn({ amountMinor: 1n, state: 'open' })] }),
        POLICY,
      ],
      [
        'reversed',
        (facts) => ({
          ...facts,
          returns: [linkedReturn({ type: 'reversal', amountMinor: 1n, state: 'open' })],
        }),
        POLICY,
      ],
      [
        'disputed',
        (facts) => ({
          ...facts,
          disputes: [
            { id: gatewayId(), amountMinor: 10_000n, reversedMinor: 0n, state: 'succeeded' as const },
          ],
        }),
        POLICY,
      ],
      ['over_captured', (facts) => ({ ...facts, capturedMinor: 4_999n }), POLICY],
    ])('is denied and goes to a person: %s', async (block, change, policy) => {
      const { ledger, openCases } = underTest();
      const { id, facts, order: linked } = await fixture(debit(), 5_000n);
      const opened = await openCredit(id, change(facts, linked), policy);
      expect(opened.kind).toBe('resume');
      const verdict = opened.verdict?.kind === 'denied' ? opened.verdict.why : [];
      expect(verdict).toContain(block);
      expect((await ledger.findRefund(id))?.blocks).toEqual(verdict);
      expect((await ledger.snapshot(id)).state).toBe('manual_review');
      expect(await openCases(id)).toContain('credit_blocked');
      expect((await openCredit(id, facts)).kind).toBe('resume');
    });

    it('is blocked if there is no destination', async () => {
      const { id, facts } = await fixture(debit({ registrationId: null }));
      expect((await openCredit(id, facts)).verdict).toEqual({ kind: 'denied', why: ['no_destination'] });
    });

    it.each([
      'ambiguous',
      'already_returned',
      'disputed',
      'not_captured',
      'configuration',
      'wait',
      'unlisted',
    ] as const)('is not even weighed after a refusal that leaves a doubt (%s)', async (refusal) => {
      const { id, facts } = await fixture(debit(), 10_000n, refusal);
      const opened = await openCredit(id, facts);
      expect(opened).toMatchObject({ kind: 'resume', snapshot: { state: 'rejected' } });
      expect(opened.verdict).toBeUndefined();
    });

    it('is blocked if the ledger has a chargeback that the query does not show', async () => {
      const { ledger } = underTest();
      const { id, facts } = await fixture(debit(), 5_000n);
      await ledger.recordOriginal(facts.id, {
        ...facts,
        disputes: [{ id: gatewayId(), amountMinor: 5_001n, reversedMinor: 0n, state: 'succeeded' as const }],
      });
      expect((await openCredit(id, facts)).verdict).toEqual({ kind: 'denied', why: ['disputed', 'unclear'] });
    });

    it('needs an approval beside a chargeback of another part, bound to the amount of that chargeback', async () => {
      const { ledger } = underTest();
      const approve = (refundId: string, instruction: string) =>
        ledger.decide({ refundId, verdict: 'approved', instruction, by: 'berta', reason: 'seen' });
      const { id, facts } = await fixture(debit(), 5_000n);
      const dispute = {
        id: gatewayId(),
        amountMinor: 1_000n,
        reversedMinor: 0n,
        state: 'succeeded' as const,
      };
      const disputed = { ...facts, disputes: [dispute] };
      expect((await openCredit(id, disputed)).verdict).toEqual({
        kind: 'needs_approval',
        why: ['partly_disputed'],
      });
      const asked = (await ledger.findRefund(id))?.instruction ?? expect.fail('nothing to approve');
      await approve(id, asked.hash);
      const more = { ...facts, disputes: [dispute, { ...dispute, id: gatewayId() }] };
      expect((await openCredit(id, more)).verdict).toMatchObject({ kind: 'needs_approval' });
      const again = (await ledger.findRefund(id))?.instruction ?? expect.fail('nothing to approve');
      expect(again.hash).not.toBe(asked.hash);
      await approve(id, again.hash);
      expect((await openCredit(id, more)).verdict).toEqual({ kind: 'allowed' });
    });

    it('waits while another refund on the payment has an open outcome', async () => {
      const { ledger } = underTest();
      const { id, facts } = await fixture(debit(), 5_000n);
      const other = await accepted(ledger, facts, 2_000n);
      const open = await submitted(ledger, other);
      expect((await openCredit(id, facts)).verdict).toEqual({ kind: 'wait' });
      expect(await ledger.snapshot(id)).toMatchObject({
        state: 'fallback_checking',
        why: 'other_attempt_open',
      });
      await ledger.record(answer(open, refused('not_owed')));
      expect((await openCredit(id, facts)).verdict).toEqual({ kind: 'allowed' });
    });

    it('pays only what is still owed if a part was refunded', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const id = await accepted(ledger, facts, 10_000n);
      const first = await submitted(ledger, id);
      const own = paid();
      await ledger.record(answer(first, own));
      await ledger.record(answer(await submitted(ledger, id), refused('not_linkable')));
      const shown = linkedReturn({ reference: first.reference, amountMinor: 6_000n });
      const credit = sent(await openCredit(id, { ...facts, returns: [shown] }));
      expect(credit.amountMinor).toBe(4_000n);
    });
  });

  describe('a credit whose answer is lost', () => {
    it('is never marked absent: after enough queries without result an operator asks the acquirer', async () => {
      const { ledger, letPass, openCases } = underTest();
      const { id, facts } = await fixture();
      const credit = sent(await openCredit(id, facts));
      await ledger.record(answer(credit, lost));
      await letPass(TIMINGS.sendWindow + TIMINGS.visibilityLag);
      for (let notFound = 0; notFound < 10; notFound += 1) {
        await letPass(TIMINGS.notFoundSpacing + 1);
        await missed(ledger, credit);
      }
      expect(await ledger.snapshot(id)).toMatchObject({
        state: 'manual_review',
        attempt: { state: 'unknown', submissions: 1 },
      });
      expect(await openCases(id)).toEqual(['credit_not_found']);
      expect((await openCredit(id, facts)).kind).toBe('resume');
      expect((await openLinked(ledger, id)).kind).toBe('resume');
      expect(await ledger.withdraw(id, 'anna', 'tired of waiting')).toMatchObject({ why: 'may_have_left' });
      expect((await ledger.giveUp(id, 'credit_declined', 'system')).state).toBe('manual_review');
      expect((await ledger.record(seen(credit, paid()))).state).toBe('succeeded');
    });

    it('is never marked absent if its sender died', async () => {
      const { ledger, letPass, openCases } = underTest();
      const { id, facts } = await fixture();
      const credit = sent(await openCredit(id, facts));
      await letPass(TIMINGS.sendWindow + TIMINGS.visibilityLag);
      for (let notFound = 0; notFound < 5; notFound += 1) {
        await letPass(TIMINGS.notFoundSpacing + 1);
        await missed(ledger, credit);
      }
      expect(await ledger.snapshot(id)).toMatchObject({
        state: 'manual_review',
        attempt: { state: 'unknown' },
      });
      expect(await openCases(id)).toEqual(['credit_not_found']);
    });
  });

  describe('a credit that was never sent', () => {
    it('is submitted again only through the guard', async () => {
      const { ledger } = underTest();
      const { id, facts } = await fixture();
      const credit = sent(await openCredit(id, facts));
      await ledger.record(answer(credit, notSent));
      expect((await openLinked(ledger, id)).kind).toBe('resume');
      const again = await fixture();
      const second = sent(await openCredit(again.id, again.facts));
      await ledger.record(answer(second, notSent));
      expect(
        (
          await openCredit(again.id, {
            ...again.facts,
            disputes: [{ id: gatewayId(), amountMinor: 1n, reversedMinor: 0n, state: 'succeeded' }],
          })
        ).verdict,
      ).toMatchObject({ kind: 'denied' });
      expect(sent(await openCredit(id, facts))).toEqual({ ...credit, send: 2 });
    });

    it('is not submitted again in full if a declined part turns out paid: an operator decides', async () => {
      const { ledger } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const { id, order: linked } = await fixture(facts);
      expect(linked.amountMinor).toBe(6_000n);
      const credit = sent(await openCredit(id, facts));
      expect(credit.amountMinor).toBe(10_000n);
      await ledger.record(answer(credit, notSent));
      expect((await ledger.record(seen(linked, paid()))).state).toBe('manual_review');
      expect((await openCredit(id, facts)).kind).toBe('resume');
    });
  });

  describe('the limit up to which no approval is needed', () => {
    const LIMITED: Policy = { ...POLICY, creditApprovalAbove: { EUR: '10000', USD: '10000' } };

    /** Returns the guard's verdict on a credit of this amount, after its refund was declined. */
    async function checkCredit(
      facts: OriginalFacts,
      minor: bigint,
      change: Parameters<typeof order>[2] = {},
      { policy = LIMITED, entityId = ENTITY }: { readonly policy?: Policy; readonly entityId?: string } = {},
    ): Promise<{ why: readonly string[] | 'allowed'; id: string; credit?: Submission }> {
      const { ledger } = underTest();
      const asked = order(facts.id, minor, { currency: facts.currency, ...change });
      const { refund } = await ledger.accept(asked, { entityId, facts });
      await ledger.record(answer(await submitted(ledger, refund.id), refused('not_linkable')));
      const opened = await openCredit(refund.id, facts, policy);
      const { verdict } = opened;
      if (verdict?.kind === 'needs_approval') return { why: verdict.why, id: refund.id };
      expect(verdict?.kind).toBe('allowed');
      return { why: 'allowed', id: refund.id, credit: sent(opened) };
    }
    const someone = (): string => `requester ${gatewayId()}`;
    const somewhere = (change: Partial<OriginalFacts> = {}): OriginalFacts =>
      debit({ registrationId: gatewayId(), capturedMinor: 100_000n, ...change });
    const pay = (credit: Submission | undefined) => {
      if (credit === undefined) throw new Error('no credit was sent');
      return underTest().ledger.record(answer(credit, paid()));
    };

    it('holds for all credits on one payment, whoever requests them', async () => {
      const facts = somewhere();
      const first = await checkCredit(facts, 6_000n, { requestedBy: someone() });
      expect(first.why).toBe('allowed');
      await pay(first.credit);
      expect((await checkCredit(facts, 4_001n, { requestedBy: someone() })).why).toEqual([
        'above_limit_on_payment',
        'above_limit_to_destination',
      ]);
      const rest = await checkCredit(facts, 4_000n, { requestedBy: someone() });
      expect(rest.why).toBe('allowed');
      await pay(rest.credit);
      expect((await checkCredit(facts, 1n, { requestedBy: someone() })).why).not.toBe('allowed');
    });

    it('holds for all credits of one requester on any payment, however the name is written', async () => {
      const name = someone();
      const written = [name, name.toUpperCase(), `${name.slice(0, 4)}\u200b${name.slice(4)}`];
      const why = [];
      for (const requestedBy of written)
        why.push((await checkCredit(somewhere(), 5_000n, { requestedBy })).why);
      expect(why).toEqual(['allowed', 'allowed', ['above_limit_of_requester']]);
    });

    it('holds for all credits to one destination', async () => {
      const registrationId = gatewayId();
      const why = [];
      for (const minor of [9_999n, 1n, 1n])
        why.push((await checkCredit(somewhere({ registrationId }), minor, { requestedBy: someone() })).why);
      expect(why).toEqual(['allowed', 'allowed', ['above_limit_to_destination']]);
    });

    it('counts each currency separately', async () => {
      const requestedBy = someone();
      expect((await checkCredit(somewhere(), 10_000n, { requestedBy })).why).toBe('allowed');
      const dollars = somewhere({ currency: 'USD' });
      expect((await checkCredit(dollars, 10_000n, { requestedBy })).why).toBe('allowed');
      expect((await checkCredit(somewhere(), 1n, { requestedBy })).why).toEqual(['above_limit_of_requester']);
    });

    it('counts what may have left, but not what was declined or returned', async () => {
      const { ledger } = underTest();
      const requestedBy = someone();
      const lostOne = await checkCredit(somewhere(), 10_000n, { requestedBy });
      if (lostOne.credit === undefined) throw new Error('no credit was sent');
      await ledger.record(answer(lostOne.credit, lost));
      expect((await checkCredit(somewhere(), 1n, { requestedBy })).why).toEqual(['above_limit_of_requester']);
      await ledger.record(seen(lostOne.credit, refused('risk')));
      expect((await checkCredit(somewhere(), 10_000n, { requestedBy })).why).toBe('allowed');
    });

    it('counts only the last day of a requester', async () => {
      const { letPass } = underTest();
      const requestedBy = someone();
      const first = await checkCredit(somewhere(), 10_000n, { requestedBy });
      await pay(first.credit);
      await letPass(23 * 3_600_000);
      expect((await checkCredit(somewhere(), 1n, { requestedBy })).why).toEqual(['above_limit_of_requester']);
      await letPass(2 * 3_600_000);
      expect((await checkCredit(somewhere(), 10_000n, { requestedBy })).why).toBe('allowed');
    });

    it('counts all credits on one payment, however old they are', async () => {
      const { letPass } = underTest();
      const facts = somewhere();
      await pay((await checkCredit(facts, 10_000n, { requestedBy: someone() })).credit);
      await letPass(400 * 24 * 3_600_000);
      expect((await checkCredit(facts, 1n, { requestedBy: someone() })).why).toEqual([
        'above_limit_on_payment',
      ]);
    });

    it('counts the last hours that the policy sets', async () => {
      const { letPass } = underTest();
      const policy = { ...LIMITED, creditLimitWindowHours: 72 };
      const requestedBy = someone();
      await pay((await checkCredit(somewhere(), 10_000n, { requestedBy }, { policy })).credit);
      await letPass(71 * 3_600_000);
      expect((await checkCredit(somewhere(), 1n, { requestedBy }, { policy })).why).toEqual([
        'above_limit_of_requester',
      ]);
      await letPass(2 * 3_600_000);
      expect((await checkCredit(somewhere(), 1n, { requestedBy }, { policy })).why).toBe('allowed');
    });

    it('holds for all credits of one entity, if it has a limit, and not for those of another entity', async () => {
      const entityId = gatewayId();
      const policy = { ...LIMITED, creditLimitPerEntity: { EUR: '15000' } };
      const check = (minor: bigint, change: { readonly policy?: Policy; readonly entityId?: string } = {}) =>
        checkCredit(somewhere(), minor, { requestedBy: someone() }, { policy, entityId, ...change });
      await pay((await check(10_000n)).credit);
      await pay((await check(5_000n)).credit);
      expect((await check(1n)).why).toEqual(['above_limit_of_entity']);
      expect((await check(1n, { entityId: gatewayId() })).why).toBe('allowed');
      expect((await check(1n, { policy: LIMITED })).why).toBe('allowed');
    });

    it('is set apart for the payment, the destination and the requester', async () => {
      const requestedBy = someone();
      const policy = {
        ...LIMITED,
        creditLimitPerRequester: { EUR: '25000' },
        creditLimitPerDestination: { EUR: '4000' },
      };
      const why = [];
      for (const minor of [4_000n, 4_001n, 4_000n])
        why.push((await checkCredit(somewhere(), minor, { requestedBy }, { policy })).why);
      for (let more = 0; more < 4; more += 1)
        await checkCredit(somewhere(), 4_000n, { requestedBy }, { policy });
      why.push((await checkCredit(somewhere(), 2_000n, { requestedBy }, { policy })).why);
      expect(why).toEqual([
        'allowed',
        ['above_limit_to_destination'],
        'allowed',
        ['above_limit_of_requester'],
      ]);
    });

    it('is not used up by approved credits', async () => {
      const { ledger } = underTest();
      const requestedBy = someone();
      const facts = somewhere();
      const large = await checkCredit(facts, 50_000n, { requestedBy });
      expect(large.why).toEqual(['above_limit']);
      const instruction = (await ledger.findRefund(large.id))?.instruction?.hash ?? '';
      await ledger.decide({
        refundId: large.id,
        instruction,
        verdict: 'approved',
        by: 'berta',
        reason: 'seen',
      });
      await pay(sent(await openCredit(large.id, facts, LIMITED)));
      const small = await checkCredit(facts, 10_000n, { requestedBy });
      expect(small.why).toBe('allowed');
      await pay(small.credit);
      expect((await checkCredit(facts, 1n, { requestedBy })).why).toContain('above_limit_of_requester');
    });
  });

  describe('an approval', () => {
    const strict: Policy = { ...POLICY, creditApprovalAbove: { EUR: '100' } };

    async function awaiting(destination?: string) {
      const { ledger } = underTest();
      const facts = debit();
      const asked = order(facts.id, 5_000n, destination === undefined ? {} : { destination });
      const { refund } = await ledger.accept(asked, { entityId: ENTITY, facts });
      await ledger.record(answer(await submitted(ledger, refund.id), refused('not_linkable')));
      const opened = await openCredit(refund.id, facts, destination === undefined ? strict : POLICY);
      expect(opened.verdict?.kind).toBe('needs_approval');
      const stored = await ledger.findRefund(refund.id);
      return { id: refund.id, facts, instruction: stored?.instruction ?? expect.fail('no instruction') };
    }
    const decide = (
      refundId: string,
      instruction: string,
      verdict: 'approved' | 'refused' = 'approved',
      by = 'berta',
    ) => underTest().ledger.decide({ refundId, instruction, verdict, by, reason: 'checked' });

    it('shows what is to be approved, and nothing is submitted before', async () => {
      const { ledger } = underTest();
      const { id, facts, instruction } = await awaiting();
      expect(instruction).toMatchObject({
        operation: 'credit',
        amountMinor: '5000',
        currency: 'EUR',
        destination: { registrationId: facts.registrationId },
        why: ['above_limit'],
      });
      expect((await openCredit(id, facts, strict)).kind).toBe('resume');
      expect((await openLinked(ledger, id)).kind).toBe('resume');
    });

    it('allows exactly that credit', async () => {
      const { id, facts, instruction } = await awaiting();
      expect(await decide(id, instruction.hash)).toMatchObject({
        kind: 'decided',
        snapshot: { state: 'fallback_checking' },
      });
      expect(sent(await openCredit(id, facts, strict))).toMatchObject({ amountMinor: 5_000n });
    });

    it('cannot be given by the requester of the refund', async () => {
      const { id, instruction } = await awaiting();
      expect(await decide(id, instruction.hash, 'approved', 'anna')).toMatchObject({
        kind: 'refused',
        why: 'requester_cannot_decide',
      });
    });

    it('for another instruction does not count', async () => {
      const { id } = await awaiting();
      const other = await awaiting('d'.repeat(32));
      expect(await decide(id, other.instruction.hash)).toMatchObject({
        kind: 'refused',
        why: 'instruction_changed',
      });
      expect(other.instruction.why).toEqual(['other_destination']);
    });

    it('may be repeated and may not be changed', async () => {
      const { id, instruction } = await awaiting();
      await decide(id, instruction.hash);
      expect(await decide(id, instruction.hash)).toMatchObject({ kind: 'decided' });
      expect(await decide(id, instruction.hash, 'refused')).toMatchObject({ why: 'not_awaiting_approval' });
    });

    it('does not override a chargeback that came in the meantime', async () => {
      const { id, facts, instruction } = await awaiting();
      await decide(id, instruction.hash);
      const disputed = {
        ...facts,
        disputes: [{ id: gatewayId(), amountMinor: 10_000n, reversedMinor: 0n, state: 'succeeded' as const }],
      };
      expect((await openCredit(id, disputed, strict)).verdict).toMatchObject({ kind: 'denied' });
    });

    it('that is rejected ends the refund and releases the reservation once', async () => {
      const { ledger } = underTest();
      const { id, facts, instruction } = await awaiting();
      expect(await decide(id, instruction.hash, 'refused')).toMatchObject({
        snapshot: { state: 'failed', why: 'approval_refused' },
      });
      await decide(id, instruction.hash, 'refused');
      expect(await ledger.findPayment(facts.id)).toMatchObject({
        reservedMinor: 0n,
        refundableMinor: 10_000n,
      });
    });

    it('that is rejected after a part was paid leaves the rest to an operator', async () => {
      const { ledger, openCases } = underTest();
      const facts = authorisation([6_000n, 4_000n]);
      const id = await accepted(ledger, facts, 10_000n);
      await ledger.record(answer(await submitted(ledger, id), paid()));
      await ledger.record(answer(await submitted(ledger, id), refused('not_linkable')));
      await openCredit(id, facts, strict);
      const hash = (await ledger.findRefund(id))?.instruction?.hash ?? '';
      expect(await decide(id, hash, 'refused')).toMatchObject({ snapshot: { state: 'manual_review' } });
      expect(await openCases(id)).toEqual(['partly_refunded']);
    });
  });
}
