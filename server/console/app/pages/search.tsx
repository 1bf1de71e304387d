/** Search page. A single result is opened immediately; otherwise the results are listed. */
import { Link, Navigate } from '@tanstack/react-router';
import { useSearch } from '../data/queries.js';
import type { SearchResult } from '../data/shapes.js';
import { Amount, Empty } from '../parts/basics.js';
import { StateBadge } from '../parts/badges.js';
import { Loaded, PageFrame } from '../parts/page.js';
import { useRowKeys } from '../shortcuts.js';

const MATCHED: Readonly<Record<string, string>> = {
  refundId: 'refund id',
  paymentId: 'payment id',
  merchantTransactionId: 'reference',
  gatewayId: 'gateway id',
  orderId: 'order id',
  idempotencyKey: 'idempotency key',
};

export function SearchPage({ text }: { readonly text: string }) {
  const found = useSearch(text);
  useRowKeys();
  const [only, ...more] = found.data?.data ?? [];
  if (only !== undefined && more.length === 0) return <Open found={only} />;
  return (
    <PageFrame title="Search" heading={<span className="break-all">Search: {text}</span>}>
      <div className="rounded-lg border border-line bg-panel">
        {text === '' ? (
          <Empty>Enter an id in the search field above.</Empty>
        ) : (
          <Loaded query={found}>{({ data }) => <Hits hits={data} />}</Loaded>
        )}
      </div>
    </PageFrame>
  );
}

function Open({ found }: { readonly found: SearchResult }) {
  return found.kind === 'refund' ? (
    <Navigate to="/refunds/$refundId" params={{ refundId: found.id }} replace />
  ) : (
    <Navigate to="/payments/$paymentId" params={{ paymentId: found.id }} replace />
  );
}

function Hits({ hits }: { readonly hits: readonly SearchResult[] }) {
  if (hits.length === 0)
    return (
      <Empty>
        No refund or payment has exactly this id, reference, gateway id, order id or idempotency key. Check
        that the id is complete.
      </Empty>
    );
  return (
    <ul>
      {hits.map((hit) => (
        <li
          key={`${hit.kind}-${hit.id}-${hit.matched}`}
          className="relative flex flex-wrap items-baseline gap-x-4 gap-y-1 border-b border-line px-4 py-2.5 last:border-0 focus-within:bg-raised hover:bg-raised"
        >
          <HitLink hit={hit} />
          {hit.refund === undefined ? null : (
            <>
              <span className="w-28 text-right max-sm:text-left">
                <Amount amount={hit.refund.amount} currency={hit.refund.currency} strong />
              </span>
              <span className="sm:w-36">
                <StateBadge state={hit.refund.state} />
              </span>
            </>
          )}
          <span className="text-sm text-quiet">matched by {MATCHED[hit.matched] ?? hit.matched}</span>
        </li>
      ))}
    </ul>
  );
}

function HitLink({ hit }: { readonly hit: SearchResult }) {
  const query =
    'min-w-0 break-all after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent';
  return hit.kind === 'refund' ? (
    <Link to="/refunds/$refundId" params={{ refundId: hit.id }} data-row="" className={query}>
      Refund <code className="text-[0.8125rem]">{hit.id}</code>
    </Link>
  ) : (
    <Link to="/payments/$paymentId" params={{ paymentId: hit.id }} data-row="" className={query}>
      Payment <code className="text-[0.8125rem]">{hit.id}</code>
    </Link>
  );
}
