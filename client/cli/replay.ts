/** `replay`: what a run of a refund would do now and what it hangs on, and starting one. */
import type { ReplayReport } from '../replay.js';
import { confirm } from './confirm.js';
import { effectFor, withWord, type WordOptions } from './decide.js';
import { EXIT, type ExitCode } from './exit.js';
import { run } from './session.js';

export interface ReplayOptions extends WordOptions {
  readonly dryRun?: true | undefined;
  readonly restart?: true | undefined;
}

export function replay(id: string, options: ReplayOptions): Promise<ExitCode> {
  const json = options.json === true;
  if (options.dryRun === true)
    return run(json, async ({ client, print }) => {
      const report = await client.foresee(id);
      print(report, () => reportText(report));
      return waitsForPerson(report);
    });
  return withWord(options, (word) =>
    run(json, async (session) => {
      const { client, print, note } = session;
      const before = await client.foresee(id);
      note(reportText(before));
      const alive = before.run?.isAlive === true ? before.run : undefined;
      const restart = options.restart === true ? alive : undefined;
      const effect = await effectFor(session, id, 'replay', word.by);
      await confirm(
        restart === undefined
          ? [effect]
          : [effect, `The run ${restart.runId}, alive since ${restart.startedAt}, is ended first.`],
        options.yes === true,
      );
      const result = await client.replay(id, {
        ...word,
        ...(restart === undefined ? {} : { restart: { runId: restart.runId } }),
      });
      print(result, () => `${OUTCOMES[result.outcome]}\n${reportText(result)}`);
      return waitsForPerson(result);
    }),
  );
}

const OUTCOMES = {
  over: 'nothing is left to do: the refund is over',
  alive: 'a run is alive and was left alone; --restart ends it and starts the next',
  started: 'a run was started',
  restarted: 'the run was ended, and the next one started',
} as const;

const waitsForPerson = ({ step }: ReplayReport): ExitCode =>
  step.kind === 'person' || step.kind === 'read' ? EXIT.personNeeded : EXIT.done;

function reportText({
  refundId,
  state,
  why,
  step,
  effect,
  gateway,
  run: newest,
  stuck,
}: ReplayReport): string {
  const wait = step.afterMs === 0 ? 'now' : `in ${Math.ceil(step.afterMs / 1_000)} s`;
  const lines: readonly (readonly [string, string])[] = [
    ['refund', refundId],
    ['state', why === null ? state : `${state} (${why})`],
    ['gateway', gateway],
    ['next', `${step.kind}, ${wait}`],
    ['effect', effect],
    ['run', newest === null ? 'none' : `${newest.status} ${newest.runId} since ${newest.startedAt}`],
    ...(newest?.pending ?? []).map(
      ({ activity, attempt, isRunning, lastFailure }) =>
        [
          'pending',
          `${activity ?? 'its own code'}, try ${attempt}${isRunning ? ', running' : ''}${lastFailure === null ? '' : `, last: ${lastFailure}`}`,
        ] as const,
    ),
    ['stuck', stuck ?? 'no'],
  ];
  return lines.map(([name, text]) => `${name.padEnd(9)}${text}`).join('\n');
}
