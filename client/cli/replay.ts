/** The command `replay`: explains what a refund would do now, and lets one refund, or all in review for one reason, continue. */
import { randomUUID } from 'node:crypto';
import { CASE_REASONS, type CaseReason } from '../../domain/refund/reasons.js';
import type { BulkReplay, BulkReplayResult } from '../replay-many.js';
import type { ReplayReport } from '../replay.js';
import type { PendingStep } from '../workflow-runs.js';
import { confirm } from './confirm.js';
import { momentOf } from './time-option.js';
import { effectFor, withNote, type NoteOptions } from './decide.js';
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import { EXIT, WrongUse, type ExitCode } from './exit.js';
import { page } from './page.js';
import type { Screen } from './screen.js';
import { run, printError } from './session.js';
import { table, type Column } from './table.js';
import { STATE_TONES } from '../state-tones.js';

export interface ReplayOptions extends NoteOptions {
  readonly case?: string | undefined;
  readonly since?: string | undefined;
  readonly dryRun?: true | undefined;
  readonly restart?: true | undefined;
}

/** Replays one refund by its id, or every refund in review for `--case`. */
export function replay(id: string | undefined, options: ReplayOptions): Promise<ExitCode> {
  if (options.case !== undefined && id === undefined) return replayMany(options.case, options);
  if (id !== undefined && options.case === undefined) return replayOne(id, options);
  const message = 'give either the id of one refund or --case';
  return Promise.resolve(
    printError(options.json === true, new WrongUse([{ field: '--case', code: 'invalid', message }])),
  );
}

const isCase = (text: string): text is CaseReason => Object.hasOwn(CASE_REASONS, text);

function replayMany(why: string, options: ReplayOptions): Promise<ExitCode> {
  const json = options.json === true;
  const wrong = (field: string, message: string): Promise<ExitCode> =>
    Promise.resolve(printError(json, new WrongUse([{ field, code: 'invalid', message }])));
  if (!isCase(why)) return wrong('--case', `must be one of ${Object.keys(CASE_REASONS).join(', ')}`);
  const since = options.since === undefined ? undefined : momentOf(options.since);
  if (options.since !== undefined && since === undefined)
    return wrong('--since', 'must be a time, as 10:00 or 2026-11-29T10:00Z');
  const isDryRun = options.dryRun === true;
  const which = { case: why, ...(since === undefined ? {} : { since }) };
  const work = (operatorNote: OperatorNote): Promise<ExitCode> =>
    run(options, async ({ client, screen, print, note }) => {
      // One command id for all batches: a batch that is sent again after a failure is carried out once.
      const order: BulkReplay = { ...which, ...operatorNote, commandId: randomUUID() };
      const counted = await client.replayMany({ ...order, dryRun: true });
      if (isDryRun || counted.count === 0) {
        print(counted, () => countText(counted));
        return EXIT.done;
      }
      await confirm([countText(counted), BULK_EFFECT], options.yes === true);
      let replayed = 0;
      const refused: BulkReplayResult['refused'][number][] = [];
      for (let cursor: string | undefined; ;) {
        const batch = await client.replayMany({ ...order, ...(cursor === undefined ? {} : { cursor }) });
        replayed += batch.replayed;
        refused.push(...batch.refused);
        note(`${replayed} of ${counted.count} replayed, ${refused.length} refused`);
        if (batch.nextCursor === null) break;
        cursor = batch.nextCursor;
      }
      const total = { ...counted, dryRun: false, replayed, refused };
      print(total, () =>
        [
          `${replayed} of ${counted.count} refunds continue`,
          ...(refused.length === 0 ? [] : [table(REFUSED, refused, screen)]),
        ].join('\n'),
      );
      return refused.length === 0 ? EXIT.done : EXIT.operatorNeeded;
    });
  return isDryRun
    ? work({ by: options.by ?? 'dry-run', reason: options.reason ?? 'dry run' })
    : withNote(options, work);
}

const BULK_EFFECT =
  'Each goes back to its first unsent step, with all checks again and new budgets, about 20 a second. Nothing is sent twice. A credit needs a new approval where policy asks for one.';

const REFUSED: readonly Column<BulkReplayResult['refused'][number]>[] = [
  { title: 'refused', text: ({ refundId }) => refundId },
  { title: 'why', text: ({ why }) => why, wraps: true },
];

function countText({ case: why, count, sums }: BulkReplayResult): string {
  const money = Object.entries(sums).map(([currency, amount]) => `${amount} ${currency}`);
  return `${count} refunds are in review for ${why}${money.length === 0 ? '' : `: ${money.join(', ')}`}`;
}

function replayOne(id: string, options: ReplayOptions): Promise<ExitCode> {
  if (options.dryRun === true)
    return run(options, async ({ client, screen, print }) => {
      const report = await client.explainReplay(id);
      print(report, () => reportText(report, screen));
      return waitsForOperator(report);
    });
  return withNote(options, (operatorNote) =>
    run(options, async (session) => {
      const { client, screen, print, note } = session;
      const before = await client.explainReplay(id);
      note(reportText(before, screen));
      const alive = before.run?.isAlive === true ? before.run : undefined;
      const restart = options.restart === true ? alive : undefined;
      const effect = await effectFor(session, id, 'replay', operatorNote.by);
      await confirm(
        restart === undefined
          ? [effect]
          : [effect, `The run ${restart.runId}, alive since ${restart.startedAt}, is terminated first.`],
        options.yes === true,
      );
      const result = await client.replay(id, {
        ...operatorNote,
        ...(restart === undefined ? {} : { restart: { runId: restart.runId } }),
      });
      print(result, () => `${OUTCOMES[result.outcome]}\n${reportText(result, screen)}`);
      return waitsForOperator(result);
    }),
  );
}

const OUTCOMES = {
  replayed: 'it continues with its first unsent step',
  over: 'nothing is left to do: the refund is final',
  alive: 'a run is alive and was left alone; --restart terminates it and starts the next',
  started: 'a run was started',
  restarted: 'the run was terminated, and the next one was started',
} as const;

const waitsForOperator = ({ step }: ReplayReport): ExitCode =>
  step.kind === 'wait_for_operator' || step.kind === 'query_payment' ? EXIT.operatorNeeded : EXIT.done;

export function reportText(report: ReplayReport, screen: Screen): string {
  const { refundId, state, why, step, effect, gateway, run: newest, stuck } = report;
  const wait = step.afterMs === 0 ? 'now' : `in ${Math.ceil(step.afterMs / 1_000)} s`;
  return page(
    [
      { name: 'refund', text: refundId },
      { name: 'state', text: why === null ? state : `${state} (${why})`, tone: STATE_TONES[state] },
      { name: 'gateway', text: gateway },
      { name: 'next', text: `${step.kind}, ${wait}` },
      { name: 'effect', text: effect },
      {
        name: 'run',
        text: newest === null ? 'none' : `${newest.status} ${newest.runId} since ${newest.startedAt}`,
      },
      ...(newest?.pending ?? []).map((pending) => ({ name: 'pending', text: pendingText(pending) })),
      { name: 'stuck', text: stuck ?? 'no', tone: stuck === null ? undefined : ('warn' as const) },
    ],
    screen,
  );
}

const pendingText = ({ activity, attempt, isRunning, lastFailure }: PendingStep): string =>
  `${activity ?? 'workflow task'}, try ${attempt}${isRunning ? ', running' : ''}${lastFailure === null ? '' : `, last: ${lastFailure}`}`;
