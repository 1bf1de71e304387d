/** Routes of the console. URLs contain filters and searches, so that they can be shared, but never a key. */
import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { NewCreditPage } from './pages/new-credit.js';
import { PaymentPage } from './pages/payment.js';
import { QueuePage, type QueueFilter } from './pages/queue.js';
import { RefundPage } from './pages/refund.js';
import { RefundsPage } from './pages/refunds.js';
import { SearchPage } from './pages/search.js';
import { NotFound, Shell } from './shell/shell.js';
import type { RefundFilter } from './data/queries.js';

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const queueRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  validateSearch: (search): QueueFilter => texts(search, ['q', 'case']),
  component: function Queue() {
    const navigate = queueRoute.useNavigate();
    return (
      <QueuePage
        filter={queueRoute.useSearch()}
        onFilter={(filter) => void navigate({ search: filter, replace: true })}
      />
    );
  },
});

const refundsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/refunds',
  validateSearch: (search): RefundFilter => texts(search, ['status', 'state', 'paymentId']),
  component: function Refunds() {
    const navigate = refundsRoute.useNavigate();
    return (
      <RefundsPage
        filter={refundsRoute.useSearch()}
        onFilter={(filter) => void navigate({ search: filter, replace: true })}
      />
    );
  },
});

const refundRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/refunds/$refundId',
  component: function Refund() {
    const { refundId } = refundRoute.useParams();
    return <RefundPage key={refundId} id={refundId} />;
  },
});

const newCreditRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/credit',
  component: function NewCredit() {
    const navigate = newCreditRoute.useNavigate();
    return (
      <NewCreditPage
        onDone={(refundId) =>
          void navigate({ to: '/refunds/$refundId', params: { refundId }, replace: true })
        }
      />
    );
  },
});

const paymentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/payments/$paymentId',
  component: function Payment() {
    const { paymentId } = paymentRoute.useParams();
    return <PaymentPage key={paymentId} id={paymentId} />;
  },
});

const searchRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/search',
  validateSearch: (search): { q?: string } => texts(search, ['q']),
  component: function Search() {
    return <SearchPage text={searchRoute.useSearch().q ?? ''} />;
  },
});

export const router = createRouter({
  basepath: '/console',
  routeTree: rootRoute.addChildren([
    queueRoute,
    refundsRoute,
    refundRoute,
    newCreditRoute,
    paymentRoute,
    searchRoute,
  ]),
  // Values stay strings, so that an id of digits is not parsed as a number.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(
      Object.entries(search).flatMap(([name, value]) =>
        typeof value === 'string' && value !== '' ? [[name, value]] : [],
      ),
    ).toString();
    return text === '' ? '' : `?${text}`;
  },
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

/** Returns the non-empty string parameters with the given names. */
function texts<Name extends string>(
  search: Readonly<Record<string, unknown>>,
  names: readonly Name[],
): { [name in Name]?: string } {
  const known: { [name in Name]?: string } = {};
  for (const name of names) {
    const value = search[name];
    if (typeof value === 'string' && value !== '') known[name] = value;
  }
  return known;
}
