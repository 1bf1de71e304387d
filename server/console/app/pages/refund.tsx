/** Refund page: what it needs, actions, attempts, details and timeline. */
import { Link } from '@tanstack/react-router';
import { useConfig, useMe, useRefund, useTimeline } from '../data/queries.js';
import type { ConsoleConfig, Refund } from '../data/shapes.js';
import { Age, Amount, Fact, Id, Moment, Outside, Panel } from '../parts/basics.js';
import { Actions } from '../parts/actions.js';
import { Attempts } from '../parts/attempts.js';
import { StateBadge } from '../parts/badges.js';
import { CardPanel } from '../parts/card-panel.js';
import { Destination } from '../parts/destination.js';
import { Loaded, PageFrame, Updated } from '../parts/page.js';
import { Timeline } from '../parts/timeline.js';
import { NeedsOperator } from '../parts/needs-operator.js';
import { capital, grouped, meaning, shortId, texts } from '../text.js';

export function RefundPage({ id }: { readonly id: string }) {
  const refund = useRefund(id);
  const { data } = refund;
  return (
    <PageFrame
      title={`Refund ${data?.orderId ?? shortId(id)}`}
      heading={
        data === undefined ? undefined : (
          <span className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
            <span>
              {data.askedFor === 'credit' ? 'Credit' : 'Refund'} of{' '}
              <Amount amount={data.amount} currency={data.currency} />
            </span>
            <StateBadge state={data.state} />
            <span className="text-sm font-normal text-quiet">
              <Age at={data.stateSince} />
            </span>
          </span>
        )
      }
      aside={<Updated at={refund.dataUpdatedAt} />}
    >
      <Loaded query={refund}>{(loaded) => <Details refund={loaded} />}</Loaded>
    </PageFrame>
  );
}

function Details({ refund }: { readonly refund: Refund }) {
  const timeline = useTimeline(refund.id);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 lg:grid-cols-[minmax(0,1fr)_23rem]">
      <div className="contents lg:grid lg:grid-cols-[minmax(0,1fr)] lg:gap-4">
        <div className="empty:hidden max-lg:order-1">
          <NeedsOperator refund={refund} />
        </div>
        <div className="max-lg:order-3">
          <Panel title="Attempts">
            <Attempts attempts={refund.attempts} currency={refund.currency} />
          </Panel>
        </div>
        <div className="max-lg:order-5">
          <Panel title="Timeline">
            <Loaded query={timeline}>{({ data }) => <Timeline entries={data} />}</Loaded>
          </Panel>
        </div>
      </div>
      <div className="contents lg:grid lg:grid-cols-[minmax(0,1fr)] lg:gap-4">
        <div className="max-lg:order-2">
          <Panel title="Actions">
            <Actions refund={refund} />
          </Panel>
        </div>
        <div className="max-lg:order-4">
          <Facts refund={refund} />
        </div>
        {refund.destination !== null && 'cardRef' in refund.destination ? (
          <div className="max-lg:order-4">
            <CardPanel refundId={refund.id} shown={refund.destination} />
          </div>
        ) : null}
      </div>
    </div>
  );
}

function Facts({ refund }: { readonly refund: Refund }) {
  const config = useConfig();
  const { data: me } = useMe();
  const workflow = workflowAddress(config, refund.workflowId);
  return (
    <Panel title="Details">
      <dl className="py-1.5">
        <Fact name="Refund">
          <Id id={refund.id} what="the refund's id" />
        </Fact>
        <Fact name="Payment">
          {refund.paymentId === null ? (
            'None (unlinked credit)'
          ) : (
            <Link
              to="/payments/$paymentId"
              params={{ paymentId: refund.paymentId }}
              className="text-accent underline"
            >
              <code className="text-[0.8125rem] break-all">{refund.paymentId}</code>
            </Link>
          )}
        </Fact>
        {refund.orderId === null ? null : <Fact name="Order">{refund.orderId}</Fact>}
        <Fact name="Reason">{capital(texts(refund.reason))}</Fact>
        <Fact name="Requested by">
          {refund.requestedBy}
          {refund.requestedBy === me?.name ? ' (you)' : ''}
        </Fact>
        <Fact name="Operation">{capital(refund.operation ?? 'none yet')}</Fact>
        <Fact name="Customer received">
          {refund.settlements.length === 0
            ? 'Nothing yet'
            : refund.settlements
                .map(({ by, amount }) => `${grouped(amount)} ${refund.currency} by ${texts(by)}`)
                .join(', ')}
        </Fact>
        {refund.destination === null ? null : (
          <Fact name="Destination">
            <Destination destination={refund.destination} />
          </Fact>
        )}
        {refund.why === null || refund.review !== null || refund.approval !== null ? null : (
          <Fact name="State reason">{meaning(refund.why)}</Fact>
        )}
        <Fact name="Requested">
          <Moment at={refund.createdAt} />
        </Fact>
        <Fact name="State since">
          <Moment at={refund.stateSince} />
        </Fact>
        <Fact name="Workflow">
          {workflow === null ? (
            <code className="text-[0.8125rem] break-all">{refund.workflowId}</code>
          ) : (
            <Outside href={workflow}>Open in Temporal</Outside>
          )}
        </Fact>
      </dl>
    </Panel>
  );
}

function workflowAddress(config: ConsoleConfig | undefined, workflowId: string): string | null {
  if (config?.temporalUi == null || !/^https?:\/\//u.test(config.temporalUi)) return null;
  const namespace = encodeURIComponent(config.namespace ?? 'default');
  return `${config.temporalUi.replace(/\/+$/u, '')}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
}
