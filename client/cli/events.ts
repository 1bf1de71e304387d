/** `events list`, `events resend`: what was told to the caller, and telling it again. */
import Table from 'cli-table3';
import {
  listDeliveries,
  resendEvents,
  type DeliveryState,
  type ResendFilter,
} from '../../ledger/outbox/deliveries.js';
import { eventOf, type OutboundEvent } from '../event-view.js';
import { EXIT, WrongUse, type ExitCode } from './exit.js';
import { run, tell } from './session.js';

export interface ListEventsOptions {
  readonly refund?: string | undefined;
  readonly state?: DeliveryState | undefined;
  readonly limit?: number | undefined;
  readonly json?: true | undefined;
}

export function listEvents({ refund, state, limit, json }: ListEventsOptions): Promise<ExitCode> {
  return run(json === true, async ({ database, print }) => {
    const records = await listDeliveries(database, {
      ...(refund === undefined ? {} : { refundId: refund }),
      ...(state === undefined ? {} : { state }),
      ...(limit === undefined ? {} : { limit }),
    });
    const events = records.map(eventOf);
    print(events, () => eventsText(events));
    return EXIT.done;
  });
}

export interface ResendOptions {
  readonly refund?: string | undefined;
  readonly dead?: true | undefined;
  readonly json?: true | undefined;
}

/** No money moves by it, so nothing is confirmed: a receiver knows an event that it has by its id. */
export async function resend(id: string | undefined, options: ResendOptions): Promise<ExitCode> {
  const operations: readonly ResendFilter[] = [
    ...(id === undefined ? [] : [{ id }]),
    ...(options.refund === undefined ? [] : [{ refundId: options.refund }]),
    ...(options.dead === undefined ? [] : [{ dead: true } as const]),
  ];
  const [which] = operations;
  if (which === undefined || operations.length > 1)
    return tell(
      options.json === true,
      new WrongUse([
        { field: 'ID', code: 'invalid', message: 'or --refund or --dead: exactly one of them is needed' },
      ]),
    );
  return run(options.json === true, async ({ database, print, note }) => {
    const ids = await resendEvents(database, which);
    print({ resent: ids }, () => `${ids.length} events are sent again`);
    if (ids.length > 0 || 'dead' in which) return EXIT.done;
    note('there is no such event, or it is being sent just now');
    return EXIT.failed;
  });
}

function eventsText(events: readonly OutboundEvent[]): string {
  if (events.length === 0) return 'no events';
  const table = new Table({
    head: ['event', 'type', 'refund', 'state', 'tries', 'last', 'created', 'next try'],
    style: { head: [], border: [] },
  });
  for (const event of events)
    table.push([
      event.id,
      event.type,
      event.refundId,
      event.state,
      String(event.tries),
      event.lastError ?? (event.lastStatus === null ? '–' : String(event.lastStatus)),
      event.createdAt,
      event.nextTryAt ?? '–',
    ]);
  return table.toString();
}
