/** What happens to processes, servers and connections while refunds are under way. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../simulation/world/random.js';
import type { Machine } from './machine.js';
import type { Meddling } from './meddling.js';
import type { Notes } from './notes.js';

export interface Disasters {
  readonly machine: Machine;
  readonly meddling: Meddling;
  readonly random: Random;
  readonly notes: Notes;
  readonly over: AbortSignal;
  /** How many orders have reached the gateway. */
  readonly orders: () => number;
  /** What an operator does with a refund that stands still: ends its run and starts another. */
  readonly runAgain: (refundId: string) => Promise<void>;
  /** Told what happens, as it happens. */
  readonly say: (what: string) => void;
}

/** Longer than the send window, and than the silence after which Temporal gives an activity to somebody else. */
const FROZEN_MS = { least: 11_000, most: 15_000 };
const CAUGHT_WITHIN_MS = 8_000;
const HELD_AFTER_MS = 2_000;
const TAKEN_OVER_WITHIN_MS = 60_000;
const PAUSE_MS = { least: 500, most: 6_000 };
/** How often the next one waits until the last one is over and money moves again: without it little would ever be sent. */
const WAITS = 0.75;
const WAIT_MS = 20_000;
const MOVES_AGAIN = 5;

type Disaster = (disasters: Disasters, freezer: Freezer) => Promise<void>;

/** Every kind comes once before any comes again; when, and in which order, is chance. Ends with everybody thawed. */
export async function runDisasters(disasters: Disasters): Promise<void> {
  const { random, notes, over, say } = disasters;
  const freezer = new Freezer(disasters.machine);
  const isOver = (): boolean => over.aborted;
  try {
    let round: Kind[] = [];
    while (!isOver()) {
      if (round.length === 0) round = shuffled(random);
      // While one worker is frozen the other has to be there, or nobody would take over.
      const index = round.findIndex(({ takesWorker }) => takesWorker !== true || !freezer.isBusy());
      if (index === -1) {
        await freezer.thawed();
        continue;
      }
      const [next] = round.splice(index, 1);
      if (next === undefined) continue;
      if (random.chance(WAITS)) await movesAgain(disasters);
      await sleep(random.spread(PAUSE_MS.least, PAUSE_MS.most));
      if (isOver()) break;
      say(next.name);
      notes.fault(next.name);
      try {
        await next.happens(disasters, freezer);
      } catch (error) {
        // A connection of ours was cut as well, or its server is just coming back.
        say(`${next.name}: ${error instanceof Error ? error.message : 'failed'}`);
      }
    }
  } finally {
    await freezer.thawed();
  }
}

/** At most one worker is frozen at a time: with all of them frozen nobody would take over. */
class Freezer {
  readonly #machine: Machine;
  #thawing: Promise<void> = Promise.resolve();
  #isBusy = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Stops the worker now, and resumes it when `enough` resolves, while other things happen. */
  freeze(name: string, enough: () => Promise<void>): void {
    const worker = this.#machine.workers.find((one) => one.name === name)?.process;
    const pid = worker?.pid();
    if (this.#isBusy || worker === undefined || pid === undefined) return;
    this.#isBusy = true;
    process.kill(pid, 'SIGSTOP');
    this.#thawing = enough()
      .catch(() => undefined)
      .then(() => {
        this.#isBusy = false;
        // It may have died meanwhile, and its number may be another's.
        if (worker.pid() === pid) process.kill(pid, 'SIGCONT');
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

/** A deployment: told to end, while it works. */
const endWorker: Disaster = async ({ machine, random }) => {
  kill(machine, random, 'SIGTERM');
};

const killAllWorkers: Disaster = async ({ machine }) => {
  for (const worker of machine.workers) {
    const pid = worker.process.pid();
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }
};

const freezeWorker: Disaster = async ({ machine, random, over }, freezer) => {
  const worker = machine.workers[random.between(0, machine.workers.length - 1)];
  const ms = random.between(FROZEN_MS.least, FROZEN_MS.most);
  if (worker !== undefined) freezer.freeze(worker.name, () => sleep(ms, undefined, { signal: over }));
};

/**
 * The zombie: it has opened an attempt, holds its order in hand, and sleeps until somebody else has proven that nothing of it arrived
 * and has sent it again. Then it wakes up.
 */
const freezeBeforeSend: Disaster = async (disasters, freezer) => {
  const { meddling, random, notes, over, runAgain } = disasters;
  const caught = await meddling.catchCommit(CAUGHT_WITHIN_MS);
  if (caught === undefined) return;
  notes.fault('worker caught between commit and send');
  const late = random.between(0, 1_000);
  freezer.freeze(caught, async () => {
    // Its commit is over by then, and what other workers have opened is answered.
    await sleep(HELD_AFTER_MS, undefined, { signal: over });
    const held = await meddling.submitting();
    // By itself it takes longer: Temporal goes on handing tasks to the frozen worker, and waits out each of them.
    for (const { refundId } of held) void runAgain(refundId).catch(() => undefined);
    const ids = held.map(({ id }) => id);
    const deadline = performance.now() + TAKEN_OVER_WITHIN_MS;
    while (performance.now() < deadline) {
      await sleep(200, undefined, { signal: over });
      if (ids.length === 0 || !(await meddling.isResent(ids).catch(() => false))) continue;
      notes.fault('worker resumed after somebody else had sent its order');
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

const cutConnections: Disaster = async ({ meddling }) => {
  await meddling.cutConnections();
};

const fillDisk: Disaster = ({ meddling, random }) => meddling.fillDisk(random.pick([1, 1, 3, 10]));

interface Kind {
  readonly name: string;
  readonly happens: Disaster;
  readonly takesWorker?: true;
}

const DISASTERS: readonly Kind[] = [
  { name: 'worker killed', happens: killWorker, takesWorker: true },
  { name: 'worker killed', happens: killWorker, takesWorker: true },
  { name: 'worker ended in order', happens: endWorker, takesWorker: true },
  { name: 'all workers killed at once', happens: killAllWorkers, takesWorker: true },
  { name: 'worker frozen and resumed', happens: freezeWorker, takesWorker: true },
  { name: 'worker frozen before its send', happens: freezeBeforeSend, takesWorker: true },
  { name: 'Temporal killed', happens: crashTemporal },
  { name: 'Temporal and a worker killed', happens: crashTemporalAndWorker, takesWorker: true },
  { name: 'PostgreSQL killed', happens: crashDatabase },
  { name: 'connections cut', happens: cutConnections },
  { name: 'disk full', happens: fillDisk },
];

async function movesAgain({ machine, over, orders }: Disasters): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  const before = orders();
  const isDown = (): boolean => machine.workers.some((worker) => worker.process.pid() === undefined);
  while ((isDown() || orders() < before + MOVES_AGAIN) && !over.aborted && performance.now() < deadline)
    await sleep(100);
}

function kill(machine: Machine, random: Random, signal: 'SIGKILL' | 'SIGTERM'): void {
  const pid = machine.workers[random.between(0, machine.workers.length - 1)]?.process.pid();
  if (pid !== undefined) process.kill(pid, signal);
}

function shuffled(random: Random): Kind[] {
  return DISASTERS.map((kind) => ({ kind, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ kind }) => kind);
}
