/** Output of the command line: it fits the terminal, with ids, amounts and texts of realistic length. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { eventsText } from '../../client/cli/events.js';
import { keysText } from '../../client/cli/keys.js';
import { listText, queueText, refundText, timelineText } from '../../client/cli/render.js';
import { reportText } from '../../client/cli/replay.js';
import { screenOf, type Screen, type ScreenOptions } from '../../client/cli/screen.js';
import { widthOf, wrapped } from '../../client/cli/text.js';
import { auditText } from '../../client/cli/verify.js';
import { STATE_TONES } from '../../client/state-tones.js';
import type { Attempt, Refund } from '../../client/view.js';
import { CASE_REASONS } from '../../domain/refund/reasons.js';
import { REFUND_STATES, type RefundState } from '../../domain/refund/states.js';
import { ATTEMPT_STATES } from '../../domain/refund/attempt-states.js';
import { caseTable } from '../../sandbox/demo/table.js';

const ID = '0199b0a4-7c1e-7f3a-9d52-2f6f1c1f4b11';
const HEX = '8ac7a4a18f6fcb2d018f70a1b2c3d4e5';
const AT = '2026-11-03T04:05:06.789Z';

const ATTEMPT: Attempt = {
  type: 'RF',
  amount: '123456789012.345',
  merchantTransactionId: '59FH9038JV98BX00',
  gatewayId: HEX,
  state: 'rejected',
  resultCode: '700.300.300',
  resultDescription: 'referenced tx can not be refunded, captured or reversed (already refunded)',
  class: 'already_returned',
  settlement: null,
  otherLast4: null,
  sentAt: AT,
  answeredAt: AT,
};

const refundIn = (state: RefundState, changes: Partial<Refund> = {}): Refund => ({
  id: ID,
  askedFor: 'refund',
  paymentId: HEX,
  entityId: HEX,
  amount: '123456789012.345',
  currency: 'KWD',
  reason: 'goods_returned, and the customer 山田太郎 asked twice for all of it to be paid back at once 🙂',
  orderId: 'order-of-the-shop-with-a-long-name-20261103-000000000000000000004711/part-2-of-3',
  metadata: {},
  idempotencyKey: 'key',
  requestedBy: 'https://login.example/clerk-with-a-long-name',
  destination: { registrationId: HEX },
  status: 'review',
  state,
  operation: 'reversal',
  settledBy: 'refund',
  settledAmount: '123456789012.345',
  settlements: [
    { by: 'refund', amount: '100000000000.000' },
    { by: 'refund_elsewhere', amount: '23456789012.345' },
  ],
  attempts: [ATTEMPT, { ...ATTEMPT, type: 'CD', gatewayId: null, state: 'succeeded' }],
  review: CASE_REASONS.links_not_shown,
  cases: [
    { ...CASE_REASONS.links_not_shown, why: 'links_not_shown', text: '', openedAt: AT, details: {} },
    { ...CASE_REASONS.paid_twice, why: 'paid_twice', text: '', openedAt: AT, details: {} },
  ],
  approval: null,
  proposal: {
    instruction: HEX,
    action: 'correct',
    effect: `attempt ${HEX} of refund ${ID} counts as never paid`,
    by: 'anna',
    reason: 'letter of the acquirer',
    ticket: null,
    at: AT,
  },
  why: 'links_not_shown',
  blocks: ['dispute_open', 'already_refunded', 'not_in_allow_list'],
  workflowId: `refund-${ID}`,
  stateSince: AT,
  createdAt: AT,
  updatedAt: AT,
  ...changes,
});

const REFUNDS = REFUND_STATES.map((state) => refundIn(state));
const RETURNED = refundIn('returned', { proposal: null, cases: [], review: null, why: null });
const NEXT = {
  kind: 'wait_for_operator',
  afterMs: 0,
  effect: 'Nothing: it waits for what an operator does. '.repeat(3),
} as const;

/** Output of each command, on a screen of this width. */
const TEXTS: Readonly<Record<string, (screen: Screen) => string>> = {
  list: (screen) => listText(REFUNDS, screen),
  queue: (screen) =>
    queueText(
      [
        { ...(REFUNDS[0] ?? RETURNED), ageSeconds: 1_000_000 },
        { ...RETURNED, ageSeconds: 5 },
      ],
      screen,
    ),
  show: (screen) => refundText(refundIn('manual_review'), screen, NEXT),
  timeline: (screen) =>
    timelineText(
      [
        {
          id: '1',
          at: AT,
          type: 'webhook',
          actor: 'https://login.example/clerk',
          refundId: ID,
          attemptId: ID,
          text: `Queried: ${HEX} RF 123456789012.345 KWD (4711 times, the last one at ${AT})`,
          data: {},
        },
      ],
      screen,
    ),
  events: (screen) =>
    eventsText(
      [
        {
          id: '3c1f0c52-5b0f-4a44-8f6e-5f1d8f0a7f11',
          type: 'refund.awaiting_approval',
          refundId: ID,
          state: 'dead',
          tries: 17,
          lastStatus: null,
          lastError:
            'connect ECONNREFUSED 127.0.0.1:8443 while the receiver was asked for the seventeenth time',
          createdAt: AT,
          lastTryAt: AT,
          deliveredAt: null,
          nextTryAt: AT,
        },
      ],
      screen,
    ),
  keys: (screen) =>
    keysText(
      [
        {
          id: '03desqznttdh',
          name: 'the shop in the old town, its till and everything that speaks for it',
          roles: ['submit', 'read', 'operate', 'approve'],
          createdAt: AT,
          revokedAt: AT,
        },
      ],
      screen,
    ),
  verify: (screen) =>
    auditText(
      {
        id: ID,
        at: AT,
        durationMs: 1,
        payments: 300_000,
        completeSince: AT,
        ok: false,
        complete: false,
        violations: 1,
        invariants: [
          {
            invariant: 'I1',
            text: 'No payment gives back or promises more than it took, and held is exactly what is owed',
            checked: true,
            violations: 1,
            examples: [`payment ${HEX} of entity ${HEX} has given back 123456789012.345 KWD too much`],
          },
          {
            invariant: 'I2',
            text: 'A refund has one open attempt',
            checked: false,
            violations: 0,
            examples: [],
          },
        ],
      },
      [{ entityId: HEX, code: '800.121.100', since: new Date(AT) }],
      screen,
    ),
  replay: (screen) =>
    reportText(
      {
        refundId: ID,
        state: 'manual_review',
        why: 'links_not_shown',
        sinceMs: 1,
        step: NEXT,
        effect: NEXT.effect,
        gateway: `payment ${HEX}: succeeded, 123456789012.345 KWD captured`,
        run: {
          runId: ID,
          status: 'RUNNING',
          isAlive: true,
          startedAt: AT,
          closedAt: null,
          pending: [
            { activity: 'submitRefund', attempt: 9, isRunning: true, lastFailure: 'connect ECONNREFUSED' },
          ],
          waitsForWorkerMs: null,
        },
        stuck: 'no worker takes its next step, for 4711 s now',
      },
      screen,
    ),
};

