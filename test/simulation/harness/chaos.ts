/** What goes wrong, and when: decided by the world's chance, at every call that a process makes. */
import type { Coverage } from './coverage.js';
import type { Mix } from './mix.js';
import type { Process } from './process.js';
import type { Random } from './random.js';

export type LedgerFault =
  | 'crash_before'
  | 'crash_after'
  | 'freeze_before'
  | 'freeze_after'
  | 'commit_answer_lost'
  | 'connection_refused'
  | 'slow';
export type WriteFault =
  | 'crash_before'
  | 'crash_after_handing_over'
  | 'crash_with_answer'
  | 'freeze_before'
  | 'freeze_while_waiting'
  | 'not_sent'
  | 'refused'
  | 'gateway';
export type ResultFault = 'crash_before_result' | 'late_result';
export type ReadFault =
  'crash_before' | 'crash_after' | 'freeze_before' | 'freeze_after' | 'query' | 'unavailable';

const LEDGER: readonly [LedgerFault, ...LedgerFault[]] = [
  'crash_before',
  'crash_after',
  'freeze_before',
  'freeze_after',
  'commit_answer_lost',
  'connection_refused',
  'slow',
];
const WRITE: readonly [WriteFault, ...WriteFault[]] = [
  'crash_before',
  'crash_after_handing_over',
  'crash_with_answer',
  'freeze_before',
  'freeze_while_waiting',
  'not_sent',
];
const RESULT: readonly [ResultFault, ...ResultFault[]] = ['crash_before_result', 'late_result'];
const READ: readonly [ReadFault, ...ReadFault[]] = [
  'crash_before',
  'crash_after',
  'freeze_before',
  'freeze_after',
  'query',
  'query',
  'unavailable',
];

export class Chaos {
  isOn = true;
  readonly #mix: Mix;
  /** Faults that may still come. */
  #left: number;
  readonly #random: Random;
  readonly #coverage: Coverage;
  #writes = 0;

  constructor(mix: Mix, random: Random, coverage: Coverage) {
    this.#random = random;
    this.#coverage = coverage;
    this.#mix = mix;
    this.#left = mix.faults;
  }

  ledger(_call: string): LedgerFault | undefined {
    return this.#draw('ledger', this.#mix.rate, LEDGER);
  }

  read(): ReadFault | undefined {
    return this.#draw('read', this.#mix.rate * 1.5, READ);
  }

  write(): WriteFault | undefined {
    this.#writes += 1;
    if (this.isOn && this.#mix.isRefused && this.#writes === 1) return 'refused';
    if (this.#happens(this.#mix.gatewayRate)) return 'gateway';
    return this.#draw('write', this.#mix.rate * 2, WRITE);
  }

  /** A process that has just done its work dies before it can say so, or says so late. */
  result(): ResultFault | undefined {
    return this.#draw('activity', this.#mix.rate, RESULT);
  }

  #draw<T extends string>(where: string, rate: number, faults: readonly [T, ...T[]]): T | undefined {
    if (!this.#happens(rate)) return undefined;
    const fault = this.#random.pick(faults);
    this.#coverage.hit('fault', `${where} ${fault}`);
    return fault;
  }

  #happens(rate: number): boolean {
    if (!this.isOn || rate === 0 || this.#left === 0 || !this.#random.chance(rate)) return false;
    this.#left -= 1;
    return true;
  }

  /** Stops a process: alone, or suspended with its machine. */
  stop(process: Process): void {
    const ms = this.freezeMs();
    if (!this.#random.chance(0.5)) process.freeze(ms);
    else {
      process.suspend(ms);
      this.#coverage.hit('fault', 'machine suspended');
    }
  }

  /** Long enough to be taken for dead, or not; sometimes past every deadline, and past the proof that nothing was sent. */
  freezeMs(): number {
    return this.#random.spread(500, 18 * 3_600_000);
  }
}
