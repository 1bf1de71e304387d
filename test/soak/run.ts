/** One soak run: load and disasters for a while; then all parts are restored and the books are compared. */
import { openRefundsClient } from '../../client/index.js';
import { openDatabase } from '../../ledger/db/database.js';
import { allRefunds } from '../../sandbox/demo/books.js';
import { readSettings } from '../../settings/read.js';
import { openClient } from '../../temporal/connection.js';
import { Random } from '../simulation/harness/random.js';
import { runClient } from './events-receiver.js';
import { runDisasters } from './disasters.js';
import { eventsByEnd, eventVerdicts, type EventEvidence } from './event-verdicts.js';
import { openHttp } from './http.js';
import { runLoad } from './load.js';
import { startMachine, type Machine } from './machine.js';
import { meddleWith } from './meddling.js';
import { add, Notes } from './notes.js';
import { operatorVerdicts } from './operator-verdicts.js';
import { runAgain, runOperators } from './operators.js';
import { REPAIRS } from './repairs.js';
import {
  notificationsByEnd,
  notificationsInProgress,
  serviceVerdicts,
  type ServiceEvidence,
} from './service-verdicts.js';
import { settle, settleDoubts, settleCommands, reportRest } from './settling.js';
import { verdictsOf, type Evidence, type Verdict } from './verdicts.js';
import { Watch, type Progress } from './watch.js';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** New intents per second, at most. Each makes one to five requests. */
  readonly rate: number;
  /** Called about once a second. */
  readonly onProgress: (progress: Progress) => void;
  /** Ends the run early and stops everything. */
  readonly signal?: AbortSignal;
  /** Receives a line for each thing that happens. */
  readonly print: (line: string) => void;
}

/** Plain data, ready for JSON. */
export interface SoakResult {
  readonly seed: number;
  readonly minutes: number;
  readonly seconds: { readonly load: number; readonly settling: number };
  readonly calls: {
    readonly asked: number;
    readonly failed: number;
    readonly doubtsSettled: number;
    readonly refused: Readonly<Record<string, number>>;
  };
  /** Calls over HTTP by status; `none`: no answer came. */
  readonly apiAnswers: Readonly<Record<string, number>>;
  /** Notifications of the gateway by final state. */
  readonly notifications: Readonly<Record<string, number>>;
  /** Events to the client's endpoint by final state, with the number of posts and of resent events. */
  readonly events: Readonly<Record<string, number>>;
  readonly refunds: readonly { readonly state: string; readonly operation: string; readonly count: number }[];
  readonly reasons: Readonly<Record<string, number>>;
  readonly disasters: Readonly<Record<string, number>>;
  readonly gatewayFaults: Readonly<Record<string, number>>;
  readonly gatewayRequests: Readonly<Record<string, number>>;
  readonly verdicts: readonly Verdict[];
  readonly holds: boolean;
}

const SETTLED_WITHIN_MS = 240_000;

/** Throws if the machine cannot be started or restored. Wrong money is in the verdicts. */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const machine = await startMachine(options.print);
  try {
    return await runOn(machine, options);
  } finally {
    await machine.stop();
  }
}

