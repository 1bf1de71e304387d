/** Commands of operators with evidence: always true, at any moment, in any order, and sometimes about the wrong attempt or transaction. */
import { OPEN_ATTEMPT_STATES } from '../../../domain/refund/attempt-states.js';
import {
  linkUpdate,
  confirmUpdate,
  correctUpdate,
  changeDestinationUpdate,
} from '../../../workflows/refund/contract.js';
import type { Row } from '../database/tables.js';
import type { Harness } from './harness.js';

export interface OperatorAct {
  readonly name: string;
  readonly update: string;
  readonly message: object;
}

const PROPOSERS = ['operator', 'asker', 'another operator'] as const;

export class OperatorActs {
  readonly #harness: Harness;

  constructor(harness: Harness) {
    this.#harness = harness;
  }

  /** Draws a command that makes sense for the refund's current records; undefined if none does. */
  draw(refundId: string): OperatorAct | undefined {
    const { random, database } = this.#harness;
    const proposal = database.tables.rows.command_results.find(
      (row) => row['refund_id'] === refundId && row['state'] === 'open',
    );
    if (proposal !== undefined && random.chance(0.8)) return this.#confirm(proposal);
    switch (random.between(0, 2)) {
      case 0:
        return this.#link(refundId);
      case 1:
        return this.#correct(refundId);
      default:
        return this.#changeDestination();
    }
  }

  /** A command that links a transaction of this payment: most often the attempt's own, now and then another one. */
  #link(refundId: string): OperatorAct | undefined {
    const { gateway, random } = this.#harness;
    const references = this.#attempts(refundId).map((row) => row['reference']);
    const all = gateway.transactions().filter(({ type }) => type === 'RF' || type === 'RV' || type === 'CD');
    const own = all.filter(({ merchantTransactionId }) => references.includes(merchantTransactionId));
    const from = own.length > 0 && random.chance(0.8) ? own : all;
    const found = from[random.between(0, Math.max(0, from.length - 1))];
    if (found === undefined) return undefined;
    return {
      name: `link ${own.includes(found) ? 'its own' : 'another'} transaction`,
      update: linkUpdate.name,
      message: { gatewayId: found.id, by: random.pick(PROPOSERS), reason: 'found in the portal' },
    };
  }

  /** A correction by the acquirer's letter, which states what the gateway really did and can no longer change. */
  #correct(refundId: string): OperatorAct | undefined {
    const { gateway, random } = this.#harness;
    const note = { by: random.pick(PROPOSERS), reason: 'letter', evidence: 'the acquirer says so' };
    if (random.chance(0.2))
      return {
        name: 'close cases',
        update: correctUpdate.name,
        message: { ...note, outcome: 'case_closed' },
      };
    const attempts = this.#attempts(refundId);
    const attempt = attempts.find((row) => OPEN_ATTEMPT_STATES.some((open) => open === row['state']));
    const about = attempt ?? attempts.at(-1);
    if (about === undefined) return undefined;
    const reference = String(about['reference']);
    const under = gateway
      .transactions()
      .filter(({ merchantTransactionId }) => merchantTransactionId === reference);
    const paid = under.some(({ state }) => state === 'succeeded');
    // There is no letter about an order that is still in progress.
    if (!paid && under.some(({ state }) => state === 'pending')) return undefined;
    const outcome = paid ? 'succeeded' : 'failed';
    return {
      name: `correct: ${outcome}`,
      update: correctUpdate.name,
      message: { ...note, outcome, reference },
    };
  }

  #confirm({ instruction }: Row): OperatorAct {
    const { random } = this.#harness;
    const verdict = random.pick(['approved', 'approved', 'refused'] as const);
    const by = random.pick(['approver', 'approver', 'approver', 'asker', 'operator']);
    return {
      name: `a correction is ${verdict} by ${by}`,
      update: confirmUpdate.name,
      message: { verdict, instruction, by, reason: 'seen the letter' },
    };
  }

  #changeDestination(): OperatorAct {
    const { random, payment, otherRegistrationId } = this.#harness;
    const registrationId = random.pick([
      otherRegistrationId,
      otherRegistrationId,
      payment.created.registrationId,
    ]);
    return {
      name: 'change_destination',
      update: changeDestinationUpdate.name,
      message: { registrationId, by: random.pick(['operator', 'approver']), reason: 'another account' },
    };
  }

  #attempts(refundId: string): readonly Row[] {
    return this.#harness.database.tables.rows.attempts.filter((row) => row['refund_id'] === refundId);
  }
}
