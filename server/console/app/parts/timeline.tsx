/** Timeline of a refund or payment, oldest entry first: requests, attempts, responses, queries, notifications and decisions. */
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { TimelineEntry } from '../data/shapes.js';
import { capital, shortId, texts } from '../text.js';
import { Empty, Moment } from './basics.js';
import { Badge, type Tone } from './badges.js';

const TONES: readonly (readonly [RegExp, Tone])[] = [
  [/succeeded|settled|approved/u, 'good'],
  [/rejected|declined|failed|returned|refused/u, 'bad'],
  [/dispute|chargeback|case|unknown|review|approval|excess/u, 'warn'],
];
/** Frequent entries that stay in the background. */
const QUIET: readonly string[] = ['query', 'webhook'];
const toneOf = (type: string): Tone =>
  QUIET.includes(type) ? 'still' : (TONES.find(([pattern]) => pattern.test(type))?.[1] ?? 'info');

/** Label of an entry: `refund.fallback_checking` → `Fallback checking`. The prefix is omitted because nearly all are about a refund. */
const nameOf = (type: string): string => capital(texts(type.replace(/^refund\./u, '').replace('.', ' ')));

/** Queries are many and matter little once the outcome is known, so they can be hidden. */
const isQuery = ({ type }: TimelineEntry): boolean => type === 'query';

export function Timeline({
  entries,
  orders,
}: {
  readonly entries: readonly TimelineEntry[];
  /** Labels of the refunds, where several share one timeline. */
  readonly orders?: ReadonlyMap<string, string>;
}) {
  const [withQueries, setWithQueries] = useState(true);
  const queryCount = entries.filter(isQuery).length;
  if (entries.length === 0) return <Empty>No events yet.</Empty>;
  const shown = withQueries ? entries : entries.filter((entry) => !isQuery(entry));
  return (
    <>
      {queryCount === 0 ? null : (
        <label className="flex items-center gap-2 border-b border-line px-4 py-2 text-sm text-quiet">
          <input type="checkbox" checked={withQueries} onChange={() => setWithQueries(!withQueries)} />
          Show gateway queries ({queryCount})
        </label>
      )}
      <ol className="divide-y divide-line text-sm">
        {shown.map((entry) => (
          <Entry key={entry.id} entry={entry} orders={orders} />
        ))}
      </ol>
    </>
  );
}

function Entry({
  entry,
  orders,
}: {
  readonly entry: TimelineEntry;
  readonly orders: ReadonlyMap<string, string> | undefined;
}) {
  const details = Object.entries(entry.data).filter(([, value]) => value !== null && value !== '');
  const { refundId } = entry;
  return (
    <li className="relative grid gap-x-4 px-4 py-2 md:grid-cols-[11rem_minmax(0,1fr)]">
      <span className="text-quiet tabular-nums">
        <Moment at={entry.at} />
      </span>
      <div className="min-w-0 pr-6">
        <p className="break-words">
          <Badge tone={toneOf(entry.type)}>{nameOf(entry.type)}</Badge> {entry.text}
          <span className="text-quiet">
            {entry.actor === '' ? '' : ` · ${entry.actor}`}
            {orders === undefined || refundId === null ? null : (
              <>
                {' · '}
                <Link to="/refunds/$refundId" params={{ refundId }} className="underline">
                  {orders.get(refundId) ?? shortId(refundId)}
                </Link>
              </>
            )}
          </span>
        </p>
        {details.length === 0 ? null : (
          <details className="group">
            <summary
              aria-label={`Details: ${nameOf(entry.type)}`}
              className="absolute top-2 right-3 cursor-pointer list-none rounded p-1 text-quiet hover:bg-raised hover:text-ink"
            >
              <svg
                viewBox="0 0 16 16"
                className="size-3.5 transition-transform group-open:rotate-180"
                aria-hidden="true"
              >
                <path d="m3 6 5 5 5-5" fill="none" stroke="currentColor" strokeWidth="1.5" />
              </svg>
            </summary>
            <dl className="mt-1 grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-xs">
              {details.map(([name, value]) => (
                <div key={name} className="contents">
                  <dt className="text-quiet">{name}</dt>
                  <dd className="font-mono break-all">
                    {typeof value === 'string' ? value : JSON.stringify(value)}
                  </dd>
                </div>
              ))}
            </dl>
          </details>
        )}
      </div>
    </li>
  );
}
