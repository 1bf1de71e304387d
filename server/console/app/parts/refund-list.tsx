/** List of refunds as links: amount, state, order, reason and age. */
import { Link } from '@tanstack/react-router';
import type { Refund } from '../data/shapes.js';
import { capital, shortId, texts } from '../text.js';
import { Age, Amount } from './basics.js';
import { StateBadge } from './badges.js';

export function RefundList({
  refunds,
  label,
}: {
  readonly refunds: readonly Refund[];
  readonly label: string;
}) {
  return (
    <ol aria-label={label}>
      {refunds.map((refund) => (
        <li
          key={refund.id}
          className="relative grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-4 gap-y-0.5 border-b border-line px-4 py-2.5 first:rounded-t-lg last:rounded-b-lg last:border-0 focus-within:bg-raised hover:bg-raised md:grid-cols-[8rem_9.5rem_minmax(0,1fr)_minmax(0,1fr)_7rem]"
        >
          <span className="text-right max-md:text-left">
            <Amount amount={refund.amount} currency={refund.currency} strong />
          </span>
          <span className="max-md:text-right">
            <StateBadge state={refund.state} />
          </span>
          <Link
            to="/refunds/$refundId"
            params={{ refundId: refund.id }}
            data-row=""
            className="min-w-0 truncate after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent"
          >
            {refund.orderId ?? shortId(refund.id)}
          </Link>
          <span className="min-w-0 truncate text-sm text-quiet max-md:col-span-2 max-md:row-start-3">
            {capital(texts(refund.reason))}
          </span>
          <Age at={refund.createdAt} className="text-right text-sm text-quiet" />
        </li>
      ))}
    </ol>
  );
}
