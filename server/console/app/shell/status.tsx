/** Status badges: entities without v3 reporting, the live connection, and the result of the last audit. */
import { useAudit, useReporting } from '../data/queries.js';
import { useConnection, type Connection } from '../data/live.js';
import { Age } from '../parts/basics.js';

const CONNECTIONS: Readonly<
  Record<Connection, { readonly text: string; readonly dot: string; readonly title: string }>
> = {
  live: { text: 'Live', dot: 'fill-fill-refunded', title: 'Updates appear in real time.' },
  connecting: { text: 'Connecting', dot: 'fill-fill-reserved', title: 'Connecting to the service.' },
  lost: {
    text: 'Offline',
    dot: 'fill-fill-disputed',
    title: 'Connection lost. Reconnecting; until then the page refreshes every ten seconds.',
  },
};

export function LiveBadge() {
  const connection = useConnection();
  const { text, dot, title } = CONNECTIONS[connection];
  return (
    <span role="status" title={title} className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <svg viewBox="0 0 8 8" className="size-2" aria-hidden="true">
        <circle cx="4" cy="4" r="4" className={dot} />
      </svg>
      <span className={connection === 'live' ? 'max-sm:sr-only' : ''}>{text}</span>
    </span>
  );
}

export function AuditBadge() {
  const report = useAudit();
  if (report === undefined) return null;
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <span
        className={`rounded px-1.5 py-0.5 text-xs font-medium ${report.ok ? 'bg-good-soft text-good' : 'bg-bad-soft text-bad'}`}
      >
        {report.ok
          ? 'Audit passed'
          : report.violations === 0
            ? 'Audit incomplete'
            : `Audit: ${report.violations} ${report.violations === 1 ? 'violation' : 'violations'}`}
      </span>
      <Age at={report.at} className="text-xs text-quiet max-lg:hidden" />
    </span>
  );
}

export function ReportingBadge() {
  const entities = Object.keys(useReporting() ?? {});
  if (entities.length === 0) return null;
  return (
    <span
      title={`Without v3 reporting: ${entities.join(', ')}. Refunds work; credits, and the proof that a transaction is absent, need an operator.`}
      className="rounded bg-warn-soft px-1.5 py-0.5 text-xs font-medium whitespace-nowrap text-warn"
    >
      {entities.length === 1 ? 'No v3 reporting' : `No v3 reporting: ${entities.length} entities`}
    </span>
  );
}
