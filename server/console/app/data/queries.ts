/** React Query hooks for the API calls of the pages. */
import {
  keepPreviousData,
  QueryCache,
  QueryClient,
  useInfiniteQuery,
  useQuery,
  type UseQueryResult,
} from '@tanstack/react-query';
import { signOut, useKey } from '../session.js';
import { cardPath } from './cards.js';
import { isLive } from './live.js';
import { ApiProblem, request } from './request.js';
import type {
  Action,
  AuditReport,
  Card,
  ConsoleConfig,
  CreditLimits,
  SearchResult,
  Me,
  Page,
  Payment,
  QueueItem,
  Readiness,
  Refund,
  TimelineEntry,
} from './shapes.js';

/** Polling interval in milliseconds while the stream is disconnected. */
const WITHOUT_STREAM = 10_000;
const TRIES = 2;

export const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof ApiProblem && error.status === 401)
        signOut('This key is no longer valid. It was revoked or has expired.');
    },
  }),
  defaultOptions: {
    queries: {
      // Only connection errors and server errors can go away by themselves.
      retry: (failures, error) =>
        failures < TRIES && error instanceof ApiProblem && (error.status === 0 || error.status >= 500),
      // Loopback and company networks work even if the browser reports that it is offline.
      networkMode: 'always',
      refetchInterval: ({ meta }) => (meta?.['live'] === true && !isLive() ? WITHOUT_STREAM : false),
    },
    mutations: { networkMode: 'always' },
  },
});

/** Marks queries to refetch after a change. */
const LIVE = { live: true };

function useApi<T>(path: string, enabled = true): UseQueryResult<T> {
  const key = useKey();
  return useQuery({
    queryKey: [path],
    queryFn: ({ signal }) => request<T>(path, { key, signal }),
    enabled: enabled && key !== '',
    meta: LIVE,
  });
}

export function useMe(): UseQueryResult<Me> {
  const key = useKey();
  return useQuery({
    queryKey: ['/v1/me'],
    queryFn: ({ signal }) => request<Me>('/v1/me', { key, signal }),
    enabled: key !== '',
    staleTime: Infinity,
  });
}

export const useQueue = (): UseQueryResult<Page<QueueItem>> => useApi('/v1/queue?limit=200');
export const useRefund = (id: string): UseQueryResult<Refund> => useApi(refundPath(id));
export const useTimeline = (id: string): UseQueryResult<Page<TimelineEntry>> =>
  useApi(`${refundPath(id)}/timeline`);
export const useActions = (id: string): UseQueryResult<Page<Action>> => useApi(`${refundPath(id)}/actions`);
export const usePayment = (id: string): UseQueryResult<Payment> =>
  useApi(`/v1/payments/${encodeURIComponent(id)}`);
export const useCard = (cardRef: string): UseQueryResult<Card> => useApi(cardPath(cardRef));
export const useSearch = (text: string): UseQueryResult<Page<SearchResult>> =>
  useApi(`/v1/search?q=${encodeURIComponent(text)}`, text !== '');

/** Returns the limits that a credit of this refund to this destination counts towards. */
export const useLimits = (
  { entityId, currency, paymentId, requestedBy }: Refund,
  destination: { readonly registrationId: string } | { readonly cardRef: string },
): UseQueryResult<Page<CreditLimits>> =>
  useApi(
    `/v1/limits?${new URLSearchParams({
      ...{ entityId, currency, requester: requestedBy },
      ...(paymentId === null ? {} : { paymentId }),
      ...('cardRef' in destination
        ? { cardRef: destination.cardRef }
        : { registrationId: destination.registrationId }),
    }).toString()}`,
  );

const refundPath = (id: string): string => `/v1/refunds/${encodeURIComponent(id)}`;

export interface RefundFilter {
  readonly status?: string;
  readonly state?: string;
  readonly paymentId?: string;
}

const PAGE = 50;

export function useRefunds({ status, state, paymentId }: RefundFilter) {
  const key = useKey();
  const filter = Object.entries({ status, state, paymentId }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return useInfiniteQuery({
    queryKey: ['/v1/refunds', filter],
    queryFn: ({ signal, pageParam }) =>
      request<Page<Refund>>(
        `/v1/refunds?${new URLSearchParams([
          ...filter,
          ['limit', String(PAGE)],
          ...(pageParam === null ? [] : [['cursor', pageParam]]),
        ]).toString()}`,
        { key, signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    placeholderData: keepPreviousData,
    enabled: key !== '',
    meta: LIVE,
  });
}

/** Refetches what the pages show, after a command. */
export const refetchPages = (): Promise<void> =>
  queries.invalidateQueries({ predicate: ({ meta }) => meta?.['live'] === true });

/** Returns the address of the Temporal UI, once loaded. Without it, links to workflows are omitted. */
export function useConfig(): ConsoleConfig | undefined {
  const { data } = useQuery({
    queryKey: ['config'],
    queryFn: ({ signal }) => request<ConsoleConfig>('/console/config.json', { key: '', signal }),
    staleTime: Infinity,
  });
  return data;
}

/** Returns the entities without v3 reporting. Undefined if there are none, or while the service is not ready. */
export function useReporting(): Readiness['reporting'] {
  const { data } = useQuery({
    queryKey: ['/readyz'],
    queryFn: ({ signal }) => request<Readiness>('/readyz', { key: '', signal }),
    refetchInterval: 60_000,
    retry: false,
  });
  return data?.reporting;
}

/** Returns the latest audit, or undefined before the first. */
export function useAudit(): AuditReport | undefined {
  const key = useKey();
  const { data } = useQuery({
    queryKey: ['/v1/audits/latest'],
    queryFn: ({ signal }) => request<AuditReport>('/v1/audits/latest', { key, signal }),
    enabled: key !== '',
    refetchInterval: 60_000,
    retry: false,
  });
  return data;
}
