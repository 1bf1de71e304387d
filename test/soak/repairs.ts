/** Persons with evidence in hand, at bad moments and two at once: adopt, correct, redirect, and run a refund again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Refund } from '../../client/index.js';
import { isFinal } from '../../domain/refund/states.js';
import { CommandRefused } from '../../sandbox/gateway/controls.js';
import type { SimulatedGateway } from '../../sandbox/gateway/simulated-gateway.js';
import { isRefusal } from './asking.js';
import { OPERATOR, SECOND, SECOND_OPERATOR, type EntryPoint } from './http.js';
import { hundredthsOf, isCurrency } from './money.js';
import type { Act, Operators } from './operators.js';

const note = { reason: 'soak' };
const EVIDENCE = "acquirer's letter of the soak run";

/** Answers of a kind that only wrong input brings about: none of what is said here is. */
const NEVER: ReadonlySet<string> = new Set([
  ...(['invalid_request', 'refund_not_found', 'payment_unknown', 'illegal_transition'] as const),
  ...(['idempotency_key_reused', 'reference_taken'] as const),
]);

/** Said once, and written down: taken, refused with a code, or open because no answer came; then it is said again at the end. */
async function print(
  { client, http, random, notes }: Operators,
  what: string,
  speak: (entryPoint: EntryPoint) => Promise<unknown>,
): Promise<void> {
  const entryPoint = random.pick<EntryPoint>([client, http]);
  try {
    await speak(entryPoint);
    notes.fault(what);
  } catch (error) {
    if (!isRefusal(error)) {
      notes.fault(`${what}: no answer`);
      notes.unanswered.push({ what, again: () => speak(entryPoint) });
      return;
    }
    notes.fault(`${what}: ${error.code}`);
    if (NEVER.has(error.code)) notes.wrong.push(`${what}: ${error.message}`);
  }
}

/** One operator, or two at the same time. */
async function byOneOrTwo(operators: Operators, speak: (by: string) => Promise<void>): Promise<void> {
  const both = [OPERATOR, SECOND_OPERATOR];
  const speaking = operators.random.chance(0.4) ? both : [operators.random.pick([OPERATOR, SECOND_OPERATOR])];
  await Promise.all(speaking.map(speak));
}

/** One that waits for a person where there is one: that is what these words are for. Sometimes any other. */
async function somebodysCase({ client, random }: Operators, recent: string): Promise<Refund> {
  const waiting = await client.listRefunds({ state: 'manual_review', limit: 50 });
  const found = waiting[random.between(0, Math.max(0, waiting.length - 1))];
  return found === undefined || random.chance(0.3) ? client.getRefund(recent) : found;
}

/** A transaction of the payment, the attempt's own or another; or the operator has refunded it by hand just now. */
const link: Act = async (operators, recent) => {
  const { gateway, random } = operators;
  const { id, paymentId, currency, attempts } = await somebodysCase(operators, recent);
  const attempt = attempts.at(-1);
  // A credit that is linked to no payment has nothing that could be taken for it.
  if (attempt === undefined || paymentId === null || !isCurrency(currency)) return;
  const gatewayId = random.chance(0.3)
    ? byHand(gateway, paymentId, hundredthsOf(attempt.amount, currency))
    : random.pick([
        paymentId,
        ...gateway
          .transactions()
          .filter(({ referencedId, merchantTransactionId }) =>
            random.chance(0.5)
              ? referencedId === paymentId
              : merchantTransactionId === attempt.merchantTransactionId,
          )
          .map((one) => one.id),
      ]);
  if (gatewayId === undefined) return;
  await byOneOrTwo(operators, (by) =>
    print(operators, 'linked', (entryPoint) => entryPoint.link(id, { by, gatewayId, ...note })),
  );
};

function byHand(gateway: SimulatedGateway, paymentId: string, amount: bigint): string | undefined {
  try {
    return gateway.refundInPortal({ paymentId, amount }).id;
  } catch (error) {
    // Nothing is left to refund, or it is disputed.
    if (!(error instanceof CommandRefused)) throw error;
    return undefined;
  }
}

