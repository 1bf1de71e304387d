/** Dialog that replays all refunds in review for one reason. It shows their count and sums first, then the progress of each batch. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useId, useRef, useState } from 'react';
import { queries, useMe } from '../data/queries.js';
import { ApiProblem, request, type FieldProblem } from '../data/request.js';
import type { BulkReplayResult } from '../data/shapes.js';
import { randomId } from '../random-id.js';
import { signOut, useKey } from '../session.js';
import { capital, meaning, shortId, texts } from '../text.js';
import { NOTE_FIELDS } from './action-fields.js';
import { Amount, Button, Fact } from './basics.js';
import { Field } from './field.js';
import { Modal } from './modal.js';

const PATH = '/v1/refunds/replay';

interface CaseProps {
  readonly case: string;
  readonly onClose: () => void;
}

export function ReplayAllDialog({ open, ...rest }: CaseProps & { readonly open: boolean }) {
  return (
    <Modal open={open} onClose={rest.onClose} title="Replay all refunds with this reason">
      {open ? <Form {...rest} /> : null}
    </Modal>
  );
}

interface Progress {
  readonly replayed: number;
  readonly refused: BulkReplayResult['refused'];
  /** Null after the last batch. */
  readonly nextCursor: string | null;
}

type Phase = 'form' | 'running' | 'stopped' | 'done';

function Form({ case: why, onClose }: CaseProps) {
  const key = useKey();
  const { data: me } = useMe();
  const id = useId();
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [phase, setPhase] = useState<Phase>('form');
  const [progress, setProgress] = useState<Progress | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const [isReasonMissing, setReasonMissing] = useState(false);
  // One id for all batches, so that a batch that is repeated after a lost response is executed once.
  const [commandId] = useState(randomId);
  const isStopping = useRef(false);
  const isStopped = (): boolean => isStopping.current;
  useEffect(
    () => () => {
      isStopping.current = true;
    },
    [],
  );

  const counted = useQuery({
    queryKey: [PATH, why],
    queryFn: ({ signal }) =>
      request<BulkReplayResult>(PATH, { key, signal, body: { case: why, dryRun: true } }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });

  async function run(): Promise<void> {
    isStopping.current = false;
    setProblem(null);
    setPhase('running');
    let {
      replayed,
      refused,
      nextCursor: cursor,
    }: Progress = progress ?? {
      replayed: 0,
      refused: [],
      nextCursor: null,
    };
    try {
      for (;;) {
        const batch = await request<BulkReplayResult>(PATH, {
          key,
          idempotencyKey: commandId,
          body: { case: why, ...noteIn(values), ...(cursor === null ? {} : { cursor }) },
        });
        replayed += batch.replayed;
        refused = [...refused, ...batch.refused];
        cursor = batch.nextCursor;
        setProgress({ replayed, refused, nextCursor: cursor });
        if (cursor === null || isStopped()) break;
      }
      setPhase(cursor === null ? 'done' : 'stopped');
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) signOut(error.message);
      setProblem(error);
      setPhase(progress === null && replayed + refused.length === 0 ? 'form' : 'stopped');
    }
    void queries.invalidateQueries({ predicate: ({ meta }) => meta?.['live'] === true });
  }

  function submit(): void {
    const isMissing = (values['reason'] ?? '').trim() === '';
    setReasonMissing(isMissing);
    if (isMissing) document.getElementById(`${id}-reason`)?.focus();
    else void run();
  }

  const count = counted.data?.count ?? 0;
  const problems: readonly FieldProblem[] = problem instanceof ApiProblem ? problem.problems : [];
  const problemOf = (name: string): string | undefined =>
    isReasonMissing && name === 'reason'
      ? 'Reason is required.'
      : problems.find(({ field }) => field === name)?.message;
  const failure = counted.error ?? (problems.length === 0 ? problem : null);
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <p className="break-words">{capital(meaning(why))}</p>
      {counted.data === undefined ? (
        counted.isError ? null : (
          <p className="mt-2 text-quiet">Counting…</p>
        )
      ) : (
        <Counted counted={counted.data} />
      )}
      {phase === 'form' || phase === 'stopped'
        ? NOTE_FIELDS.map((field, index) => (
            <Field
              key={field.name}
              id={`${id}-${field.name}`}
              field={field}
              value={values[field.name] ?? ''}
              first={index === 0}
              problem={problemOf(field.name)}
              onChange={(value) => setValues({ ...values, [field.name]: value })}
            />
          ))
        : null}
      {progress === null && phase !== 'running' ? null : (
        <ProgressView progress={progress} count={count} phase={phase} />
      )}
      {failure === null ? null : (
        <p role="alert" className="mt-3 rounded-md bg-bad-soft px-3 py-2 text-sm break-words text-bad">
          {failure instanceof Error ? failure.message : 'The request failed.'}
        </p>
      )}
      <div className="mt-5 flex flex-wrap items-center justify-end gap-2">
        <span className="mr-auto text-sm text-quiet">Signed in as {me?.name}</span>
        {phase === 'running' ? (
          <Button
            onClick={() => {
              isStopping.current = true;
            }}
          >
            Stop after this batch
          </Button>
        ) : (
          <Button onClick={onClose}>{phase === 'done' ? 'Close' : 'Cancel'}</Button>
        )}
        {phase === 'done' ? null : (
          <Button query="primary" type="submit" disabled={phase === 'running' || count === 0}>
            {LABELS[phase](count)}
          </Button>
        )}
      </div>
    </form>
  );
}

