/** Page frame, loading and error states. After navigation the heading gets the focus, so that a screen reader announces the page. */
import { useEffect, useRef, type ReactNode } from 'react';
import type { UseQueryResult } from '@tanstack/react-query';
import { ApiProblem } from '../data/request.js';
import { useNow } from '../now.js';
import { exactTime, span } from '../text.js';
import { Button } from './basics.js';

/** True after the first page was shown, which keeps the browser's own focus. */
let opened = false;

export function PageFrame({
  title,
  heading,
  aside,
  children,
}: {
  /** Title of the browser tab, and of the page unless `heading` is given. */
  readonly title: string;
  readonly heading?: ReactNode;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Refunds`;
  }, [title]);
  useEffect(() => {
    if (opened) ref.current?.focus();
    opened = true;
  }, []);
  return (
    <>
      <div className="mb-4 flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1">
        <h1 ref={ref} tabIndex={-1} className="min-w-0 text-xl font-semibold tracking-tight">
          {heading ?? title}
        </h1>
        {aside}
      </div>
      {children}
    </>
  );
}

/** Renders the data of a query, or its loading or error state. */
export function Loaded<T>({
  query,
  children,
}: {
  readonly query: Pick<UseQueryResult<T>, 'data' | 'error' | 'refetch'>;
  readonly children: (data: T) => ReactNode;
}) {
  const { data, error } = query;
  if (data === undefined)
    return error === null ? (
      <p role="status" className="px-4 py-10 text-center text-quiet">
        Loading…
      </p>
    ) : (
      <ErrorNote error={error} again={() => void query.refetch()} />
    );
  return (
    <>
      {error === null ? null : <ErrorNote error={error} again={() => void query.refetch()} stale />}
      {children(data)}
    </>
  );
}

export function ErrorNote({
  error,
  again,
  stale = false,
}: {
  readonly error: unknown;
  readonly again?: () => void;
  /** True if older data is shown below the error. */
  readonly stale?: boolean;
}) {
  return (
    <div
      role="alert"
      className="m-4 flex flex-wrap items-center justify-between gap-3 rounded-md bg-bad-soft px-3 py-2 text-sm text-bad"
    >
      <span className="min-w-0 break-words">
        {stale ? 'Could not refresh. ' : ''}
        {error instanceof Error ? error.message : 'Something went wrong.'}{' '}
        {error instanceof ApiProblem ? <code className="text-xs">{error.code}</code> : null}
      </span>
      {again === undefined ? null : <Button onClick={again}>Try again</Button>}
    </div>
  );
}

/** Time of the last successful refresh. */
export function Updated({ at }: { readonly at: number }) {
  const seconds = (useNow() - at) / 1000;
  if (at === 0) return null;
  const iso = new Date(at).toISOString();
  return (
    <p className="text-sm text-quiet">
      Updated{' '}
      <time dateTime={iso} title={exactTime(iso)}>
        {seconds < 5 ? 'just now' : `${span(seconds)} ago`}
      </time>
    </p>
  );
}
