/** Kills, freezes and cuts processes, servers and connections while refunds are under way. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeProcess } from '../../sandbox/node-process.js';
import type { Random } from '../simulation/harness/random.js';
import type { Machine } from './machine.js';
import type { Meddling } from './meddling.js';
import type { Notes } from './notes.js';

export interface Disasters {
  readonly machine: Machine;
  readonly meddling: Meddling;
  readonly random: Random;
  readonly notes: Notes;
  readonly over: AbortSignal;
  /** Number of orders that have reached the gateway. */
  readonly orders: () => number;
  /** Ends the run of a refund and starts another, as an operator does when it is stuck. */
  readonly runAgain: (refundId: string) => Promise<void>;
  /** Receives the name of each disaster as it happens. */
  readonly print: (what: string) => void;
}

/** Longer than the send window, and than the silence after which Temporal gives an activity to another worker. */
const FROZEN_MS = { least: 11_000, most: 15_000 };
const CAUGHT_WITHIN_MS = 8_000;
const HELD_AFTER_MS = 2_000;
const TAKEN_OVER_WITHIN_MS = 60_000;
const PAUSE_MS = { least: 500, most: 6_000 };
/** Share of disasters before which money moves again: without it little would ever be sent. */
const WAITS = 0.75;
const WAIT_MS = 20_000;
const MOVES_AGAIN = 5;

/** Shorter and longer than clients wait for an answer. */
const API_FROZEN_MS = { least: 2_000, most: 14_000 };

interface Freezers {
  readonly workers: Freezer;
  readonly api: Freezer;
}

type Disaster = (disasters: Disasters, freezers: Freezers) => Promise<void>;

/** Runs each kind once before any comes again, at random times in random order. Ends with all processes resumed. */
export async function runDisasters(disasters: Disasters): Promise<void> {
  const { random, notes, over, print } = disasters;
  const freezers: Freezers = { workers: new Freezer(), api: new Freezer() };
  const isOver = (): boolean => over.aborted;
  try {
    let round: Kind[] = [];
    while (!isOver()) {
      if (round.length === 0) round = shuffled(random);
      // While one worker is frozen the other must run, or no worker would take over.
      const index = round.findIndex(({ takes }) => takes === undefined || !freezers[takes].isBusy());
      if (index === -1) {
        const busy = Object.values(freezers).filter((freezer: Freezer) => freezer.isBusy());
        await Promise.race(busy.map((freezer: Freezer) => freezer.thawed()));
        continue;
      }
      const [next] = round.splice(index, 1);
      if (next === undefined) continue;
      if (random.chance(WAITS)) await movesAgain(disasters);
      await sleep(random.spread(PAUSE_MS.least, PAUSE_MS.most));
      if (isOver()) break;
      print(next.name);
      notes.fault(next.name);
      try {
        await next.happens(disasters, freezers);
      } catch (error) {
        // A connection of this process was cut as well, or its server is just restarting.
        print(`${next.name}: ${error instanceof Error ? error.message : 'failed'}`);
      }
    }
  } finally {
    await Promise.all([freezers.workers.thawed(), freezers.api.thawed()]);
  }
}

/** Freezes at most one of its processes at a time: with all workers frozen no worker would take over. */
class Freezer {
  #thawing: Promise<void> = Promise.resolve();
  #isBusy = false;

