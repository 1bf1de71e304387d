/** Basic components of all pages: panels, amounts, times, ids, buttons and links. */
import { useId, useState, type ComponentProps, type ReactNode } from 'react';
import { useNow } from '../now.js';
import { exactTime, grouped, shortId, span } from '../text.js';

export function Panel({
  title,
  aside,
  children,
}: {
  readonly title: ReactNode;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="min-w-0 rounded-lg border border-line bg-panel">
      <header className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 border-b border-line px-4 py-2.5">
        <h2 id={id} className="font-semibold">
          {title}
        </h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** An amount with its currency in smaller type. */
export function Amount({
  amount,
  currency,
  strong = false,
}: {
  readonly amount: string;
  readonly currency: string;
  readonly strong?: boolean;
}) {
  return (
    <span className={`whitespace-nowrap tabular-nums ${strong ? 'font-semibold' : ''}`}>
      {grouped(amount)} <span className="text-xs font-normal text-quiet">{currency}</span>
    </span>
  );
}

/** A relative time ("5 min ago"), with the exact time as its title. */
export function Age({ at, className = '' }: { readonly at: string; readonly className?: string }) {
  const seconds = (useNow() - Date.parse(at)) / 1000;
  return (
    <time dateTime={at} title={exactTime(at)} className={`whitespace-nowrap ${className}`}>
      {seconds < 5 ? 'just now' : `${span(seconds)} ago`}
    </time>
  );
}

/** An exact time, for comparison with other systems' records, with the relative time as its title. */
export function Moment({ at }: { readonly at: string | null }) {
  const now = useNow();
  if (at === null) return <span className="text-quiet">Not yet</span>;
  return (
    <time dateTime={at} title={`${span((now - Date.parse(at)) / 1000)} ago`} className="whitespace-nowrap">
      {exactTime(at)}
    </time>
  );
}

/** An id as selectable text, with a button that copies the complete id. */
export function Id({
  id,
  what,
  short = false,
}: {
  readonly id: string;
  /** Name of the id in the button's label: `Copy the gateway id`. */
  readonly what: string;
  readonly short?: boolean;
}) {
  const [copied, setCopied] = useState(false);
  return (
    <span className="inline-flex max-w-full items-baseline gap-1">
      <code className={`text-[0.8125rem] ${short ? 'whitespace-nowrap' : 'break-all'}`} title={id}>
        {short ? shortId(id) : id}
      </code>
      <button
        type="button"
        aria-label={copied ? 'Copied' : `Copy ${what}`}
        className="relative z-10 -my-1 shrink-0 self-center rounded p-1 text-quiet hover:bg-raised hover:text-ink"
        onClick={() => {
          void navigator.clipboard.writeText(id).then(() => {
            setCopied(true);
            setTimeout(() => setCopied(false), 1_500);
          });
        }}
      >
        <svg viewBox="0 0 16 16" className="size-3.5" aria-hidden="true">
          <path
            d={copied ? 'm3 8.5 3.2 3.2L13 4.8' : 'M5.5 5.5h7v8h-7zM3.5 10.5v-8h7'}
            fill="none"
            stroke="currentColor"
            strokeWidth="1.5"
          />
        </svg>
      </button>
    </span>
  );
}

const BUTTONS = {
  primary: 'border-accent bg-accent text-on-accent hover:brightness-110',
  danger: 'border-bad bg-bad text-on-accent hover:brightness-110',
  plain: 'border-line bg-panel text-ink hover:bg-raised',
} as const;

export function Button({
  query = 'plain',
  className = '',
  ...rest
}: ComponentProps<'button'> & { readonly query?: keyof typeof BUTTONS }) {
  return (
    <button
      type="button"
      {...rest}
      className={`rounded-md border px-3 py-1.5 text-sm font-medium disabled:cursor-not-allowed disabled:opacity-55 ${BUTTONS[query]} ${className}`}
    />
  );
}

export const FIELD =
  'w-full min-w-0 rounded-md border border-edge bg-panel px-2.5 py-1.5 text-sm text-ink placeholder:text-quiet';

/** A label and its value, side by side on wide screens. */
export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="grid gap-x-3 px-4 py-1.5 sm:grid-cols-[8.5rem_minmax(0,1fr)]">
      <dt className="text-sm text-quiet">{name}</dt>
      <dd className="min-w-0 text-sm break-words">{children}</dd>
    </div>
  );
}

export function Empty({ children }: { readonly children: ReactNode }) {
  return <p className="px-4 py-10 text-center text-quiet">{children}</p>;
}

/** A link to another site. It opens a new tab that cannot access this page. */
export function Outside({ href, children }: { readonly href: string; readonly children: ReactNode }) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" className="text-accent underline">
      {children}
      <span aria-hidden="true"> ↗</span>
      <span className="sr-only"> (opens in a new tab)</span>
    </a>
  );
}
