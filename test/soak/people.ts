/** Everybody who speaks while refunds are under way: operators, second persons, the gateway's notices, banks, and its portal. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { RefundsError, type Refund, type RefundsClient } from '../../client/index.js';
import { CommandRefused } from '../../sandbox/gateway/commands.js';
import type { SimulatedGateway } from '../../sandbox/gateway/rules.js';
import { gatewayNotice, refundWorkflowId } from '../../workflows/contract.js';
import type { Random } from '../simulation/world/random.js';
import { CLERK } from './load.js';
import { lookUpFault } from './moods.js';
import { add, type Notes } from './notes.js';

export interface People {
  readonly client: RefundsClient;
  readonly temporal: Client;
  readonly gateway: SimulatedGateway;
  readonly random: Random;
  readonly notes: Notes;
  readonly over: AbortSignal;
}

const PAUSE = { least: 80, most: 1_200 };
const MOST_AT_ONCE = 20;
const word = { reason: 'soak' };

/** Says something to a refund that was accepted lately, again and again, whether it fits or not. */
export async function runPeople(people: People): Promise<void> {
  const { random, notes, over } = people;
  const running = new Set<Promise<void>>();
  while (!over.aborted) {
    await sleep(random.spread(PAUSE.least, PAUSE.most));
    const recent = [...notes.accepted.keys()].slice(-40);
    const id = recent[random.between(0, Math.max(0, recent.length - 1))];
    if (id === undefined || running.size >= MOST_AT_ONCE) continue;
    const act = random.pick(ACTS);
    const spoken = act(people, id)
      .catch((error: unknown) => {
        // Refused, or somebody is away just now: both are what this is about. Anything that must not be accepted is checked where it is said.
        notes.fault(
          error instanceof RefundsError ? `operator refused: ${error.code}` : 'operator: no answer',
        );
      })
      .finally(() => running.delete(spoken));
    running.add(spoken);
  }
  await Promise.all(running);
}

type Act = (people: People, refundId: string) => Promise<void>;

const notice: Act = async ({ temporal, random, notes }, id) => {
  notes.fault('notice');
  const handle = temporal.workflow.getHandle(refundWorkflowId(id));
  await handle.signal(gatewayNotice);
  if (random.chance(0.5)) await handle.signal(gatewayNotice);
};

const unknownNotice: Act = async ({ temporal, notes }) => {
  notes.fault('notice for an unknown refund');
  await temporal.workflow.getHandle(refundWorkflowId(crypto.randomUUID())).signal(gatewayNotice);
};

const withdraw: Act = async ({ client, notes }, id) => {
  notes.fault('withdrawal tried');
  const refund = await client.withdraw(id, { by: 'operator', ...word });
  if (refund.state === 'canceled') notes.withdrawn.add(id);
};

const resolve: Act = async ({ client, notes }, id) => {
  notes.fault('looked up by an operator');
  await client.resolve(id);
};

const terminate: Act = async (people, id) => {
  const { random } = people;
  await runAgain(people, id, random.chance(0.7) ? random.spread(10, 2_000) : 0);
};

/** An operator's repair: the run is gone, and a new one finds in the ledger what the last one knew. */
export async function runAgain(
  { client, temporal, notes }: Pick<People, 'client' | 'temporal' | 'notes'>,
  refundId: string,
  pauseMs: number,
): Promise<void> {
  notes.fault('run terminated');
  await temporal.workflow.getHandle(refundWorkflowId(refundId)).terminate('soak');
  await sleep(pauseMs);
  await client.resolve(refundId);
}

const decide: Act = async (people, _id) => {
  const { client, random } = people;
  for (const refund of await client.listRefunds({ state: 'awaiting_approval', limit: 20 }))
    if (random.chance(0.7)) await decideOn(people, refund);
};

/** A second person's word on what is shown now. */
export async function decideOn(
  { client, random, notes }: Pick<People, 'client' | 'random' | 'notes'>,
  refund: Refund,
) {
  if (refund.approval === null) return;
  const { instruction } = refund.approval;
  switch (random.pick(['yes', 'yes', 'yes', 'no', 'own', 'other'])) {
    case 'yes':
      notes.fault('credit approved');
      await client.approve(refund.id, { by: 'second person', instruction, ...word });
      return;
    case 'no':
      notes.fault('credit refused by a person');
      await client.reject(refund.id, { by: 'second person', instruction, ...word });
      return;
    case 'own':
      notes.fault('approval by whoever asked');
      // Answered where a second person has said the same already; whose word counts is in the tables.
      await client.approve(refund.id, { by: CLERK, instruction, ...word });
      return;
    default:
      notes.fault('approval of another instruction');
      await client.approve(refund.id, { by: 'second person', instruction: '0'.repeat(32), ...word });
      notes.wrong.push(`refund ${refund.id}: an instruction was approved that nobody was shown`);
  }
}

/** What a scheduled sweep does: whatever was accepted while Temporal was away is started. */
const resume: Act = async ({ client, notes }) => {
  notes.fault('unfinished refunds resumed');
  await client.resume();
};

const chargeback: Act = async ({ gateway, random, notes }, id) => {
  await outside(notes, 'chargeback', () => {
    const found = captureOf(notes, gateway, random, id);
    if (found === undefined) return false;
    gateway.chargeback({ paymentId: found });
    return true;
  });
};

const wonDispute: Act = async ({ gateway, random, notes }) => {
  await outside(notes, 'chargeback reversed', () => {
    const disputes = gateway.transactions().filter(({ type }) => type === 'CB');
    const dispute = disputes[random.between(0, Math.max(0, disputes.length - 1))];
    if (dispute === undefined) return false;
    gateway.reverseChargeback(dispute.id);
    return true;
  });
};

const portalRefund: Act = async ({ gateway, random, notes }, id) => {
  await outside(notes, 'refund in the portal', () => {
    const found = captureOf(notes, gateway, random, id);
    const amount = gateway.transactions().find((transaction) => transaction.id === found)?.amount;
    if (found === undefined || amount === undefined) return false;
    gateway.refundInPortal({
      paymentId: found,
      amount: (amount * BigInt(random.pick([10, 50, 100]))) / 100n,
    });
    return true;
  });
};

const blindLookUps: Act = async ({ gateway, random, notes }) => {
  notes.fault('look-ups of everybody disturbed');
  gateway.setFault({ times: random.between(1, 6), effect: lookUpFault(random) });
  add(notes.rules, 'look_up');
};

/** The debit itself or one of the captures. */
function captureOf(notes: Notes, gateway: SimulatedGateway, random: Random, id: string): string | undefined {
  const paymentId = notes.accepted.get(id)?.paymentId;
  const captures = gateway
    .transactions()
    .filter((one) => one.type === 'CP' && (one.referencedId === paymentId || one.id === paymentId));
  if (captures.length === 0) return paymentId;
  return captures[random.between(0, captures.length - 1)]?.id;
}

async function outside(notes: Notes, kind: string, act: () => boolean): Promise<void> {
  try {
    if (act()) notes.fault(kind);
  } catch (error) {
    // The gateway refuses it too: nothing left, or disputed already.
    if (!(error instanceof CommandRefused)) throw error;
  }
}

const ACTS: readonly [Act, ...Act[]] = [
  ...([notice, notice, notice, unknownNotice, withdraw, withdraw, resolve, resolve, terminate] as const),
  ...([decide, decide, decide, resume, chargeback, wonDispute, portalRefund, blindLookUps] as const),
];