/** They say what is true at that moment, as the gateway's own books have it. */
const correct: Act = async (operators, recent) => {
  const { client, gateway, random, notes } = operators;
  const closing = random.chance(0.3)
    ? (await client.listRefunds({ status: 'succeeded', limit: 100 })).find(({ cases }) => cases.length > 0)
    : undefined;
  const { id, attempts, state } = closing ?? (await somebodysCase(operators, recent));
  const reference = attempts.at(-1)?.merchantTransactionId;
  if (reference === undefined) return;
  const truth = truthOf(gateway, reference);
  if (truth === undefined) return;
  const answer = isFinal(state) ? ({ outcome: 'case_closed' } as const) : { outcome: truth, reference };
  // Written down first: its answer may be lost.
  notes.proposed.set(id, [...(notes.proposed.get(id) ?? []), answer]);
  await byOneOrTwo(operators, (by) =>
    print(operators, 'correction proposed', (entryPoint) =>
      entryPoint.correct(id, { by, evidence: EVIDENCE, ...answer, ...note }),
    ),
  );
};

/** Undefined while it may still become either. */
function truthOf(gateway: SimulatedGateway, reference: string): 'succeeded' | 'failed' | undefined {
  const known = gateway
    .transactions()
    .filter(({ merchantTransactionId }) => merchantTransactionId === reference)
    .map(({ state }) => state);
  if (known.includes('pending')) return undefined;
  return known.includes('succeeded') ? 'succeeded' : 'failed';
}

const confirmSome: Act = async (operators) => {
  const proposed = [...operators.notes.proposed.keys()].slice(-20);
  const id = proposed[operators.random.between(0, Math.max(0, proposed.length - 1))];
  if (id !== undefined) await confirm(operators, id);
};

/** The second person looks for themselves: yes only to what is true now. */
export async function confirm(operators: Operators, refundId: string): Promise<void> {
  const { client, gateway, random, notes } = operators;
  const { proposal } = await client.getRefund(refundId);
  if (proposal === null) return;
  const { instruction } = proposal;
  const isTrue = (notes.proposed.get(refundId) ?? []).every(
    ({ outcome, reference }) => reference === undefined || truthOf(gateway, reference) === outcome,
  );
  const isYes = isTrue && random.chance(0.8);
  const verdict = { by: SECOND, instruction, ...note };
  await print(operators, isYes ? 'correction confirmed' : 'correction refused', (entryPoint) =>
    isYes ? entryPoint.approve(refundId, verdict) : entryPoint.reject(refundId, verdict),
  );
}

/** Each names a card of their own. */
const changeDestination: Act = async (operators, recent) => {
  const { id } = await somebodysCase(operators, recent);
  await byOneOrTwo(operators, (by) => {
    const { registrationId } = operators.gateway.createPayment({ type: 'DB', amount: 100n, currency: 'EUR' });
    return print(operators, 'destination_changed', (entryPoint) =>
      entryPoint.changeDestination(id, { by, registrationId, ...note }),
    );
  });
};

/** As it is, or the run ended that they were shown; by then it may be another. */
const replay: Act = async (operators, recent) => {
  const { id } = await somebodysCase(operators, recent);
  const { run } = await operators.client.explainReplay(id);
  if (operators.random.chance(0.3)) await sleep(operators.random.spread(10, 2_000));
  const restart = run !== null && operators.random.chance(0.5) ? { restart: { runId: run.runId } } : {};
  await byOneOrTwo(operators, (by) =>
    print(operators, 'run again', (entryPoint) => entryPoint.replay(id, { by, ...restart, ...note })),
  );
};

export const REPAIRS: readonly Act[] = [
  ...[link, link, correct, correct, confirmSome, confirmSome],
  ...[changeDestination, changeDestination, replay],
];