async function runOn(machine: Machine, options: SoakOptions): Promise<SoakResult> {
  const { seed, rate, print } = options;
  const notes = new Notes();
  const { engine } = machine.gateway;
  const database = openDatabase(machine.databaseUrl);
  const settings = readSettings(machine.env);
  const { temporal, close: closeTemporal } = openClient(machine.env, settings.codec);
  const opened = openRefundsClient(settings, machine.env);
  const watch = new Watch({ machine, notes, database, onProgress: options.onProgress });
  const events: EventEvidence = { database, client: machine.client };
  const service: ServiceEvidence = { database, gateway: machine.gateway, notes };
  const evidence: Evidence = {
    database,
    ledger: opened.ledger,
    gateway: engine,
    notes,
    arrivals: watch.arrivals,
    sendWindow: settings.configFor(settings.entities[0].id).timings.sendWindow,
  };
  try {
    const meddling = await meddleWith(database);
    const http = await openHttp(machine.api.url, database, notes);
    const ending = new AbortController();
    const over =
      options.signal === undefined ? ending.signal : AbortSignal.any([ending.signal, options.signal]);
    const common = { client: opened.client, http, gateway: engine, notes, over };
    const actors = { ...common, temporal, webhooks: machine.webhooks };
    const started = performance.now();
    watch.begin('load', started + options.minutes * 60_000);
    const acting = Promise.all([
      runLoad({ ...common, rate, backlog: () => watch.backlog(), random: new Random(seed * 4) }),
      runOperators({ ...actors, random: new Random(seed * 4 + 1) }, REPAIRS),
      runClient({ client: machine.client, notes, over, random: new Random(seed * 4 + 5) }),
      runDisasters({
        machine,
        meddling,
        notes,
        over,
        orders: () => watch.orders(),
        runAgain: (refundId) => runAgain({ client: opened.client, temporal, notes }, refundId, 0),
        random: new Random(seed * 4 + 2),
        print: (what) => {
          watch.lastDisaster = what;
        },
      }),
    ]);
    const enough = setTimeout(() => {
      ending.abort();
    }, options.minutes * 60_000);
    try {
      await acting;
    } finally {
      // A part that fails ends the others too.
      clearTimeout(enough);
      ending.abort();
    }

    options.signal?.throwIfAborted();

    const repaired = performance.now();
    // Faults for orders that are still to come stay: each happens once or twice.
    for (const { id, effect } of engine.faults())
      if (effect.kind === 'query') {
        engine.clearFault(id);
        add(notes.rules, effect.kind, -1);
      }
    print('no more disasters; all parts are restored');
    watch.begin('settling', repaired + SETTLED_WITHIN_MS);
    await machine.allBack();
    await meddling.remove();
    const settledDoubts = await settleDoubts([opened.client, http], notes, database);
    await settleCommands(notes);
    // No refund is resumed here: the sweep starts those that were accepted and not started.
    const deadline = performance.now() + SETTLED_WITHIN_MS;
    watch.begin('settling', deadline);
    const operators = { ...actors, random: new Random(seed * 4 + 3) };
    let resent = 0;
    // The gateway reports the latest decisions a little later.
    do {
      await settle(
        { evidence, service, operators, gatewayUrl: machine.gateway.url },
        deadline,
        options.signal,
      );
      resent += await reportRest(events, http, deadline);
      options.signal?.throwIfAborted();
    } while ((await notificationsInProgress(service)) > 0 && performance.now() < deadline);
    await watch.end();

    const refunds = await allRefunds(opened.ledger);
    const verdicts = [
      ...(await verdictsOf(evidence)),
      ...(await operatorVerdicts(evidence)),
      ...(await serviceVerdicts(service)),
      ...(await eventVerdicts(events)),
      { name: 'invariants while it went on', wrong: [...watch.violations] },
    ];
    const byStateAndOperation = new Map<string, number>();
    const reasons = new Map<string, number>();
    for (const { state, attempts, why } of refunds) {
      const operation =
        attempts.find((attempt) => attempt.state === 'succeeded')?.operation ??
        attempts.at(-1)?.operation ??
        'none';
      add(byStateAndOperation, `${state} ${operation}`);
      if (why !== null && state !== 'succeeded') add(reasons, `${state}: ${why}`);
    }
    return {
      seed,
      minutes: options.minutes,
      seconds: {
        load: secondsBetween(started, repaired),
        settling: secondsBetween(repaired, performance.now()),
      },
      calls: {
        asked: notes.asked,
        failed: notes.failedCalls,
        doubtsSettled: settledDoubts,
        refused: sorted(notes.refusedAs),
      },
      apiAnswers: sorted(notes.apiAnswers),
      notifications: sorted(await notificationsByEnd(service)),
      events: { ...sorted(await eventsByEnd(database)), posts: machine.client.posts(), resent },
      refunds: [...byStateAndOperation].sort(byCount).map(([key, count]) => {
        const [state = '', operation = ''] = key.split(' ');
        return { state, operation, count };
      }),
      reasons: sorted(reasons),
      disasters: sorted(notes.faults),
      gatewayFaults: sorted(rulesMet(notes, machine)),
      gatewayRequests: sorted(watch.requests),
      verdicts,
      holds: verdicts.every(({ wrong }) => wrong.length === 0),
    };
  } finally {
    await watch.end();
    await Promise.all([opened.close(), closeTemporal(), database.close()]);
  }
}

/** Counts the rules that an order or a query met. Rules that still wait have had no effect. */
function rulesMet(notes: Notes, { gateway }: Machine): ReadonlyMap<string, number> {
  const met = new Map(notes.rules);
  for (const rule of gateway.engine.faults()) add(met, rule.effect.kind, -1);
  return met;
}

const byCount = (a: readonly [string, number], b: readonly [string, number]): number => b[1] - a[1];
const sorted = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort(byCount));
const secondsBetween = (from: number, to: number): number => Math.round((to - from) / 1_000);
