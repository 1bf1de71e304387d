/** One payment: how its money is divided, and everything that ever happened to it. */
import { usePayment } from '../data/queries.js';
import type { Payment } from '../data/shapes.js';
import { Amount, Empty, Id, Moment, Panel } from '../parts/basics.js';
import { Badge } from '../parts/badges.js';
import { MoneyBar } from '../parts/money-bar.js';
import { Asked, PageFrame, Updated } from '../parts/page.js';
import { RefundList } from '../parts/refund-list.js';
import { Timeline } from '../parts/timeline.js';
import { useRowKeys } from '../shortcuts.js';
import { shortId } from '../text.js';

export function PaymentPage({ id }: { readonly id: string }) {
  const payment = usePayment(id);
  useRowKeys();
  return (
    <PageFrame
      title={`Payment ${shortId(id)}`}
      heading={
        <>
          Payment <Id id={payment.data?.id ?? id} what="the payment's id" />
        </>
      }
      aside={<Updated at={payment.dataUpdatedAt} />}
    >
      <Asked query={payment}>{(data) => <Whole payment={data} />}</Asked>
    </PageFrame>
  );
}

/** An order's id says more than a refund's, where it is the only one of that order here. */
function namesOf({ refunds }: Payment): ReadonlyMap<string, string> {
  return new Map(
    refunds.map(({ id, orderId }) => {
      const isOnly = refunds.filter((one) => one.orderId === orderId).length === 1;
      return [id, orderId !== null && isOnly ? orderId : shortId(id)];
    }),
  );
}

function Whole({ payment }: { readonly payment: Payment }) {
  return (
    <div className="grid gap-4">
      <Panel title="Money">
        <MoneyBar payment={payment} />
      </Panel>
      <Panel title="Refunds">
        {payment.refunds.length === 0 ? (
          <Empty>No refund was asked for on this payment.</Empty>
        ) : (
          <RefundList refunds={payment.refunds} label="Refunds of this payment" />
        )}
      </Panel>
      {payment.disputes.length === 0 ? null : (
        <Panel title="Disputes">
          <ul className="divide-y divide-line text-sm">
            {payment.disputes.map((dispute) => (
              <li key={dispute.id} className="flex flex-wrap items-baseline gap-x-4 px-4 py-2">
                <span className="w-32 text-right">
                  <Amount amount={dispute.amount} currency={payment.currency} strong />
                </span>
                <Badge tone={dispute.isOver ? 'good' : 'bad'}>
                  {dispute.isOver ? 'won back' : Number(dispute.reversed) > 0 ? 'partly won back' : 'stands'}
                </Badge>
                <Id id={dispute.id} what="the chargeback's id" short />
                <span className="text-quiet">
                  <Moment at={dispute.at} />
                </span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <Panel title="Timeline">
        <Timeline entries={payment.timeline} orders={namesOf(payment)} />
      </Panel>
    </div>
  );
}
