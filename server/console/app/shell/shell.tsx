/** Layout of every page: navigation, search, status badges and the account menu. */
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode } from 'react';
import { followChanges } from '../data/live.js';
import { queries, useMe, useQueue } from '../data/queries.js';
import { Button } from '../parts/basics.js';
import { PageFrame } from '../parts/page.js';
import { prefer, usePreferences, type Theme } from '../preferences.js';
import { signOut, useKey } from '../session.js';
import { useShortcuts } from '../shortcuts.js';
import { Help } from './help.js';
import { SearchField, focusSearch } from './search-field.js';
import { AuditBadge, LiveBadge, ReportingBadge } from './status.js';

export function Shell() {
  const key = useKey();
  const navigate = useNavigate();
  const [help, setHelp] = useState(false);

  useEffect(() => {
    const leaving = new AbortController();
    void followChanges(key, queries, leaving.signal);
    return () => leaving.abort();
  }, [key]);

  useShortcuts({
    '/': focusSearch,
    '?': () => setHelp(true),
    'g q': () => void navigate({ to: '/' }),
    'g r': () => void navigate({ to: '/refunds' }),
    'g c': () => void navigate({ to: '/credit' }),
  });

  return (
    <>
      <a
        href="#content"
        className="absolute top-2 left-2 z-30 -translate-y-20 rounded-md bg-accent px-3 py-1.5 text-on-accent focus:translate-y-0"
      >
        Skip to content
      </a>
      <header className="sticky top-0 z-20 border-b border-line bg-panel">
        <div className="mx-auto flex max-w-7xl flex-wrap items-center gap-x-2 gap-y-2 px-4 py-2 sm:gap-x-5">
          <nav aria-label="Main" className="flex items-center gap-1">
            <NavLink to="/">
              Queue <QueueCount />
            </NavLink>
            <NavLink to="/refunds">Refunds</NavLink>
            <NavLink to="/credit">New credit</NavLink>
          </nav>
          <div className="order-last w-full sm:order-none sm:w-auto sm:flex-1">
            <SearchField />
          </div>
          <div className="ml-auto flex items-center gap-x-2 text-sm sm:gap-x-4">
            <ReportingBadge />
            <AuditBadge />
            <LiveBadge />
            <AccountMenu onHelp={() => setHelp(true)} />
          </div>
        </div>
      </header>
      <main id="content" className="mx-auto max-w-7xl px-4 py-5">
        <Outlet />
      </main>
      <Help open={help} onClose={() => setHelp(false)} />
    </>
  );
}

export function NotFound() {
  return (
    <PageFrame title="Page not found">
      <p className="text-quiet">
        There is no page at this address.{' '}
        <Link to="/" className="text-accent underline">
          Go to the queue
        </Link>
      </p>
    </PageFrame>
  );
}

function NavLink({
  to,
  children,
}: {
  readonly to: '/' | '/refunds' | '/credit';
  readonly children: ReactNode;
}) {
  return (
    <Link
      to={to}
      activeOptions={{ exact: true, includeSearch: false }}
      className="rounded-md px-2 py-1.5 font-medium whitespace-nowrap text-quiet hover:bg-raised hover:text-ink aria-[current=page]:bg-raised aria-[current=page]:text-ink"
    >
      {children}
    </Link>
  );
}

function QueueCount() {
  const { data } = useQueue();
  const count = data?.data.length ?? 0;
  if (count === 0) return null;
  return (
    <span className="ml-1 rounded-full bg-warn-soft px-1.5 py-0.5 text-xs font-semibold text-warn tabular-nums">
      {data?.nextCursor == null ? count : `${count}+`}
      <span className="sr-only"> waiting</span>
    </span>
  );
}

function AccountMenu({ onHelp }: { readonly onHelp: () => void }) {
  const { data: me } = useMe();
  const { theme } = usePreferences();
  return (
    <>
      <button
        type="button"
        popoverTarget="account"
        className="flex items-center gap-1.5 rounded-md border border-line px-2.5 py-1 hover:bg-raised"
      >
        <span className="max-w-32 truncate font-medium max-sm:max-w-20">{me?.name ?? '…'}</span>
        <span className="sr-only">: account and settings</span>
        <svg viewBox="0 0 16 16" className="size-3 text-quiet" aria-hidden="true">
          <path d="m3 6 5 5 5-5" fill="none" stroke="currentColor" strokeWidth="2" />
        </svg>
      </button>
      <div
        id="account"
        popover="auto"
        className="fixed top-13 right-4 left-auto m-0 w-64 rounded-lg border border-line bg-panel p-3 text-ink shadow-lg"
      >
        <p className="font-medium break-words">{me?.name}</p>
        <p className="text-quiet">
          Roles: {me === undefined ? '…' : [...new Set(['read', ...me.roles])].join(', ')}
        </p>
        <label className="mt-3 flex items-center justify-between gap-3">
          Theme
          <select
            value={theme}
            onChange={(event) => {
              const chosen = THEMES.find((one) => one === event.target.value);
              if (chosen !== undefined) prefer({ theme: chosen });
            }}
            className="rounded-md border border-edge bg-panel px-2 py-1"
          >
            <option value="system">System</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </label>
        <div className="mt-3 flex justify-between gap-2 border-t border-line pt-3">
          <Button popoverTarget="account" onClick={onHelp}>
            Shortcuts
          </Button>
          <Button
            onClick={() => {
              queries.clear();
              signOut();
            }}
          >
            Sign out
          </Button>
        </div>
      </div>
    </>
  );
}

const THEMES: readonly Theme[] = ['system', 'light', 'dark'];
