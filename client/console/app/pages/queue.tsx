/** The queue: what goes on only when a person says how. Oldest first, each with the reason and the safe next step. */
import { Link } from '@tanstack/react-router';
import { useQueue } from '../data/queries.js';
import type { QueueItem } from '../data/shapes.js';
import { Amount, Empty, FIELD } from '../parts/basics.js';
import { StateBadge } from '../parts/badges.js';
import { Asked, PageFrame, Updated } from '../parts/page.js';
import { useNow } from '../now.js';
import { useRowKeys } from '../shortcuts.js';
import { exactTime, shortId, span } from '../text.js';
import { needOf } from '../need.js';

export function QueuePage({
  filter,
  onFilter,
}: {
  readonly filter: string;
  readonly onFilter: (text: string) => void;
}) {
  const queue = useQueue();
  useRowKeys();
  return (
    <PageFrame title="Queue" aside={<Updated at={queue.dataUpdatedAt} />}>
      <label className="mb-3 block max-w-md">
        <span className="sr-only">Filter the queue</span>
        <input
          type="search"
          value={filter}
          onChange={(event) => onFilter(event.target.value)}
          placeholder="Filter: reason, order, amount, id…"
          className={FIELD}
        />
      </label>
      <div className="rounded-lg border border-line bg-panel">
        <Asked query={queue}>
          {({ data }) => <Rows items={data} filter={filter} readAt={queue.dataUpdatedAt} />}
        </Asked>
      </div>
    </PageFrame>
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
        Nothing needs a person. What goes wrong appears here by itself; everything else is under{' '}
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
          None of the {items.length} that wait matches “{filter}”.
        </Empty>
      ) : (
        <ol aria-label="Waiting for a person, oldest first">
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
  // The server's own clock counts the age; this one only adds what has passed since.
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
    .every((word) => text.includes(word));
}
