/** Each command of an operator is carried out once: a repetition, also a late one, returns the same result and changes nothing. */
import { describe, expect, it } from 'vitest';
import type { LinkCommand, Correction, OperatorCommand } from '../../../ledger/core/commands.js';
import {
  debit,
  NEWEST,
  gatewayId,
  LATE,
  lost,
  pending,
  CONFIG,
  POLICY,
  refused,
  seen,
  TIMINGS,
  submittedRefund,
  inReview,
  type LedgerUnderTest,
} from '../fixtures.js';

const [FIRST, OTHER] = ['a'.repeat(32), 'b'.repeat(32)];

export function describeAnswers(underTest: () => LedgerUnderTest): void {
  const unknown = () => submittedRefund(underTest().ledger, { outcome: lost });

  const answer = (commandId: string | undefined, by = 'berta'): OperatorCommand => ({
    by,
    reason: 'checked',
    commandId,
  });
  const destinationChange = (refundId: string, registrationId: string, commandId: string, by?: string) => ({
    refundId,
    registrationId,
    ...answer(commandId, by),
  });
  const linkCommand = (attemptId: string, commandId: string): LinkCommand => ({
    attemptId,
    asked: { send: 1, at: NEWEST },
    gatewayId: gatewayId(),
    outcome: { kind: 'succeeded', gatewayId: gatewayId(), flagged: false },
    hasNoReference: true,
    gateway: 'silent',
    code: '000.100.110',
    description: 'from a test',
    ...answer(commandId),
  });
  const correction = (refundId: string, commandId: string, change: Partial<Correction> = {}): Correction => ({
    refundId,
    outcome: 'failed',
    evidence: "acquirer's letter of 4 November",
    gateway: 'silent',
    ...answer(commandId),
    ...change,
  });

  describe('a refused command', () => {
    it('to withdraw stays refused when the refund could be withdrawn; another command is carried out', async () => {
      const { ledger } = underTest();
      const { id, order } = await submittedRefund(ledger, { outcome: pending() });
      const withdraw = (commandId?: string, by = 'berta') =>
        ledger.withdraw(id, by, 'no longer wanted', undefined, commandId);
      expect(await withdraw('word-1')).toMatchObject({ kind: 'refused', snapshot: { state: 'pending' } });
      await ledger.record(seen(order, refused('risk')));

      expect(await withdraw('word-1')).toMatchObject({
        kind: 'refused',
        why: 'may_have_left',
        snapshot: { state: 'rejected' },
      });
      expect((await ledger.findPayment(order.originalId ?? ''))?.reservedMinor).toBe(10_000n);
      expect(await withdraw('word-2')).toMatchObject({ kind: 'withdrawn', snapshot: { state: 'canceled' } });
      expect(await withdraw('word-1', 'carla'), 'the word of another person').toMatchObject({
        why: 'already_decided',
      });
    });

    it('to approve stays refused when the refund waits for an approval later', async () => {
      const { ledger } = underTest();
      const { id, facts } = await inReview(
        ledger,
        'card_unusable',
        'card_unusable',
        debit({ registrationId: FIRST }),
      );
      const instruction = 'f'.repeat(32);
      const early = { refundId: id, verdict: 'approved', instruction, ...answer('word-1') } as const;
      expect(await ledger.decide(early)).toMatchObject({ why: 'not_awaiting_approval' });
      await ledger.changeDestination(destinationChange(id, OTHER, 'word-2', 'carla'));
      await ledger.openCredit(id, facts, TIMINGS, POLICY);
      const waiting = (await ledger.findRefund(id))?.instruction?.hash ?? '';

      expect(await ledger.decide({ ...early, instruction: waiting })).toMatchObject({
        kind: 'refused',
        why: 'not_awaiting_approval',
        snapshot: { state: 'awaiting_approval' },
      });
      expect(
        await ledger.decide({ ...early, instruction: waiting, commandId: 'word-3' }),
        'said anew',
      ).toMatchObject({ kind: 'decided' });
    });

    it('to link stays refused when the transaction would fit, in the ledger and before it', async () => {
      const { ledger, letPass } = underTest();
      const { id, order } = await unknown();
      const early = linkCommand(order.attemptId, 'word-1');
      expect(await ledger.link(early, TIMINGS)).toMatchObject({ why: 'too_early' });
      expect(await ledger.refuseLink(id, answer('word-2'), 'not_at_gateway')).toMatchObject({
        kind: 'refused',
        why: 'not_at_gateway',
        snapshot: { state: 'unknown' },
      });
      await letPass(LATE);

      for (const [commandId, why] of [
        ['word-1', 'too_early'],
        ['word-2', 'not_at_gateway'],
      ] as const)
        expect(await ledger.link({ ...early, commandId }, TIMINGS)).toMatchObject({ kind: 'refused', why });
      expect((await ledger.snapshot(id)).state).toBe('unknown');
      expect(await ledger.link({ ...early, commandId: 'word-3' }, TIMINGS)).toMatchObject({ kind: 'done' });
    });

    it('to correct or to confirm stays refused when the gateway can be queried again', async () => {
      const { ledger, letPass } = underTest();
      const { id } = await unknown();
      await letPass(LATE);
      const unavailable = { gateway: 'unavailable' } as const;
      expect(await ledger.correct(correction(id, 'word-1', unavailable), CONFIG)).toMatchObject({
        kind: 'refused',
      });
      expect(await ledger.correct(correction(id, 'word-1'), CONFIG)).toMatchObject({
        kind: 'refused',
        why: 'gateway_unavailable',
      });
      const result = await ledger.correct(correction(id, 'word-2'), CONFIG);
      const instruction = result.kind === 'proposed' ? result.instruction : '';
      const yes = { refundId: id, verdict: 'approved', instruction, ...answer('word-3', 'carla') } as const;
      expect(await ledger.confirm({ ...yes, ...unavailable }, TIMINGS)).toMatchObject({ kind: 'refused' });

      expect(await ledger.confirm({ ...yes, gateway: 'silent' }, TIMINGS)).toMatchObject({
        kind: 'refused',
        why: 'gateway_unavailable',
      });
      expect((await ledger.snapshot(id)).state).toBe('unknown');
      const anew = { ...yes, gateway: 'silent', commandId: 'word-4' } as const;
      expect(await ledger.confirm(anew, TIMINGS)).toMatchObject({
        kind: 'done',
        snapshot: { state: 'failed' },
      });
    });

    it('to change the destination stays refused when the refund is in review, and names the operator who was first', async () => {
      const { ledger } = underTest();
      const { id } = await inReview(
        ledger,
        'card_unusable',
        'card_unusable',
        debit({ registrationId: FIRST }),
      );
      await ledger.changeDestination(destinationChange(id, OTHER, 'word-1'));
      const late = destinationChange(id, OTHER, 'word-2', 'carla');
      expect(await ledger.changeDestination(late)).toMatchObject({ why: 'already_decided', by: 'berta' });
      await ledger.openCase(id, 'decline_unclear');
      await ledger.changeDestination(destinationChange(id, FIRST, 'word-3'));
      await ledger.openCase(id, 'decline_unclear');

      expect(await ledger.changeDestination(late)).toMatchObject({
        kind: 'refused',
        why: 'already_decided',
        by: 'berta',
        snapshot: { state: 'manual_review' },
      });
      expect((await ledger.findRefund(id))?.destination).toEqual({ registrationId: FIRST });
    });
  });

  describe('a command that was carried out', () => {
    it('does not set its destination again after another one was set', async () => {
      const { ledger } = underTest();
      const { id } = await inReview(
        ledger,
        'card_unusable',
        'card_unusable',
        debit({ registrationId: FIRST }),
      );
      const first = destinationChange(id, OTHER, 'word-1');
      expect(await ledger.changeDestination(first)).toMatchObject({ kind: 'done' });
      await ledger.openCase(id, 'decline_unclear');
      await ledger.changeDestination(destinationChange(id, FIRST, 'word-2', 'carla'));
      await ledger.openCase(id, 'decline_unclear');

      expect(await ledger.changeDestination(first)).toMatchObject({ kind: 'done' });
      const refund = await ledger.findRefund(id);
      expect(refund).toMatchObject({ state: 'manual_review', destinationChangedBy: ['berta', 'carla'] });
      expect(refund?.destination).toEqual({ registrationId: FIRST });
    });

    it('does not propose a correction again that a second operator has refused', async () => {
      const { ledger, letPass } = underTest();
      const { id } = await unknown();
      await letPass(LATE);
      const proposed = await ledger.correct(correction(id, 'word-1'), CONFIG);
      const instruction = proposed.kind === 'proposed' ? proposed.instruction : '';
      const no = { refundId: id, verdict: 'refused', instruction, ...answer('word-2', 'carla') } as const;
      await ledger.confirm({ ...no, gateway: 'none' }, TIMINGS);

      expect(await ledger.correct(correction(id, 'word-1'), CONFIG)).toMatchObject({
        kind: 'proposed',
        instruction,
      });
      expect((await ledger.findRefund(id))?.proposal).toBeNull();
    });

    it('keeps its result if the gateway shows nothing of it the second time', async () => {
      const { ledger, letPass } = underTest();
      const { id, order } = await unknown();
      await letPass(LATE);
      await ledger.link(linkCommand(order.attemptId, 'word-1'), TIMINGS);
      expect(await ledger.refuseLink(id, answer('word-1'), 'gateway_unavailable')).toMatchObject({
        kind: 'done',
        snapshot: { state: 'succeeded' },
      });
    });
  });

  describe('a command that changes no money', () => {
    it('is recorded once for its id, also after the refund has continued', async () => {
      const { ledger, events } = underTest();
      const { id } = await unknown();
      const { version } = await ledger.snapshot(id);
      const noted = async () => (await events(id)).filter((type) => type === 'refund.synced').length;
      await ledger.note(id, 'sync', answer('command-1'));
      await ledger.openCase(id, 'outcome_unknown');
      expect((await ledger.snapshot(id)).version).toBeGreaterThan(version);
      await ledger.note(id, 'sync', answer('command-1'));
      expect(await noted()).toBe(1);
      await ledger.note(id, 'sync', answer('command-2'));
      expect(await noted()).toBe(2);
    });
  });

  it('a command without an id is carried out by the refund’s current state', async () => {
    const { ledger, letPass } = underTest();
    const { id, order } = await unknown();
    expect(await ledger.refuseLink(id, answer(undefined), 'not_at_gateway')).toMatchObject({
      kind: 'refused',
    });
    await letPass(LATE);
    const unnamed = { ...linkCommand(order.attemptId, ''), commandId: undefined };
    expect(await ledger.link(unnamed, TIMINGS)).toMatchObject({ kind: 'done' });
  });
}
