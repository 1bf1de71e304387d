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
  /** Told what happens, as it happens. */
  readonly say: (what: string) => void;
}

/** Longer than the send window, and than the silence after which Temporal gives an activity to somebody else. */
const FROZEN_MS = { least: 11_000, most: 15_000 };
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
      const next = round.shift();
      if (next === undefined) continue;
      // While one is frozen the others' turn comes first.
      if (next.freezes === true && freezer.isBusy() && round.some((other) => other.freezes !== true)) {
        round.push(next);
        continue;
      }
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

  /** Stops the worker now and resumes it later, while other things happen. */
  freeze(name: string, ms: number): void {
    const worker = this.#machine.workers.find((one) => one.name === name)?.process;
    const pid = worker?.pid();
    if (this.#isBusy || worker === undefined || pid === undefined) return;
    this.#isBusy = true;
    process.kill(pid, 'SIGSTOP');
    this.#thawing = sleep(ms).then(() => {
      this.#isBusy = false;
      // It may have been killed meanwhile, and its number may be another's.
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

const freezeWorker: Disaster = async ({ machine, random }, freezer) => {
  await freezer.thawed();
  const worker = machine.workers[random.between(0, machine.workers.length - 1)];
  if (worker !== undefined) freezer.freeze(worker.name, random.between(FROZEN_MS.least, FROZEN_MS.most));
};

/** The zombie: it has opened an attempt, holds its order in hand, and sleeps until somebody else has dealt with it. */
const freezeBeforeSend: Disaster = async ({ meddling, random, notes }, freezer) => {
  await freezer.thawed();
  const caught = await meddling.catchCommit(4_000);
  if (caught === undefined) return;
  freezer.freeze(caught, random.between(FROZEN_MS.least, FROZEN_MS.most));
  notes.fault('worker caught between commit and send');
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
  /** Takes a worker away for long. */
  readonly freezes?: true;
}

const DISASTERS: readonly Kind[] = [
  { name: 'worker killed', happens: killWorker },
  { name: 'worker killed', happens: killWorker },
  { name: 'worker ended in order', happens: endWorker },
  { name: 'all workers killed at once', happens: killAllWorkers },
  { name: 'worker frozen and resumed', happens: freezeWorker, freezes: true },
  { name: 'worker frozen before its send', happens: freezeBeforeSend, freezes: true },
  { name: 'Temporal killed', happens: crashTemporal },
  { name: 'Temporal and a worker killed', happens: crashTemporalAndWorker },
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
