/** Change-destination and replay over HTTP: success, each refusal with its code, repetition, concurrency, and the required roles. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { replayedRefund } from '../../server/api/command-schemas.js';
import { refundWorkflowId } from '../../workflows/refund/contract.js';
import { NEVER_PAID, refused, startOperators, reported, WHY } from './operators.js';
import { problemOf, refundOf, type Answer } from './harness.js';

// One refund stays pending on purpose.
const harness = await startOperators({ booksAgree: false });
const { anna, berta, boss, anotherCard, cardClosed, newKey, paid, pendingTooLong, command, stack, until } =
  harness;
const { engine } = stack.gateway;

describe('change-destination', () => {
  it('needs a second approver, and repeating it changes nothing', async () => {
    const { id } = await cardClosed();
    const registrationId = anotherCard();
    const note = { ...WHY, destination: { registrationId } };
    expect((await command(anna, 'change-destination', id, note)).status).toBe(200);
    const { approval } = await until(id, 'awaiting_approval');
    expect(approval).toMatchObject({ destination: { registrationId }, amount: '40.00' });
    expect((await command(anna, 'change-destination', id, note)).status).toBe(200);
    const late = await command(berta, 'change-destination', id, note);
    expect(reported(late)).toEqual(refused(409, 'already_decided'));
    expect(late.body).toMatchObject({ by: 'anna' });
    const yes = { ...WHY, instruction: approval?.instruction };
    expect(reported(await command(anna, 'approve', id, yes))).toEqual(
      refused(403, 'proposer_cannot_approve'),
    );
    expect((await command(boss, 'approve', id, yes)).status).toBe(200);
    const { attempts } = await until(id, 'succeeded');
    expect(attempts.map(({ type, state }) => `${type} ${state}`)).toEqual(['RF rejected', 'CD succeeded']);
    const credits = engine
      .transactions()
      .filter((one) => one.type === 'CD' && one.registrationId === registrationId);
    expect(credits).toMatchObject([{ amount: 40_00n, executed: true }]);
  });

  it('to a sealed card waits for an approver who sees brand, last digits and initials, and is then paid once', async () => {
    const { id } = await cardClosed();
    const number = '4200000000000042';
    const sealed = await harness.call('POST', '/v1/cards', {
      key: await newKey('till', 'submit'),
      body: { number, brand: 'VISA', holder: 'Zoe Quill', expiryMonth: '05', expiryYear: '2034', cvv: '739' },
    });
    expect(sealed.status).toBe(201);
    const { cardRef } = z.object({ cardRef: z.string() }).parse(sealed.body);
    const note = { ...WHY, destination: { cardRef } };
    expect((await command(anna, 'change-destination', id, note)).status).toBe(200);
    const shown = { cardRef, brand: 'VISA', last4: '0042', initials: 'ZQ' };
    const { approval } = await until(id, 'awaiting_approval');
    expect(approval).toMatchObject({ destination: shown, amount: '40.00' });
    expect(engine.transactions().filter((one) => one.card?.last4Digits === '0042')).toEqual([]);
    const yes = { ...WHY, instruction: approval?.instruction };
    expect(reported(await command(anna, 'approve', id, yes))).toEqual(
      refused(403, 'proposer_cannot_approve'),
    );
    const approved = await command(boss, 'approve', id, yes);
    expect(approved.status).toBe(200);
    expect(refundOf(approved)).toMatchObject({ destination: shown });
    const { attempts } = await until(id, 'succeeded');
    expect(attempts.map(({ type, state }) => `${type} ${state}`)).toEqual(['RF rejected', 'CD succeeded']);
    const [, credit] = attempts;
    const paid = engine
      .transactions()
      .filter((one) => one.merchantTransactionId === credit?.merchantTransactionId);
    expect(paid).toMatchObject([{ type: 'CD', amount: 40_00n, executed: true }]);
    const everything = JSON.stringify([sealed.body, approved.body, approval]);
    for (const secret of [number, 'Quill', '739']) expect(everything).not.toContain(secret);
  });

  it('to a card that is unknown or destroyed is refused, and changes nothing', async () => {
    const { id } = await cardClosed();
    const note = { ...WHY, destination: { cardRef: '00000000-0000-7000-8000-000000000000' } };
    expect(reported(await command(anna, 'change-destination', id, note))).toEqual(
      refused(404, 'card_unknown'),
    );
    expect((await stack.client.getRefund(id)).destination).not.toMatchObject(note.destination);
  });

  it('by two operators at once to two cards takes effect once', async () => {
    const { id } = await cardClosed();
    const both = await Promise.all(
      [anna, berta].map((key) =>
        command(key, 'change-destination', id, { ...WHY, destination: { registrationId: anotherCard() } }),
      ),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.flatMap((one) => (one.status === 409 ? [reported(one).code] : []))).toEqual([
      'not_in_review',
    ]);
    await until(id, 'awaiting_approval');
  });

  it('is refused if the refund is not in review, money may have left, a correction is pending, or it is the same card', async () => {
    const note = { ...WHY, destination: { registrationId: anotherCard() } };
    expect(reported(await command(anna, 'change-destination', await paid(), note))).toEqual(
      refused(409, 'not_in_review'),
    );
    expect(reported(await command(anna, 'change-destination', await pendingTooLong(), note))).toEqual(
      refused(409, 'may_have_left'),
    );
    const { id, payment } = await cardClosed();
    const same = { ...WHY, destination: { registrationId: payment.registrationId } };
    expect(reported(await command(anna, 'change-destination', id, same))).toEqual(
      refused(409, 'same_destination'),
    );
    const proposal = await command(berta, 'correct', id, { ...NEVER_PAID, outcome: 'succeeded' });
    expect(proposal.status).toBe(200);
    const waits = await command(anna, 'change-destination', id, note);
    expect(reported(waits)).toEqual(refused(409, 'proposal_open'));
    expect(waits.body).toMatchObject({ by: 'berta' });
  });
});

describe('replay', () => {
  const reportOf = ({ body }: Answer) => replayedRefund.parse(body).replay;

  it('returns a refund in review to its first step that was not submitted', async () => {
    const { id } = await cardClosed();
    const answer = await command(anna, 'replay', id, WHY);
    expect(answer.status).toBe(200);
    expect(refundOf(answer)).toMatchObject({ id, amount: '40.00' });
    expect(reportOf(answer)).toMatchObject({ outcome: 'replayed', run: { isAlive: true } });
    await until(id, 'succeeded');
  });

  it('previews, starts a run if none is running, keeps a running one, and terminates one only by its id', async () => {
    const id = await pendingTooLong();
    await stack.temporal.workflow.getHandle(refundWorkflowId(id)).terminate('test');
    const foreseen = reportOf(await command(anna, 'replay', id, { ...WHY, dryRun: true }));
    expect(foreseen).toMatchObject({
      outcome: 'dry_run',
      step: { kind: 'query_outcome' },
      run: { isAlive: false },
    });
    const answer = await command(anna, 'replay', id, WHY);
    expect(answer.status).toBe(200);
    expect(refundOf(answer)).toMatchObject({ id, status: 'review', state: 'manual_review' });
    const started = reportOf(answer);
    expect(started).toMatchObject({ outcome: 'started', run: { isAlive: true } });
    const again = reportOf(await command(anna, 'replay', id, WHY));
    expect(again).toMatchObject({ outcome: 'alive', run: { runId: started.run?.runId } });
    const other = await command(berta, 'replay', id, { ...WHY, restart: { runId: 'another' } });
    expect(reported(other)).toEqual(refused(409, 'run_changed'));
    const restart = { runId: started.run?.runId ?? '' };
    const restarted = reportOf(await command(berta, 'replay', id, { ...WHY, restart }));
    expect(restarted.outcome).toBe('restarted');
    expect(restarted.run?.runId).not.toBe(restart.runId);
  });

  it('by two operators at once starts one run', async () => {
    const { id } = await cardClosed();
    await stack.temporal.workflow.getHandle(refundWorkflowId(id)).terminate('test');
    const both = (await Promise.all([anna, berta].map((key) => command(key, 'replay', id, WHY)))).map(
      reportOf,
    );
    expect(new Set(both.map(({ run }) => run?.runId)).size).toBe(1);
    expect(both.every(({ run }) => run?.isAlive)).toBe(true);
  });

  it('of all refunds in review for one reason counts first, then replays, and needs a reason', async () => {
    const since = new Date().toISOString();
    const { id } = await cardClosed();
    const all = { case: 'card_unusable', since, reason: 'the acquirer takes them again' };
    const many = (body: object) => harness.call('POST', '/v1/refunds/replay', { key: anna, body });
    const counted = {
      case: 'card_unusable',
      count: 1,
      sums: { EUR: '40.00' },
      refused: [],
      nextCursor: null,
    };
    const foreseen = await many({ ...all, dryRun: true });
    expect(foreseen.status).toBe(200);
    expect(foreseen.body).toEqual({ ...counted, dryRun: true, replayed: 0 });
    expect((await many(all)).body).toEqual({ ...counted, dryRun: false, replayed: 1 });
    await until(id, 'succeeded');
    expect(reported(await many({ case: 'card_unusable', since }))).toEqual(refused(422, 'invalid_request'));
    expect(reported(await many({ ...all, case: 'paid_twice' }))).toEqual(refused(422, 'invalid_request'));
  });

  it('of a final refund does nothing', async () => {
    expect(reportOf(await command(anna, 'replay', await paid(), WHY)).outcome).toBe('over');
  });
});

describe('every operator command', () => {
  const card = 'a'.repeat(32);
  it.each([
    ['link', { ...WHY, gatewayId: card }, { gatewayId: 'portal' }, ['gatewayId']],
    [
      'correct',
      NEVER_PAID,
      { outcome: 'lost', evidence: 'card 4200 0000 0000 0000' },
      ['evidence', 'outcome'],
    ],
    [
      'change-destination',
      { ...WHY, destination: { registrationId: card } },
      { destination: { registrationId: '../x' } },
      ['destination.registrationId'],
    ],
    ['replay', WHY, { restart: {} }, ['restart.runId']],
  ] as const)(
    '%s needs the role and an existing refund, and lists every problem of its body',
    async (verb, good, bad, fields) => {
      const nobodys = '00000000-0000-7000-8000-000000000000';
      for (const key of [boss, await newKey('reader', 'read')])
        expect(reported(await command(key, verb, nobodys, good))).toEqual(refused(403, 'forbidden'));
      expect(reported(await command(anna, verb, nobodys, good))).toEqual(refused(404, 'refund_not_found'));
      const wrong = await command(anna, verb, nobodys, { ...good, ...bad, reason: ' ', by: 'mallory' });
      expect(reported(wrong)).toEqual(refused(422, 'invalid_request'));
      const { problems = [] } = problemOf(wrong);
      expect(problems.map(({ field }) => field).sort()).toEqual([...fields, '(request)', 'reason'].sort());
    },
  );
});
