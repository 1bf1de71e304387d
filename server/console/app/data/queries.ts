/** What the pages ask the API for, each question once. */
import {
  keepPreviousData,
  QueryCache,
  QueryClient,
  useInfiniteQuery,
  useQuery,
  type UseQueryResult,
} from '@tanstack/react-query';
import { signOut, useKey } from '../session.js';
import { isLive } from './live.js';
import { ApiProblem, request } from './request.js';
import type {
  Action,
  AuditReport,
  ConsoleConfig,
  SearchResult,
  Me,
  Page,
  Payment,
  QueueItem,
  Readiness,
  Refund,
  TimelineEntry,
} from './shapes.js';

/** How often a page asks while it cannot hear of changes, in milliseconds. */
const WITHOUT_STREAM = 10_000;
const TRIES = 2;

export const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof ApiProblem && error.status === 401)
        signOut('The service no longer accepts this key: it was revoked or has expired.');
    },
  }),
  defaultOptions: {
    queries: {
      // A refusal stays a refusal; a connection or a server that is away comes back.
      retry: (failures, error) =>
        failures < TRIES && error instanceof ApiProblem && (error.status === 0 || error.status >= 500),
      // Loopback and company networks work without what the browser calls being online.
      networkMode: 'always',
      refetchInterval: ({ meta }) => (meta?.['live'] === true && !isLive() ? WITHOUT_STREAM : false),
    },
    mutations: { networkMode: 'always' },
  },
});

/** Marks what a change elsewhere may change. */
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
export const useSearch = (text: string): UseQueryResult<Page<SearchResult>> =>
  useApi(`/v1/search?q=${encodeURIComponent(text)}`, text !== '');

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

/** Where Temporal's own pages are. Nothing depends on it: without it the links are not there. */
export function useConfig(): ConsoleConfig | undefined {
  const { data } = useQuery({
    queryKey: ['config'],
    queryFn: ({ signal }) => request<ConsoleConfig>('/console/config.json', { key: '', signal }),
    staleTime: Infinity,
  });
  return data;
}

/** Entities whose account has no v3 reporting; undefined while the service is not ready to say. */
export function useReporting(): Readiness['reporting'] {
  const { data } = useQuery({
    queryKey: ['/readyz'],
    queryFn: ({ signal }) => request<Readiness>('/readyz', { key: '', signal }),
    refetchInterval: 60_000,
    retry: false,
  });
  return data?.reporting;
}

/** The audit's last report, or undefined where there is none yet. */
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
