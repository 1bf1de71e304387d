/** Payment page: balances, refunds, disputes and timeline. */
import { usePayment } from '../data/queries.js';
import type { Payment } from '../data/shapes.js';
import { Amount, Empty, Id, Moment, Panel } from '../parts/basics.js';
import { Badge } from '../parts/badges.js';
import { MoneyBar } from '../parts/balance-bar.js';
import { Loaded, PageFrame, Updated } from '../parts/page.js';
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
      <Loaded query={payment}>{(data) => <Details payment={data} />}</Loaded>
    </PageFrame>
  );
}

/** Returns a label for each refund: its order id if no other refund here has the same, else its short id. */
function labelsOf({ refunds }: Payment): ReadonlyMap<string, string> {
  return new Map(
    refunds.map(({ id, orderId }) => {
      const isOnly = refunds.filter((one) => one.orderId === orderId).length === 1;
      return [id, orderId !== null && isOnly ? orderId : shortId(id)];
    }),
  );
}

function Details({ payment }: { readonly payment: Payment }) {
  return (
    <div className="grid gap-4">
      <Panel title="Balances">
        <MoneyBar payment={payment} />
      </Panel>
      <Panel title="Refunds">
        {payment.refunds.length === 0 ? (
          <Empty>No refunds have been requested for this payment.</Empty>
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
                  {dispute.isOver ? 'reversed' : Number(dispute.reversed) > 0 ? 'partly reversed' : 'open'}
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
        <Timeline entries={payment.timeline} orders={labelsOf(payment)} />
      </Panel>
    </div>
  );
}
