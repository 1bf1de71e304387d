/** Operators with evidence who link, correct, change a destination or replay a refund, at bad moments and two at once. */
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

/** Codes that only invalid input causes. No command here has invalid input. */
const NEVER: ReadonlySet<string> = new Set([
  ...(['invalid_request', 'refund_not_found', 'payment_unknown', 'illegal_transition'] as const),
  ...(['idempotency_key_reused', 'reference_taken'] as const),
]);

/** Runs a command and notes its result: done, refused with a code, or open without an answer. An open command is repeated at the end. */
async function runCommand(
  { client, http, random, notes }: Operators,
  what: string,
  command: (entryPoint: EntryPoint) => Promise<unknown>,
): Promise<void> {
  const entryPoint = random.pick<EntryPoint>([client, http]);
  try {
    await command(entryPoint);
    notes.fault(what);
  } catch (error) {
    if (!isRefusal(error)) {
      notes.fault(`${what}: no answer`);
      notes.unanswered.push({ what, again: () => command(entryPoint) });
      return;
    }
    notes.fault(`${what}: ${error.code}`);
    if (NEVER.has(error.code)) notes.wrong.push(`${what}: ${error.message}`);
  }
}

/** Runs as one operator, or as two at the same time. */
async function byOneOrTwo(operators: Operators, command: (by: string) => Promise<void>): Promise<void> {
  const both = [OPERATOR, SECOND_OPERATOR];
  const acting = operators.random.chance(0.4) ? both : [operators.random.pick([OPERATOR, SECOND_OPERATOR])];
  await Promise.all(acting.map(command));
}

/** Returns a random refund that waits for an operator. Returns `recent` if there is none, and sometimes by chance. */
async function pickRefund({ client, random }: Operators, recent: string): Promise<Refund> {
  const waiting = await client.listRefunds({ state: 'manual_review', limit: 50 });
  const found = waiting[random.between(0, Math.max(0, waiting.length - 1))];
  return found === undefined || random.chance(0.3) ? client.getRefund(recent) : found;
}

/** Links a transaction of the payment: the attempt's own, another one, or a refund that the operator just made by hand. */
const link: Act = async (operators, recent) => {
  const { gateway, random } = operators;
  const { id, paymentId, currency, attempts } = await pickRefund(operators, recent);
  const attempt = attempts.at(-1);
  // An unlinked credit has no transaction that could be taken for it.
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
    runCommand(operators, 'linked', (entryPoint) => entryPoint.link(id, { by, gatewayId, ...note })),
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

/** Proposes the correction that is true at the moment according to the gateway's books. */
const correct: Act = async (operators, recent) => {
  const { client, gateway, random, notes } = operators;
  const closing = random.chance(0.3)
    ? (await client.listRefunds({ status: 'succeeded', limit: 100 })).find(({ cases }) => cases.length > 0)
    : undefined;
  const { id, attempts, state } = closing ?? (await pickRefund(operators, recent));
  const reference = attempts.at(-1)?.merchantTransactionId;
  if (reference === undefined) return;
  const truth = truthOf(gateway, reference);
  if (truth === undefined) return;
  const answer = isFinal(state) ? ({ outcome: 'case_closed' } as const) : { outcome: truth, reference };
  // Noted first, because its answer may be lost.
  notes.proposed.set(id, [...(notes.proposed.get(id) ?? []), answer]);
  await byOneOrTwo(operators, (by) =>
    runCommand(operators, 'correction proposed', (entryPoint) =>
      entryPoint.correct(id, { by, evidence: EVIDENCE, ...answer, ...note }),
    ),
  );
};

/** Returns the state at the gateway, or undefined while it may still become either. */
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

/** Decides as the second operator, who checks the books too: confirms only a true correction. */
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
  await runCommand(operators, isYes ? 'correction confirmed' : 'correction refused', (entryPoint) =>
    isYes ? entryPoint.approve(refundId, verdict) : entryPoint.reject(refundId, verdict),
  );
}

/** Names another card, a new one for each operator. */
const changeDestination: Act = async (operators, recent) => {
  const { id } = await pickRefund(operators, recent);
  await byOneOrTwo(operators, (by) => {
    const { registrationId } = operators.gateway.createPayment({ type: 'DB', amount: 100n, currency: 'EUR' });
    return runCommand(operators, 'destination changed', (entryPoint) =>
      entryPoint.changeDestination(id, { by, registrationId, ...note }),
    );
  });
};

/** Replays the refund as it is, or ends the run that was shown; by then it may be another run. */
const replay: Act = async (operators, recent) => {
  const { id } = await pickRefund(operators, recent);
  const { run } = await operators.client.explainReplay(id);
  if (operators.random.chance(0.3)) await sleep(operators.random.spread(10, 2_000));
  const restart = run !== null && operators.random.chance(0.5) ? { restart: { runId: run.runId } } : {};
  await byOneOrTwo(operators, (by) =>
    runCommand(operators, 'run again', (entryPoint) => entryPoint.replay(id, { by, ...restart, ...note })),
  );
};

export const REPAIRS: readonly Act[] = [
  ...[link, link, correct, correct, confirmSome, confirmSome],
  ...[changeDestination, changeDestination, replay],
];
