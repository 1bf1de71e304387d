/** A scenario: a chain of events that chance would hardly draw. It replaces some draws of a run; all else follows from the seed. */
import type { Policy } from '../../../domain/refund/config.js';
import { REFUND_STATES, type RefundState } from '../../../domain/refund/states.js';
import type { Database } from '../../../ledger/db/database.js';
import type { MemoryDatabase } from '../database/memory-database.js';
import { Chaos, type LedgerFault, type ReadFault, type WriteFault } from './chaos.js';
import type { Coverage } from './coverage.js';
import type { Mix } from './mix.js';
import type { PaymentKind } from './outside-facts.js';
import type { Random } from './random.js';
import type { Harness } from './harness.js';

export interface Scenario {
  readonly name: string;
  /** Relative frequency among the runs that follow a scenario. */
  readonly weight: number;
  /** Kinds of payment to choose from; absent: any. */
  readonly payments?: readonly [PaymentKind, ...PaymentKind[]];
  readonly policy?: (random: Random) => Partial<Policy>;
  /** Present if chance draws the order; otherwise it is a refund of the whole payment. */
  readonly asksForAnything?: true;
  /** Amount of the refund in hundredths, in place of the whole payment. */
  readonly asksFor?: bigint;
  /** Returns the direction of one run. It draws from the run's own chance. */
  readonly direct: (harness: Harness) => Direction;
}

/** Decisions of a scenario in one run, in place of chance. */
export interface Direction {
  /** `gateway`: `atGateway` decides about the order. */
  readonly write?: (fields: Readonly<Record<string, string>>) => WriteFault | undefined;
  readonly read?: () => ReadFault | undefined;
  readonly ledger?: (call: string) => LedgerFault | undefined;
  readonly freezeMs?: () => number;
  /** Called when an order is about to reach the gateway. */
  readonly atGateway?: (fields: Readonly<Record<string, string>>) => void;
  /** Called after a ledger transaction that changed a refund's state. */
  readonly moved?: (refundId: string, to: RefundState) => void;
}

/** Chaos in which only the faults of the scenario happen. */
export class DirectedChaos extends Chaos {
  readonly #direction: Direction;
  readonly #coverage: Coverage;

  constructor(mix: Mix, random: Random, coverage: Coverage, direction: Direction) {
    super(mix, random, coverage);
    this.#direction = direction;
    this.#coverage = coverage;
  }

  override ledger(call: string): LedgerFault | undefined {
    return this.#hit('ledger', this.#direction.ledger?.(call));
  }

  override read(): ReadFault | undefined {
    return this.#hit('read', this.#direction.read?.());
  }

  override write(fields: Readonly<Record<string, string>>): WriteFault | undefined {
    return this.#hit('write', this.#direction.write?.(fields));
  }

  override freezeMs(): number {
    return this.#direction.freezeMs?.() ?? super.freezeMs();
  }

  #hit<T extends string>(where: string, fault: T | undefined): T | undefined {
    if (fault === undefined || !this.isOn) return undefined;
    this.#coverage.hit('fault', `${where} ${fault}, by the scenario`);
    return fault;
  }
}

/** Returns the database, which calls `moved` for each change of a refund's state as soon as it is stored. */
export function watched(database: MemoryDatabase, moved: NonNullable<Direction['moved']>): Database {
  const states = new Map<unknown, RefundState>();
  const report = (): void => {
    for (const row of database.tables.rows.refunds) {
      const state = REFUND_STATES.find((known) => known === row['state']);
      if (state === undefined || states.get(row['id']) === state) continue;
      states.set(row['id'], state);
      moved(String(row['id']), state);
    }
  };
  return {
    ...database,
    transaction: async (work) => {
      const result = await database.transaction(work);
      report();
      return result;
    },
  };
}
