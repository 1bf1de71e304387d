/** Refunds page: all refunds, newest first, with filters. */
import { PUBLIC_STATUS, REFUND_STATES } from '../../../../domain/refund/states.js';
import { useRefunds, type RefundFilter } from '../data/queries.js';
import type { Refund } from '../data/shapes.js';
import { Button, Empty, FIELD } from '../parts/basics.js';
import { Loaded, PageFrame, Updated } from '../parts/page.js';
import { RefundList } from '../parts/refund-list.js';
import { useRowKeys } from '../shortcuts.js';
import { texts } from '../text.js';

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
            placeholder="Payment or capture id"
            spellCheck={false}
            className={FIELD}
          />
        </label>
      </form>
      <div className="rounded-lg border border-line bg-panel">
        <Loaded query={refunds}>
          {({ pages }) => (
            <Rows refunds={pages.flatMap(({ data }) => data)} filtered={Object.keys(filter).length > 0} />
          )}
        </Loaded>
      </div>
      {refunds.hasNextPage ? (
        <div className="mt-3 text-center">
          <Button disabled={refunds.isFetchingNextPage} onClick={() => void refunds.fetchNextPage()}>
            {refunds.isFetchingNextPage ? 'Loading…' : 'Load more'}
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
        <option value="">All</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {texts(option)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Rows({ refunds, filtered }: { readonly refunds: readonly Refund[]; readonly filtered: boolean }) {
  if (refunds.length === 0)
    return (
      <Empty>{filtered ? 'No refunds match these filters.' : 'No refunds have been requested yet.'}</Empty>
    );
  return <RefundList refunds={refunds} label="Refunds, newest first" />;
}