const screenAt = (columns: number, more: Partial<ScreenOptions> = {}): Screen =>
  screenOf({ stream: { isTTY: true, columns }, env: {}, ...more });
const linesOf = (text: string): string[] => stripVTControlCharacters(text).split('\n');
const PIPE = screenOf({ stream: {}, env: {} });

describe('the output of a command on a terminal', () => {
  describe.each([60, 80, 100, 160])('of %i columns', (columns) => {
    it.each(Object.keys(TEXTS))('%s: no line is longer', (name) => {
      const lines = linesOf(TEXTS[name]?.(screenAt(columns)) ?? '');
      expect(lines.length).toBeGreaterThan(1);
      expect(lines.filter((line) => widthOf(line) > columns)).toEqual([]);
    });
  });

  it('shows in full the id that other commands take, at any width', () => {
    for (const columns of [60, 80, 100, 160])
      for (const name of ['list', 'queue', 'show', 'events', 'replay'])
        expect(TEXTS[name]?.(screenAt(columns)), `${name} at ${columns}`).toContain(ID);
  });

  it('names shortened and hidden columns, and shows all of them with --wide', () => {
    expect(linesOf(TEXTS['list']?.(screenAt(100)) ?? '').at(-1)).toMatch(
      /left out: .*payment.*--wide shows all/,
    );
    const wide = TEXTS['list']?.(screenAt(100, { wide: true })) ?? '';
    expect(linesOf(wide)).toHaveLength(REFUNDS.length);
    expect(wide).toContain(HEX);
    expect(wide).toContain(AT);
  });

  it('has one line for each short row if there is enough width', () => {
    const short = { amount: '12.30', currency: 'EUR', settlements: [], why: 'approval_refused' };
    const rows = [refundIn('failed', short), refundIn('succeeded', { ...short, why: null })];
    expect(linesOf(listText(rows, screenAt(160)))).toHaveLength(rows.length + 1);
  });
});

