/** Queue page: refunds that need an operator, oldest first, each with the reason and the safe next step. */
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { isReplayable } from '../../../../domain/refund/replay.js';
import { useMe, useQueue } from '../data/queries.js';
import type { QueueItem } from '../data/shapes.js';
import { Amount, Button, Empty, FIELD } from '../parts/basics.js';
import { StateBadge } from '../parts/badges.js';
import { Loaded, PageFrame, Updated } from '../parts/page.js';
import { ReplayAllDialog } from '../parts/replay-all.js';
import { useNow } from '../now.js';
import { useRowKeys } from '../shortcuts.js';
import { exactTime, shortId, span, texts } from '../text.js';
import { needOf } from '../operator-need.js';

export interface QueueFilter {
  readonly q?: string;
  /** Code of the review reason. */
  readonly case?: string;
}

export function QueuePage({
  filter,
  onFilter,
}: {
  readonly filter: QueueFilter;
  readonly onFilter: (filter: QueueFilter) => void;
}) {
  const queue = useQueue();
  useRowKeys();
  const { q = '', case: why } = filter;
  return (
    <PageFrame title="Queue" aside={<Updated at={queue.dataUpdatedAt} />}>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <label className="block w-full max-w-md">
          <span className="sr-only">Filter the queue</span>
          <input
            type="search"
            value={q}
            onChange={(event) => onFilter(filterOf(event.target.value, why))}
            placeholder="Filter by reason, order, amount or id"
            className={FIELD}
          />
        </label>
        <Cases
          items={queue.data?.data ?? []}
          chosen={why}
          onChoose={(chosen) => onFilter(filterOf(q, chosen))}
        />
      </div>
      <div className="rounded-lg border border-line bg-panel">
        <Loaded query={queue}>
          {({ data }) => (
            <Rows
              items={data.filter((item) => why === undefined || hasCase(item, why))}
              filter={q}
              readAt={queue.dataUpdatedAt}
            />
          )}
        </Loaded>
      </div>
    </PageFrame>
  );
}

const filterOf = (q: string, why: string | undefined): QueueFilter => ({
  ...(q === '' ? {} : { q }),
  ...(why === undefined || why === '' ? {} : { case: why }),
});

const hasCase = ({ cases }: QueueItem, why: string): boolean => cases.some((one) => one.why === why);

/** Filter by review reason, with a button that replays all refunds of a replayable reason. */
function Cases({
  items,
  chosen,
  onChoose,
}: {
  readonly items: readonly QueueItem[];
  readonly chosen: string | undefined;
  readonly onChoose: (why: string) => void;
}) {
  const { data: me } = useMe();
  const [isOpen, setOpen] = useState(false);
  const counts = new Map<string, number>(chosen === undefined ? [] : [[chosen, 0]]);
  for (const why of items.flatMap(({ cases }) => [...new Set(cases.map((one) => one.why))]))
    counts.set(why, (counts.get(why) ?? 0) + 1);
  const mayReplay = me?.roles.includes('operate') === true && chosen !== undefined && isReplayable(chosen);
  return (
    <>
      <label className="block min-w-0">
        <span className="sr-only">Review reason</span>
        <select
          value={chosen ?? ''}
          onChange={(event) => onChoose(event.target.value)}
          className={`${FIELD} max-w-xs`}
        >
          <option value="">All reasons</option>
          {[...counts].map(([why, count]) => (
            <option key={why} value={why}>
              {texts(why)} ({count})
            </option>
          ))}
        </select>
      </label>
      {mayReplay ? (
        <>
          <Button onClick={() => setOpen(true)}>Replay all</Button>
          <ReplayAllDialog case={chosen} open={isOpen} onClose={() => setOpen(false)} />
        </>
      ) : null}
    </>
  );
}

function Rows({
  items,
  filter,
  readAt,
}: {
  readonly items: readonly QueueItem[];
  readonly filter: string;
  readonly readAt: number;
}) {
  if (items.length === 0)
    return (
      <Empty>
        No refund needs an operator. New ones appear here automatically; all others are under{' '}
        <Link to="/refunds" className="text-accent underline">
          Refunds
        </Link>
        .
      </Empty>
    );
  const shown = items.filter((item) => matches(item, filter));
  return (
    <>
      <p role="status" className="sr-only">
        {shown.length} of {items.length} shown
      </p>
      {shown.length === 0 ? (
        <Empty>
          None of the {items.length} refunds in the queue matches “{filter}”.
        </Empty>
      ) : (
        <ol aria-label="Refunds that need an operator, oldest first">
          {shown.map((item) => (
            <Row key={item.id} item={item} readAt={readAt} />
          ))}
        </ol>
      )}
    </>
  );
}

function Row({ item, readAt }: { readonly item: QueueItem; readonly readAt: number }) {
  const { why, nextStep } = needOf(item);
  // The age is the server's; the browser's clock only adds the time since the response.
  const age = item.ageSeconds + Math.max(0, useNow() - readAt) / 1000;
  return (
    <li className="relative grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-1 border-b border-line px-4 py-3 first:rounded-t-lg last:rounded-b-lg last:border-0 focus-within:bg-raised hover:bg-raised md:grid-cols-[5.5rem_8rem_minmax(0,1fr)_auto]">
      <time
        dateTime={item.stateSince}
        title={exactTime(item.stateSince)}
        className="text-sm text-quiet tabular-nums max-md:order-2 max-md:text-right"
      >
        {span(age)}
      </time>
      <span className="text-right max-md:order-1 max-md:text-left">
        <Amount amount={item.amount} currency={item.currency} strong />
      </span>
      <div className="min-w-0 max-md:order-4 max-md:col-span-2">
        <Link
          to="/refunds/$refundId"
          params={{ refundId: item.id }}
          data-row=""
          className="font-medium break-words after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent"
        >
          {why}
        </Link>
        <p className="text-sm text-quiet">
          <span className="font-medium">Next: </span>
          {nextStep}
        </p>
      </div>
      <div className="text-right text-sm text-quiet max-md:order-3 max-md:col-span-2 max-md:text-left">
        <StateBadge state={item.state} />
        <p className="max-w-48 truncate max-md:hidden" title={item.orderId ?? item.id}>
          {item.orderId ?? shortId(item.id)}
        </p>
      </div>
    </li>
  );
}

function matches(item: QueueItem, filter: string): boolean {
  const { why, nextStep } = needOf(item);
  const text = [
    ...[item.id, item.paymentId, item.amount, item.currency, item.reason, item.orderId ?? '', item.state],
    ...[item.requestedBy, why, nextStep],
  ]
    .join(' ')
    .toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/u)
    .every((term) => text.includes(term));
}