  /** Stops the process now. Resumes it in the background when `enough` resolves. */
  freeze(frozen: NodeProcess | undefined, enough: () => Promise<void>): void {
    const pid = frozen?.pid();
    if (this.#isBusy || frozen === undefined || pid === undefined) return;
    this.#isBusy = true;
    process.kill(pid, 'SIGSTOP');
    this.#thawing = enough()
      .catch(() => undefined)
      .then(() => {
        this.#isBusy = false;
        // The process may have died meanwhile, and its pid may belong to another.
        if (frozen.pid() === pid) process.kill(pid, 'SIGCONT');
      });
  }

  isBusy(): boolean {
    return this.#isBusy;
  }

  thawed(): Promise<void> {
    return this.#thawing;
  }
}

const killWorker: Disaster = async ({ machine, random }) => {
  kill(machine, random, 'SIGKILL');
};

/** Ends a worker in order while it works, as a deployment does. */
const endWorker: Disaster = async ({ machine, random }) => {
  kill(machine, random, 'SIGTERM');
};

const killAllWorkers: Disaster = async ({ machine }) => {
  for (const worker of machine.workers) signal(worker.process, 'SIGKILL');
};

const freezeWorker: Disaster = async ({ machine, random, over }, { workers }) => {
  const worker = machine.workers[random.between(0, machine.workers.length - 1)];
  const ms = random.between(FROZEN_MS.least, FROZEN_MS.most);
  workers.freeze(worker?.process, () => sleep(ms, undefined, { signal: over }));
};

/**
 * Freezes a worker that has opened an attempt and not sent its order. It resumes after another worker has proven that the order never
 * arrived and has sent it again.
 */
const freezeBeforeSend: Disaster = async (disasters, { workers }) => {
  const { machine, meddling, random, notes, over, runAgain } = disasters;
  const caught = await meddling.catchCommit(CAUGHT_WITHIN_MS);
  if (caught === undefined) return;
  notes.fault('worker caught between commit and send');
  const late = random.between(0, 1_000);
  workers.freeze(machine.workers.find(({ name }) => name === caught)?.process, async () => {
    // By then its commit is done, and the attempts of other workers are answered.
    await sleep(HELD_AFTER_MS, undefined, { signal: over });
    const held = await meddling.submitting();
    // Without help it takes longer: Temporal keeps dispatching tasks to the frozen worker and waits for each to time out.
    for (const { refundId } of held) void runAgain(refundId).catch(() => undefined);
    const ids = held.map(({ id }) => id);
    const deadline = performance.now() + TAKEN_OVER_WITHIN_MS;
    while (performance.now() < deadline) {
      await sleep(200, undefined, { signal: over });
      if (ids.length === 0 || !(await meddling.isResent(ids).catch(() => false))) continue;
      notes.fault('worker resumed after another worker had sent its order');
      break;
    }
    await sleep(late, undefined, { signal: over });
  });
};

const crashTemporal: Disaster = ({ machine, random }) => machine.crashTemporal(random.spread(50, 2_000));
const crashDatabase: Disaster = ({ machine, random }) => machine.crashDatabase(random.spread(50, 4_000));

const crashTemporalAndWorker: Disaster = async ({ machine, random }) => {
  kill(machine, random, 'SIGKILL');
  await machine.crashTemporal(random.spread(50, 1_000));
};

const killApi: Disaster = async ({ machine }) => {
  signal(machine.api.process, 'SIGKILL');
};

const endApi: Disaster = async ({ machine }) => {
  signal(machine.api.process, 'SIGTERM');
};

const freezeApi: Disaster = async ({ machine, random, over }, { api }) => {
  const ms = random.between(API_FROZEN_MS.least, API_FROZEN_MS.most);
  api.freeze(machine.api.process, () => sleep(ms, undefined, { signal: over }));
};

/** Leaves a refund accepted and not started: Temporal is down, and the API that knows of it is killed. */
const crashTemporalAndApi: Disaster = async ({ machine, random }) => {
  const back = machine.crashTemporal(random.spread(1_000, 4_000));
  await sleep(random.spread(300, 900));
  signal(machine.api.process, 'SIGKILL');
  await back;
};

const cutConnections: Disaster = async ({ meddling }) => {
  await meddling.cutConnections();
};

const fillDisk: Disaster = ({ meddling, random }) => meddling.fillDisk(random.pick([1, 1, 3, 10]));

interface Kind {
  readonly name: string;
  readonly happens: Disaster;
  /** Does not run while one of these is frozen. */
  readonly takes?: keyof Freezers;
}

const DISASTERS: readonly Kind[] = [
  { name: 'worker killed', happens: killWorker, takes: 'workers' },
  { name: 'worker killed', happens: killWorker, takes: 'workers' },
  { name: 'worker ended in order', happens: endWorker, takes: 'workers' },
  { name: 'all workers killed at once', happens: killAllWorkers, takes: 'workers' },
  { name: 'worker frozen and resumed', happens: freezeWorker, takes: 'workers' },
  { name: 'worker frozen before its send', happens: freezeBeforeSend, takes: 'workers' },
  { name: 'Temporal killed', happens: crashTemporal },
  { name: 'Temporal and a worker killed', happens: crashTemporalAndWorker, takes: 'workers' },
  { name: 'API killed', happens: killApi, takes: 'api' },
  { name: 'API ended in order', happens: endApi, takes: 'api' },
  { name: 'API frozen and resumed', happens: freezeApi, takes: 'api' },
  { name: 'Temporal and the API killed', happens: crashTemporalAndApi, takes: 'api' },
  { name: 'PostgreSQL killed', happens: crashDatabase },
  { name: 'connections cut', happens: cutConnections },
  { name: 'disk full', happens: fillDisk },
];

async function movesAgain({ machine, over, orders }: Disasters): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  const before = orders();
  const isDown = (): boolean =>
    [...machine.workers, machine.api].some((one) => one.process.pid() === undefined);
  while ((isDown() || orders() < before + MOVES_AGAIN) && !over.aborted && performance.now() < deadline)
    await sleep(100);
}

function kill(machine: Machine, random: Random, how: 'SIGKILL' | 'SIGTERM'): void {
  signal(machine.workers[random.between(0, machine.workers.length - 1)]?.process, how);
}

function signal(to: NodeProcess | undefined, how: 'SIGKILL' | 'SIGTERM'): void {
  const pid = to?.pid();
  if (pid !== undefined) process.kill(pid, how);
}

function shuffled(random: Random): Kind[] {
  return DISASTERS.map((kind) => ({ kind, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ kind }) => kind);
}
