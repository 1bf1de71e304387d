/** A directed course: a chain that chance would not draw, bent out of the draws of one lifetime. All else follows from the seed. */
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
  /** How many of the lifetimes that follow a course follow this one, beside the others' weights. */
  readonly weight: number;
  /** What the payment is; absent: as chance has it. */
  readonly payments?: readonly [PaymentKind, ...PaymentKind[]];
  readonly policy?: (random: Random) => Partial<Policy>;
  /** What is asked for is chance's own; otherwise a refund of the whole payment. */
  readonly asksForAnything?: true;
  /** Hundredths: a refund of so much in place of the whole payment. */
  readonly asksFor?: bigint;
  /** For one lifetime. What it draws, it draws from the world's chance. */
  readonly direct: (harness: Harness) => Direction;
}

/** What one lifetime's course says where chance would have been asked. */
export interface Direction {
  /** `gateway`: what becomes of the order is for `atGateway` to say. */
  readonly write?: () => WriteFault | undefined;
  readonly read?: () => ReadFault | undefined;
  readonly ledger?: (call: string) => LedgerFault | undefined;
  readonly freezeMs?: () => number;
  /** An order is about to reach the gateway. */
  readonly atGateway?: (fields: Readonly<Record<string, string>>) => void;
  /** A transaction of the ledger has changed a refund's state. */
  readonly moved?: (refundId: string, to: RefundState) => void;
}

/** Nothing goes wrong but what the course says. */
export class DirectedChaos extends Chaos {
  readonly #direction: Direction;
  readonly #coverage: Coverage;

  constructor(mix: Mix, random: Random, coverage: Coverage, direction: Direction) {
    super(mix, random, coverage);
    this.#direction = direction;
    this.#coverage = coverage;
  }

  override ledger(call: string): LedgerFault | undefined {
    return this.#reported('ledger', this.#direction.ledger?.(call));
  }

  override read(): ReadFault | undefined {
    return this.#reported('read', this.#direction.read?.());
  }

  override write(): WriteFault | undefined {
    return this.#reported('write', this.#direction.write?.());
  }

  override freezeMs(): number {
    return this.#direction.freezeMs?.() ?? super.freezeMs();
  }

  #reported<T extends string>(where: string, fault: T | undefined): T | undefined {
    if (fault === undefined || !this.isOn) return undefined;
    this.#coverage.hit('fault', `${where} ${fault}, as the course says`);
    return fault;
  }
}

/** The database, and word of each change of a refund's state as soon as it is stored. */
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
