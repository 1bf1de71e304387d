/** Decides by chance, at every call that a process makes, which fault happens. */
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
  | 'declined'
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
  /** Number of faults that may still happen. */
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

  /** `fields`: the form of the request. */
  write(_fields: Readonly<Record<string, string>>): WriteFault | undefined {
    this.#writes += 1;
    if (this.isOn && this.#mix.isDeclined && this.#writes === 1) return 'declined';
    if (this.#happens(this.#mix.gatewayRate)) return 'gateway';
    return this.#draw('write', this.#mix.rate * 2, WRITE);
  }

  /** The fault of an activity's result: the process dies after the work and before it reports, or reports late. */
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

  /** Stops a process: only the process, or its whole machine. */
  stop(process: Process): void {
    const ms = this.freezeMs();
    if (!this.#random.chance(0.5)) process.freeze(ms);
    else {
      process.suspend(ms);
      this.#coverage.hit('fault', 'machine suspended');
    }
  }

  /** Milliseconds of a stop: sometimes enough to be taken for dead, sometimes past every deadline and past the proof of absence. */
  freezeMs(): number {
    return this.#random.spread(500, 18 * 3_600_000);
  }
}
