/** Commands with evidence: linking a transaction, correcting, changing the destination. Never paid twice, never by a single operator. */
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../domain/refund/outcome.js';
import type { LinkCommand, Correction, Decision } from '../../../ledger/core/commands.js';
import {
  accepted,
  answer,
  debit,
  gatewayId,
  LATE,
  lost,
  NEWEST,
  missed,
  openLinked,
  paid,
  pending,
  CONFIG,
  POLICY,
  refused,
  seen,
  sent,
  TIMINGS,
  submittedRefund,
  inReview,
  paymentsOn,
  type LedgerUnderTest,
} from '../fixtures.js';

const OTHER = 'b'.repeat(32);

type Linked = Extract<Outcome, { kind: 'succeeded' | 'pending' | 'rejected' }>;

export function describeRepairs(underTest: () => LedgerUnderTest): void {
  const payment = paymentsOn(underTest);

  /** Requested by anna; its answer was lost, and its request cannot be in transit any more. */
  async function unknown(minor = 10_000n) {
    const { ledger, letPass } = underTest();
    const refund = await submittedRefund(ledger, { minor, outcome: lost });
    await letPass(LATE);
    return refund;
  }

  /** Declined so that only an operator can continue it. */
  const declined = (refusal: 'card_unusable' | 'risk' = 'card_unusable') =>
    inReview(underTest().ledger, refusal, refusal);

  const linkCommand = (
    { attemptId }: { readonly attemptId: string },
    outcome: Linked,
    change: Partial<LinkCommand> = {},
  ): LinkCommand => ({
    attemptId,
    asked: { send: 1, at: NEWEST },
    gatewayId: outcome.gatewayId ?? gatewayId(),
    outcome,
    hasNoReference: true,
    gateway: 'silent',
    code: '000.100.110',
    description: 'as tests say it',
    by: 'berta',
    reason: 'found in the portal',
    ticket: 'PAY-1',
    ...change,
  });
  const succeeded = (): Linked => ({ kind: 'succeeded', gatewayId: gatewayId(), flagged: false });

  describe('linking a transaction', () => {
    it('that the gateway shows as paid ends the refund, once, with the operator’s name', async () => {
      const { ledger } = underTest();
      const { id, order, paymentId } = await unknown();
      const answer = linkCommand(order, succeeded());
      for (let repeat = 0; repeat < 2; repeat += 1)
        expect(await ledger.link(answer, TIMINGS)).toMatchObject({
          kind: 'done',
          snapshot: { state: 'succeeded' },
        });
      expect(await payment(paymentId)).toMatchObject({ succeededMinor: 10_000n, reservedMinor: 0n });
      expect((await ledger.findRefund(id))?.attempts).toMatchObject([
        { state: 'succeeded', gatewayId: answer.gatewayId },
      ]);
    });

    it('that another operator has linked names that operator', async () => {
      const { ledger } = underTest();
      const { order } = await unknown();
      const answer = linkCommand(order, succeeded());
      await ledger.link(answer, TIMINGS);
      expect(await ledger.link({ ...answer, by: 'carla' }, TIMINGS)).toMatchObject({
        kind: 'refused',
        why: 'already_decided',
        by: 'berta',
      });
    });

    it('that is pending is queried by its id from then on', async () => {
      const { ledger } = underTest();
      const { id, order } = await unknown();
      const known = gatewayId();
      await ledger.link(linkCommand(order, { kind: 'pending', gatewayId: known }), TIMINGS);
      expect(await ledger.queryTarget(id)).toMatchObject({ state: 'pending', gatewayIds: [known] });
      expect((await ledger.record(seen(order, paid(known)))).state).toBe('succeeded');
    });

    it('that was declined leaves the attempt declined', async () => {
      const { ledger } = underTest();
      const { order, paymentId } = await unknown();
      const answer = linkCommand(order, { kind: 'rejected', class: 'risk', gatewayId: gatewayId() });
      expect(await ledger.link(answer, TIMINGS)).toMatchObject({
        kind: 'done',
        snapshot: { state: 'rejected', attempt: { class: 'risk' } },
      });
      expect((await payment(paymentId)).reservedMinor).toBe(10_000n);
    });

    it('that was declined is refused while another transaction may be the attempt', async () => {
      const { ledger } = underTest();
      const { order } = await unknown();
      const answer = linkCommand(order, { kind: 'rejected', class: 'risk', gatewayId: gatewayId() });
      for (const [gateway, why] of [
        ['alive', 'gateway_contradicts'],
        ['unexplained', 'gateway_contradicts'],
        ['unavailable', 'gateway_unavailable'],
      ] as const)
        expect(await ledger.link({ ...answer, gateway }, TIMINGS)).toMatchObject({ kind: 'refused', why });
    });

    it('without a reference is refused until the attempt itself cannot arrive any more', async () => {
      const { ledger } = underTest();
      const { order } = await submittedRefund(ledger, { outcome: lost });
      const answer = linkCommand(order, succeeded());
      expect(await ledger.link(answer, TIMINGS)).toMatchObject({ kind: 'refused', why: 'too_early' });
      expect(await ledger.link({ ...answer, hasNoReference: false }, TIMINGS)).toMatchObject({
        kind: 'done',
      });
    });

    it('that is another attempt’s changes nothing, nor does one for an attempt that has paid', async () => {
      const { ledger } = underTest();
      const theirs = await unknown();
      const known = gatewayId();
      await ledger.record(seen(theirs.order, paid(known)));
      const { order, id, paymentId } = await unknown();
      const other = linkCommand(order, { kind: 'succeeded', gatewayId: known, flagged: false });
      expect(await ledger.link(other, TIMINGS)).toMatchObject({
        kind: 'refused',
        why: 'linked_elsewhere',
      });
      expect((await ledger.snapshot(id)).state).toBe('unknown');
      await ledger.record(seen(order, paid()));
      expect(await ledger.link(linkCommand(order, succeeded()), TIMINGS)).toMatchObject({
        kind: 'refused',
        why: 'attempt_final',
      });
      expect(await payment(paymentId)).toMatchObject({ succeededMinor: 10_000n });
    });
  });

  const correction = (
    refundId: string,
    outcome: Correction['outcome'],
    change: Partial<Correction> = {},
  ): Correction => ({
    refundId,
    outcome,
    evidence: "acquirer's letter of 4 November",
    gateway: 'silent',
    by: 'berta',
    reason: 'the gateway shows nothing',
    ...change,
  });
  const confirmation = (refundId: string, instruction: string, change: Partial<Decision> = {}) => ({
    refundId,
    instruction,
    verdict: 'approved' as const,
    by: 'carla',
    reason: 'seen the letter',
    gateway: 'silent' as const,
    ...change,
  });
  async function proposed(answer: Correction): Promise<string> {
    const result = await underTest().ledger.correct(answer, CONFIG);
    if (result.kind !== 'proposed') throw new Error(JSON.stringify(result.kind));
    return result.instruction;
  }

  describe('a correction', () => {
    it('is proposed by one operator and confirmed by another, and only then counts', async () => {
      const { ledger } = underTest();
      const { id, paymentId } = await unknown();
      const answer = correction(id, 'succeeded', { ticket: 'PAY-2' });
      const instruction = await proposed(answer);
      expect(await ledger.correct(answer, CONFIG), 'said again').toMatchObject({
        kind: 'proposed',
        instruction,
      });
      expect((await ledger.snapshot(id)).state).toBe('unknown');
      expect((await ledger.findRefund(id))?.proposal).toMatchObject({
        instruction,
        details: { outcome: 'succeeded', amountMinor: '10000' },
        note: { by: 'berta', ticket: 'PAY-2' },
      });
      for (let repeat = 0; repeat < 2; repeat += 1)
        expect(await ledger.confirm(confirmation(id, instruction), TIMINGS)).toMatchObject({
          kind: 'done',
          snapshot: { state: 'succeeded' },
        });
      expect(await payment(paymentId)).toMatchObject({ succeededMinor: 10_000n, reservedMinor: 0n });
      expect((await ledger.findRefund(id))?.proposal).toBeNull();
      expect(await ledger.correct(answer, CONFIG), 'and once more').toMatchObject({ kind: 'done' });
    });

    it('is confirmed neither by its author nor by the requester, however the name is written', async () => {
      const { ledger } = underTest();
      const { id } = await unknown();
      const instruction = await proposed(correction(id, 'succeeded'));
      for (const [by, why] of [
        ['Berta ', 'proposer_cannot_approve'],
        ['anna', 'requester_cannot_decide'],
      ] as const)
        expect(await ledger.confirm(confirmation(id, instruction, { by }), TIMINGS)).toMatchObject({
          kind: 'refused',
          why,
        });
      expect((await ledger.snapshot(id)).state).toBe('unknown');
    });

    it('that is refused, or taken back, changes nothing, and another operator is told who decided', async () => {
      const { ledger } = underTest();
      const { id } = await unknown();
      const instruction = await proposed(correction(id, 'failed'));
      const no = confirmation(id, instruction, { verdict: 'refused' });
      expect(await ledger.confirm(no, TIMINGS)).toMatchObject({
        kind: 'done',
        snapshot: { state: 'unknown' },
      });
      expect(await ledger.confirm(confirmation(id, instruction, { by: 'dora' }), TIMINGS)).toMatchObject({
        kind: 'refused',
        why: 'already_decided',
        by: 'carla',
      });
      const again = await proposed(correction(id, 'failed'));
      expect(
        await ledger.confirm(confirmation(id, again, { verdict: 'refused', by: 'berta' }), TIMINGS),
      ).toMatchObject({ kind: 'done' });
    });

    it('blocks another correction while it is open', async () => {
      const { ledger } = underTest();
      const { id } = await unknown();
      await proposed(correction(id, 'succeeded'));
      for (const other of [
        correction(id, 'failed', { by: 'dora' }),
        correction(id, 'succeeded', { by: 'dora' }),
      ])
        expect(await ledger.correct(other, CONFIG)).toMatchObject({
          kind: 'refused',
          why: 'proposal_open',
          by: 'berta',
        });
    });

    it('that an attempt never paid ends the refund and releases the reservation once', async () => {
      const { ledger } = underTest();
      const { id, order, paymentId } = await unknown();
      const instruction = await proposed(correction(id, 'failed'));
      await ledger.confirm(confirmation(id, instruction), TIMINGS);
      expect(await ledger.snapshot(id)).toMatchObject({ state: 'failed', why: 'corrected' });
      expect(await payment(paymentId)).toMatchObject({ reservedMinor: 0n, refundableMinor: 10_000n });
      expect((await openLinked(ledger, id)).kind, 'and nothing is sent again').toBe('resume');
      // The evidence was wrong: the gateway's fact is recorded all the same.
      expect((await ledger.record(seen(order, paid()))).state).toBe('succeeded');
      expect(await payment(paymentId)).toMatchObject({ succeededMinor: 10_000n });
    });

    it.each([
      ['alive', 'gateway_contradicts'],
      ['unavailable', 'gateway_unavailable'],
      ['none', 'gateway_unavailable'],
    ] as const)('that says it never paid is refused while the gateway is %s', async (gateway, why) => {
      const { ledger } = underTest();
      const { id, paymentId } = await unknown();
      expect(await ledger.correct(correction(id, 'failed', { gateway }), CONFIG)).toMatchObject({
        kind: 'refused',
        why,
      });
      const instruction = await proposed(correction(id, 'failed'));
      expect(
        await ledger.confirm({ ...confirmation(id, instruction), gateway }, TIMINGS),
        'if it is confirmed, too',
      ).toMatchObject({ kind: 'refused', why });
      expect((await payment(paymentId)).reservedMinor).toBe(10_000n);
    });

    it('is refused as too early while the request may still be in transit', async () => {
      const { ledger } = underTest();
      const { id, order } = await submittedRefund(ledger);
      for (const outcome of ['succeeded', 'failed'] as const)
        expect(await ledger.correct(correction(id, outcome), CONFIG)).toMatchObject({ why: 'too_early' });
      await ledger.record(answer(order, lost));
      expect(await ledger.correct(correction(id, 'failed'), CONFIG)).toMatchObject({ why: 'too_early' });
    });

    it('that is open keeps the attempt from being marked absent and submitted again', async () => {
      const { ledger, letPass } = underTest();
      const { id, order } = await unknown();
      await proposed(correction(id, 'succeeded'));
      for (let notFound = 0; notFound < TIMINGS.notFoundNeeded + 1; notFound += 1) {
        await missed(ledger, order);
        await letPass(TIMINGS.notFoundSpacing);
      }
      expect((await ledger.snapshot(id)).state).toBe('unknown');
    });

    it('that was overtaken by the gateway’s answer cannot be confirmed', async () => {
      const { ledger } = underTest();
      const { id, order, paymentId } = await unknown();
      const instruction = await proposed(correction(id, 'succeeded'));
      await ledger.record(seen(order, paid()));
      expect(await ledger.confirm(confirmation(id, instruction), TIMINGS)).toMatchObject({
        kind: 'refused',
        why: 'superseded',
      });
      expect((await payment(paymentId)).succeededMinor).toBe(10_000n);
    });

    it('that the gateway shows later is the same money, and a second transaction counts beside it', async () => {
      const { ledger, openCases } = underTest();
      const { id, order, paymentId } = await unknown();
      await ledger.confirm(confirmation(id, await proposed(correction(id, 'succeeded'))), TIMINGS);
      await ledger.record(seen(order, paid()));
      expect((await payment(paymentId)).succeededMinor).toBe(10_000n);
      expect(await openCases(id)).toEqual([]);
      await ledger.record(seen(order, paid()));
      expect((await payment(paymentId)).succeededMinor).toBe(20_000n);
      expect(await openCases(id)).toEqual(['paid_twice']);
    });

    it('leaves a final state if a refund that had ended unpaid turns out paid', async () => {
      const { ledger } = underTest();
      const { id, order, paymentId } = await unknown();
      await ledger.record(seen(order, refused('not_owed')));
      await ledger.giveUp(id, 'not_owed', 'system');
      await ledger.confirm(confirmation(id, await proposed(correction(id, 'succeeded'))), TIMINGS);
      expect((await ledger.snapshot(id)).state).toBe('succeeded');
      expect(await payment(paymentId)).toMatchObject({ succeededMinor: 10_000n, refundableMinor: 0n });
    });

    it('by a single operator is applied at once up to the limit of its currency, and never by the requester', async () => {
      const { ledger } = underTest();
      const { id } = await unknown();
      const config = { timings: TIMINGS, policy: { ...POLICY, correctionAloneUpTo: { EUR: '10000' } } };
      const own = correction(id, 'succeeded', { by: 'anna' });
      expect(await ledger.correct(own, config)).toMatchObject({ kind: 'proposed' });
      const small = await unknown();
      const answer = correction(small.id, 'succeeded');
      for (let repeat = 0; repeat < 2; repeat += 1)
        expect(await ledger.correct(answer, config)).toMatchObject({
          kind: 'done',
          snapshot: { state: 'succeeded' },
        });
      const big = await unknown();
      const below = { timings: TIMINGS, policy: { ...POLICY, correctionAloneUpTo: { EUR: '9999' } } };
      expect(await ledger.correct(correction(big.id, 'succeeded'), below)).toMatchObject({
        kind: 'proposed',
      });
    });

    it('by a single operator is limited by sums of a day: on one payment, or by one operator', async () => {
      const { ledger, letPass } = underTest();
      const config = { timings: TIMINGS, policy: { ...POLICY, correctionAloneUpTo: { EUR: '10000' } } };
      const alone = async (by: string) => {
        const { id } = await unknown(5_000n);
        const { kind } = await ledger.correct(correction(id, 'succeeded', { by }), config);
        return kind;
      };
      expect([await alone('carla'), await alone('Car\u200bla'), await alone('carla')]).toEqual([
        'done',
        'done',
        'proposed',
      ]);
      expect(await alone('dora')).toBe('done');
      await letPass(0);
    });

    it('closes the cases that the program never closes, once the refund is final', async () => {
      const { ledger, openCases } = underTest();
      const { id, order } = await unknown();
      expect(await ledger.correct(correction(id, 'case_closed'), CONFIG)).toMatchObject({ why: 'not_final' });
      await ledger.record(seen(order, paid()));
      expect(await ledger.correct(correction(id, 'case_closed'), CONFIG)).toMatchObject({ why: 'no_case' });
      await ledger.record(seen(order, paid()));
      expect(await openCases(id)).toEqual(['paid_twice']);
      const instruction = await proposed(correction(id, 'case_closed', { case: 'paid_twice' }));
      await ledger.confirm(confirmation(id, instruction), TIMINGS);
      expect(await openCases(id)).toEqual([]);
    });
  });

  describe('another destination', () => {
    const destinationChange = (refundId: string, by = 'berta') => ({
      refundId,
      registrationId: OTHER,
      by,
      reason: 'the card is closed',
      ticket: 'PAY-3',
    });

    it('is checked again, and paid only when a second operator has approved exactly that', async () => {
      const { ledger, openCases } = underTest();
      const { id, facts } = await declined();
      expect(await ledger.changeDestination(destinationChange(id))).toMatchObject({
        kind: 'done',
        snapshot: { state: 'fallback_checking' },
      });
      expect(await openCases(id)).toEqual([]);
      expect((await ledger.openCredit(id, facts, TIMINGS, POLICY)).kind).toBe('resume');
      const { instruction } = (await ledger.findRefund(id)) ?? {};
      expect(instruction).toMatchObject({
        destination: { registrationId: OTHER },
        why: ['decline_needs_approval', 'other_destination', 'destination_by_operator'],
      });
      const yes = {
        refundId: id,
        verdict: 'approved' as const,
        instruction: instruction?.hash ?? '',
        reason: 'the customer wrote',
      };
      expect(await ledger.decide({ ...yes, by: 'berta' })).toMatchObject({ why: 'proposer_cannot_approve' });
      expect(await ledger.decide({ ...yes, by: 'anna' })).toMatchObject({ why: 'requester_cannot_decide' });
      expect(await ledger.decide({ ...yes, by: 'carla' })).toMatchObject({ kind: 'decided' });
      const order = sent(await ledger.openCredit(id, facts, TIMINGS, POLICY));
      expect(order).toMatchObject({ operation: 'credit', registrationId: OTHER, amountMinor: 10_000n });
    });

    it('that is set once more needs a new approval, even if it was approved before', async () => {
      const { ledger } = underTest();
      const { id, facts } = await declined();
      const instructions: (string | undefined)[] = [];
      for (const registrationId of [OTHER, 'c'.repeat(32), OTHER]) {
        await ledger.changeDestination({ ...destinationChange(id), registrationId });
        await ledger.openCredit(id, facts, TIMINGS, POLICY);
        const hash = (await ledger.findRefund(id))?.instruction?.hash ?? '';
        instructions.push(hash);
        const yes = {
          refundId: id,
          verdict: 'approved',
          instruction: hash,
          by: 'carla',
          reason: 'ok',
        } as const;
        await ledger.decide(yes);
        const order = sent(await ledger.openCredit(id, facts, TIMINGS, POLICY));
        await ledger.record(answer(order, refused('risk')));
        await ledger.openCase(id, 'risk');
      }
      expect(new Set(instructions).size).toBe(3);
    });

    it('that is repeated changes nothing, and another operator is told who set it', async () => {
      const { ledger } = underTest();
      const { id } = await declined();
      await ledger.changeDestination(destinationChange(id));
      const before = await ledger.snapshot(id);
      expect(await ledger.changeDestination(destinationChange(id))).toMatchObject({
        kind: 'done',
        snapshot: { version: before.version },
      });
      expect(await ledger.changeDestination(destinationChange(id, 'dora'))).toMatchObject({
        why: 'already_decided',
        by: 'berta',
      });
    });

    it('does not allow a credit after a decline that leaves a doubt', async () => {
      const { ledger } = underTest();
      const { id, facts } = await declined('risk');
      await ledger.changeDestination(destinationChange(id));
      await ledger.openCredit(id, facts, TIMINGS, POLICY);
      expect(await ledger.snapshot(id)).toMatchObject({ state: 'manual_review', why: 'credit_blocked' });
    });

    it('is refused if money may have left, if it is the same, and if the refund is not in review', async () => {
      const { ledger } = underTest();
      const open = await unknown();
      await ledger.openCase(open.id, 'outcome_unknown');
      expect(await ledger.changeDestination(destinationChange(open.id))).toMatchObject({
        why: 'may_have_left',
      });
      const waiting = await declined();
      expect(
        await ledger.changeDestination({ ...destinationChange(waiting.id), registrationId: 'a'.repeat(32) }),
      ).toMatchObject({ why: 'same_destination' });
      const running = await accepted(ledger, debit(), 1_000n);
      expect(await ledger.changeDestination(destinationChange(running))).toMatchObject({
        why: 'not_in_review',
      });
    });

    it('waits until an open correction is decided', async () => {
      const { ledger } = underTest();
      const { id } = await declined();
      const instruction = await proposed(correction(id, 'succeeded'));
      expect(await ledger.changeDestination(destinationChange(id))).toMatchObject({
        why: 'proposal_open',
        by: 'berta',
      });
      await ledger.confirm(confirmation(id, instruction, { verdict: 'refused' }), TIMINGS);
      expect(await ledger.changeDestination(destinationChange(id))).toMatchObject({ kind: 'done' });
    });
  });

  describe('withdrawing', () => {
    it('a refund that another operator has withdrawn names that operator', async () => {
      const { ledger } = underTest();
      const { id } = await declined();
      await ledger.withdraw(id, 'berta', 'paid in cash', 'PAY-4');
      expect(await ledger.withdraw(id, 'berta', 'paid in cash', 'PAY-4')).toMatchObject({
        kind: 'withdrawn',
      });
      expect(await ledger.withdraw(id, 'carla', 'me too')).toMatchObject({
        kind: 'refused',
        why: 'already_decided',
        by: 'berta',
      });
    });
  });

  describe('a known payment that is not found', () => {
    it('opens a case only after enough spaced queries, and one that finds it resets the count', async () => {
      const { ledger, letPass } = underTest();
      const { paymentId, facts } = await declined();
      const notFound = () => ledger.recordPaymentNotFound(paymentId, TIMINGS);
      expect(await notFound()).toBe(false);
      expect(await notFound(), 'too soon to count').toBe(false);
      for (let more = 1; more < TIMINGS.notFoundNeeded - 1; more += 1) {
        await letPass(TIMINGS.notFoundSpacing);
        expect(await notFound()).toBe(false);
      }
      await ledger.recordOriginal(paymentId, facts);
      expect(await notFound()).toBe(false);
      for (let more = 1; more < TIMINGS.notFoundNeeded; more += 1) {
        await letPass(TIMINGS.notFoundSpacing);
        expect(await notFound()).toBe(more === TIMINGS.notFoundNeeded - 1);
      }
    });
  });

  it('a query that finds two executions counts both, and opens two cases', async () => {
    const { ledger, openCases } = underTest();
    const { id, order, paymentId } = await unknown();
    const executed = [gatewayId(), gatewayId()];
    const twice = seen(order, { kind: 'unknown', why: 'found_twice', executed });
    for (let repeat = 0; repeat < 2; repeat += 1)
      expect((await ledger.record(twice)).state).toBe('succeeded');
    expect(await payment(paymentId)).toMatchObject({ succeededMinor: 20_000n, excessMinor: 10_000n });
    expect(await openCases(id)).toEqual(['found_twice', 'paid_twice']);
  });

  it('a pending attempt may be corrected, and late evidence still counts', async () => {
    const { ledger } = underTest();
    const { id, order } = await unknown();
    await ledger.record(seen(order, pending()));
    const instruction = await proposed(correction(id, 'succeeded', { gateway: 'alive' }));
    await ledger.confirm({ ...confirmation(id, instruction), gateway: 'alive' }, TIMINGS);
    expect((await ledger.snapshot(id)).state).toBe('succeeded');
  });
}