const LABELS: Readonly<Record<Exclude<Phase, 'done'>, (count: number) => string>> = {
  form: (count) => `Replay ${count} ${count === 1 ? 'refund' : 'refunds'}`,
  running: () => 'Working…',
  stopped: () => 'Continue',
};

function noteIn(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    NOTE_FIELDS.flatMap(({ name }) => {
      const value = (values[name] ?? '').trim();
      return value === '' ? [] : [[name, value]];
    }),
  );
}

/** Count and sums of the refunds to replay. */
function Counted({ counted: { count, sums } }: { readonly counted: BulkReplayResult }) {
  return (
    <>
      <dl role="status" className="-mx-4 mt-3 rounded-md bg-raised py-1.5">
        <Fact name="In review">
          {count} {count === 1 ? 'refund' : 'refunds'}
        </Fact>
        {Object.entries(sums).map(([currency, amount]) => (
          <Fact key={currency} name="Sum">
            <Amount amount={amount} currency={currency} strong />
          </Fact>
        ))}
      </dl>
      <p className="mt-3 rounded-md bg-info-soft px-3 py-2.5 text-info">
        Each refund continues from its first step that was not submitted, with all checks and retry budgets
        anew, about 20 refunds per second. Nothing is submitted twice. A credit needs a new approval if the
        policy requires one.
      </p>
    </>
  );
}

function ProgressView({
  progress,
  count,
  phase,
}: {
  readonly progress: Progress | null;
  readonly count: number;
  readonly phase: Phase;
}) {
  const { replayed, refused } = progress ?? { replayed: 0, refused: [] };
  const processed = replayed + refused.length;
  return (
    <div className="mt-3 text-sm">
      <progress
        aria-label="Refunds processed"
        value={processed}
        max={Math.max(count, processed, 1)}
        className="h-2 w-full accent-accent"
      />
      <p role="status" className="mt-1">
        {replayed} of {count} replayed{refused.length === 0 ? '' : `, ${refused.length} refused`}
        {phase === 'stopped' ? '. Stopped; the others stay in review.' : ''}
        {phase === 'done' ? '. Done.' : ''}
      </p>
      {refused.length === 0 ? null : (
        <ul aria-label="Refused" className="mt-2 max-h-48 list-disc overflow-y-auto pl-5">
          {refused.map(({ refundId, why }) => (
            <li key={refundId}>
              <Link to="/refunds/$refundId" params={{ refundId }} className="text-accent underline">
                {shortId(refundId)}
              </Link>
              : {texts(why)}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
