/** All refunds, newest first, by what they are filtered for. */
import { Link } from '@tanstack/react-router';
import { PUBLIC_STATUS, REFUND_STATES } from '../../../../domain/states.js';
import { useRefunds, type RefundFilter } from '../data/queries.js';
import type { Refund } from '../data/shapes.js';
import { Age, Amount, Button, Empty, FIELD } from '../parts/basics.js';
import { StateBadge } from '../parts/badges.js';
import { Asked, PageFrame, Updated } from '../parts/page.js';
import { useRowKeys } from '../shortcuts.js';
import { capital, shortId, words } from '../text.js';

const STATUSES = [...new Set(Object.values(PUBLIC_STATUS))];

export function RefundsPage({
  filter,
  onFilter,
}: {
  readonly filter: RefundFilter;
  readonly onFilter: (filter: RefundFilter) => void;
}) {
  const refunds = useRefunds(filter);
  useRowKeys();
  const change = (name: keyof RefundFilter, value: string): void => {
    const { [name]: _, ...rest } = filter;
    onFilter(value === '' ? rest : { ...rest, [name]: value });
  };
  return (
    <PageFrame title="Refunds" aside={<Updated at={refunds.dataUpdatedAt} />}>
      <form
        className="mb-3 grid gap-2 sm:grid-cols-[10rem_12rem_minmax(0,24rem)]"
        onSubmit={(event) => event.preventDefault()}
      >
        <Choice
          label="Status"
          value={filter.status}
          options={STATUSES}
          onChange={(value) => change('status', value)}
        />
        <Choice
          label="State"
          value={filter.state}
          options={REFUND_STATES}
          onChange={(value) => change('state', value)}
        />
        <label className="text-sm">
          <span className="text-quiet">Payment</span>
          <input
            type="search"
            value={filter.paymentId ?? ''}
            onChange={(event) => change('paymentId', event.target.value.trim())}
            placeholder="id of the payment or capture"
            spellCheck={false}
            className={FIELD}
          />
        </label>
      </form>
      <div className="rounded-lg border border-line bg-panel">
        <Asked query={refunds}>
          {({ pages }) => (
            <Rows refunds={pages.flatMap(({ data }) => data)} filtered={Object.keys(filter).length > 0} />
          )}
        </Asked>
      </div>
      {refunds.hasNextPage ? (
        <div className="mt-3 text-center">
          <Button disabled={refunds.isFetchingNextPage} onClick={() => void refunds.fetchNextPage()}>
            {refunds.isFetchingNextPage ? 'Loading…' : 'Show older ones'}
          </Button>
        </div>
      ) : null}
    </PageFrame>
  );
}

function Choice({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: string | undefined;
  readonly options: readonly string[];
  readonly onChange: (value: string) => void;
}) {
  return (
    <label className="text-sm">
      <span className="text-quiet">{label}</span>
      <select value={value ?? ''} onChange={(event) => onChange(event.target.value)} className={FIELD}>
        <option value="">any</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {words(option)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Rows({ refunds, filtered }: { readonly refunds: readonly Refund[]; readonly filtered: boolean }) {
  if (refunds.length === 0)
    return <Empty>{filtered ? 'No refund fits these filters.' : 'No refund has been asked for yet.'}</Empty>;
  return (
    <ol aria-label="Refunds, newest first">
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
            {capital(words(refund.reason))}
          </span>
          <Age at={refund.createdAt} className="text-right text-sm text-quiet" />
        </li>
      ))}
    </ol>
  );
}
