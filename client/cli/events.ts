/** The commands `events list` and `events resend`: outgoing events and their deliveries. */
import {
  listDeliveries,
  resendEvents,
  type DeliveryState,
  type ResendFilter,
} from '../../ledger/outbox/deliveries.js';
import type { Tone } from '../state-tones.js';
import { eventOf, type OutboundEvent } from '../event-view.js';
import { EXIT, WrongUse, type ExitCode } from './exit.js';
import { run, printError, type OutputOptions } from './session.js';
import type { Screen } from './screen.js';
import { table, type Column } from './table.js';
import { toTheMinute } from './text.js';

export interface ListEventsOptions extends OutputOptions {
  readonly refund?: string | undefined;
  readonly state?: DeliveryState | undefined;
  readonly limit?: number | undefined;
}

export function listEvents(options: ListEventsOptions): Promise<ExitCode> {
  const { refund, state, limit } = options;
  return run(options, async ({ database, screen, print }) => {
    const records = await listDeliveries(database, {
      ...(refund === undefined ? {} : { refundId: refund }),
      ...(state === undefined ? {} : { state }),
      ...(limit === undefined ? {} : { limit }),
    });
    const events = records.map(eventOf);
    print(events, () => eventsText(events, screen));
    return EXIT.done;
  });
}

export interface ResendOptions {
  readonly refund?: string | undefined;
  readonly dead?: true | undefined;
  readonly json?: true | undefined;
}

/** Sends events again, under the same ids: a receiver ignores an event that it has. Moves no money, so it needs no confirmation. */
export async function resend(id: string | undefined, options: ResendOptions): Promise<ExitCode> {
  const operations: readonly ResendFilter[] = [
    ...(id === undefined ? [] : [{ id }]),
    ...(options.refund === undefined ? [] : [{ refundId: options.refund }]),
    ...(options.dead === undefined ? [] : [{ dead: true } as const]),
  ];
  const [which] = operations;
  if (which === undefined || operations.length > 1)
    return printError(
      options.json === true,
      new WrongUse([
        { field: 'ID', code: 'invalid', message: ', --refund or --dead: exactly one of them is needed' },
      ]),
    );
  return run(options, async ({ database, print, note }) => {
    const ids = await resendEvents(database, which);
    print({ resent: ids }, () => `${ids.length} events are sent again`);
    if (ids.length > 0 || 'dead' in which) return EXIT.done;
    note('there is no such event, or it is being delivered now');
    return EXIT.failed;
  });
}

const TONES: Readonly<Record<DeliveryState, Tone>> = { waiting: 'info', delivered: 'good', dead: 'bad' };

const EVENTS: readonly Column<OutboundEvent>[] = [
  { title: 'event', text: ({ id }) => id },
  { title: 'type', text: ({ type }) => type },
  { title: 'state', text: ({ state }) => state, tone: ({ state }) => TONES[state] },
  { title: 'tries', align: 'right', text: ({ tries }) => String(tries) },
  { title: 'created', text: ({ createdAt }) => createdAt, shorter: toTheMinute, leaves: 1 },
  { title: 'refund', text: ({ refundId }) => refundId, beneath: 1 },
  {
    title: 'last',
    text: ({ lastError, lastStatus }) => lastError ?? (lastStatus === null ? '' : String(lastStatus)),
    wraps: true,
    beneath: 1,
  },
  { title: 'next try', text: ({ nextTryAt }) => nextTryAt ?? '', shorter: toTheMinute, beneath: 1 },
];

export const eventsText = (events: readonly OutboundEvent[], screen: Screen): string =>
  events.length === 0 ? 'no events' : table(EVENTS, events, screen);