describe('the output of a command in a pipe', () => {
  it.each(['list', 'queue', 'events', 'keys'])(
    '%s: each row is one line with all of it, without a header',
    (name) => {
      const text = TEXTS[name]?.(PIPE) ?? '';
      const rows = { list: REFUNDS.length, queue: 2, events: 1, keys: 1 }[name];
      expect(text.split('\n')).toHaveLength(rows ?? 0);
      expect(text).not.toContain('\u001B');
      expect(text).not.toContain('…');
    },
  );
});

describe('the screen', () => {
  const widthWith = (stream: ScreenOptions['stream'], env: NodeJS.ProcessEnv = {}): number | null =>
    screenOf({ stream, env }).width;

  it('is as wide as COLUMNS, else as the terminal, else 100; a pipe has no width', () => {
    expect(widthWith({ isTTY: true, columns: 132 })).toBe(132);
    expect(widthWith({ isTTY: true, columns: 132 }, { COLUMNS: '90' })).toBe(90);
    expect(widthWith({ isTTY: true, columns: 132 }, { COLUMNS: 'wide' })).toBe(132);
    expect(widthWith({ isTTY: true })).toBe(100);
    expect(widthWith({ isTTY: true, columns: 0 })).toBe(100);
    expect(widthWith({ isTTY: true, columns: 20 })).toBe(60);
    expect(widthWith({})).toBeNull();
    expect(widthWith({}, { COLUMNS: '90' })).toBe(90);
  });

  it('is colored on a terminal only, and not with NO_COLOR', () => {
    const painted = (stream: ScreenOptions['stream'], env: NodeJS.ProcessEnv): string =>
      screenOf({ stream, env }).tone('good', 'x');
    expect(painted({ isTTY: true }, {})).toContain('\u001B[');
    expect(painted({ isTTY: true }, { NO_COLOR: '1' })).toBe('x');
    expect(painted({}, {})).toBe('x');
    expect(painted({}, { COLUMNS: '80' })).toBe('x');
  });

  it('colors each state of refunds and attempts', () => {
    const screen = screenAt(160);
    for (const state of REFUND_STATES)
      expect(listText([refundIn(state)], screen)).toContain(screen.tone(STATE_TONES[state], state));
    for (const state of ATTEMPT_STATES)
      expect(refundText(refundIn('pending', { attempts: [{ ...ATTEMPT, state }] }), screen)).toContain(
        screen.tone(STATE_TONES[state], state),
      );
  });
});

describe('the table of the demonstration', () => {
  const row = { name: '700.400.200, refunded in the portal: no credit', amount: '100.00', paymentId: HEX };

  it.each([80, 100, 160])('fits %i columns', (columns) => {
    const text = caseTable(
      [
        { ...row, refused: 'exceeds_refundable', ending: undefined, asExpected: true },
        { ...row, refund: refundIn('refunded_elsewhere'), ending: undefined, asExpected: false },
      ],
      screenAt(columns),
    );
    expect(linesOf(text).filter((line) => widthOf(line) > columns)).toEqual([]);
    expect(text).toContain('✓');
    expect(text).toContain('✗');
  });
});

describe('text in the columns of a terminal', () => {
  it('counts two for East Asian characters and emoji, none for combining marks', () => {
    expect(['abc', '山田', '🙂', 'e\u0301', '–'].map(widthOf)).toEqual([3, 4, 2, 1, 1]);
  });

  it('is broken at spaces, and inside words that are too long', () => {
    expect(wrapped('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrapped('abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
    expect(wrapped('a\nb', 3)).toEqual(['a', 'b']);
  });
});
