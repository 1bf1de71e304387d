/** One run of a workflow in the fake Temporal server: what it waits for, the inputs it received, and its replay. */
import { CancelledFailure } from '@temporalio/common';
import { CancellationScope } from './scope.js';

/** An input of a workflow. An activation is a list of these. */
export type Input =
  | { readonly kind: 'start' }
  | { readonly kind: 'signal'; readonly name: string; readonly args: readonly unknown[] }
  | { readonly kind: 'update'; readonly name: string; readonly args: readonly unknown[]; readonly id: number }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'fired'; readonly seq: number }
  | { readonly kind: 'resolved'; readonly seq: number; readonly value: unknown }
  | { readonly kind: 'rejected'; readonly seq: number; readonly error: Error };

/** A request of a workflow to the server. */
export type Command =
  | {
      readonly kind: 'activity';
      readonly name: string;
      readonly args: readonly unknown[];
      readonly options: ActivityOptions;
    }
  | { readonly kind: 'timer'; readonly ms: number }
  | {
      readonly kind: 'child';
      readonly type: string;
      readonly args: readonly unknown[];
      readonly workflowId: string;
    }
  | { readonly kind: 'child_result'; readonly workflowId: string }
  | { readonly kind: 'cancel_external'; readonly workflowId: string }
  | {
      readonly kind: 'signal_external';
      readonly workflowId: string;
      readonly name: string;
      readonly args: readonly unknown[];
    };

export interface ActivityOptions {
  readonly startToCloseTimeout: number;
  readonly heartbeatTimeout?: number;
  readonly retry?: {
    readonly initialInterval?: number;
    readonly backoffCoefficient?: number;
    readonly maximumInterval?: number;
    readonly maximumAttempts?: number;
    readonly nonRetryableErrorTypes?: readonly string[];
  };
}

/** Thrown by a workflow to continue as new. */
export class ContinueAsNew extends Error {
  override readonly name = 'ContinueAsNew';
  readonly args: readonly unknown[];

  constructor(args: readonly unknown[]) {
    super('the workflow continues in a new run');
    this.args = args;
  }
}

/** Number of commands after which a new run is suggested. The real server counts events, thousands of them. */
const LONG = 60;

export type Outcome =
  | { readonly kind: 'continued'; readonly args: readonly unknown[] }
  | { readonly kind: 'completed'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'terminated' };

export interface Server {
  /** Executes a command; its answer comes as an input with `seq`. */
  command(execution: Execution, seq: number, command: Command): void;
  /** Cancels a command: its answer is not needed. */
  remove(execution: Execution, seq: number): void;
  updated(execution: Execution, id: number, outcome: Outcome): void;
  closed(execution: Execution, outcome: Outcome): void;
  searchAttributes(execution: Execution, pairs: readonly unknown[]): void;
}

export interface Handler {
  readonly run: (...args: readonly unknown[]) => unknown;
  readonly validate: ((...args: readonly unknown[]) => unknown) | undefined;
}

interface Pending {
  readonly command: Command;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Returns a command as the history has it: a replay must make the same command. */
const nameOf = (command: Command): string => {
  switch (command.kind) {
    case 'activity':
      return `activity ${command.name}`;
    case 'timer':
      return `timer ${command.ms}`;
    case 'child':
    case 'child_result':
    case 'cancel_external':
    case 'signal_external':
      return `${command.kind} ${command.workflowId}`;
    default:
      return command satisfies never;
  }
};

export class Execution {
  static #current: Execution | undefined;

  readonly workflowId: string;
  readonly runId: number;
  readonly type: string;
  readonly args: readonly unknown[];
  readonly root: CancellationScope;
  readonly scopes: CancellationScope[] = [];
  /** Activations so far: a replay of them leads to the same state. */
  readonly log: (readonly Input[])[] = [];
  readonly handlers = new Map<string, Handler>();
  /** Receives this run's commands and its end. */
  readonly #server: Server;
  readonly #workflow: (...args: readonly unknown[]) => Promise<unknown>;
  readonly #pending = new Map<number, Pending>();
  readonly #conditions = new Set<{ readonly holds: () => boolean; readonly resolve: () => void }>();
  readonly #buffered: Extract<Input, { kind: 'signal' | 'update' }>[] = [];
  readonly #commands: string[];
  #made = 0;
  #running = 0;
  #seq = 0;
  #isReplaying: boolean;
  outcome: Outcome | undefined;
  /** The update whose handler begins at this moment. */
  update: { readonly id: string; readonly name: string } | undefined;
  /** True after the server has ended the run: nothing of it is executed. */
  isDead = false;

  constructor(
    server: Server,
    identity: {
      readonly workflowId: string;
      readonly runId: number;
      readonly type: string;
      readonly args: readonly unknown[];
    },
    workflow: (...args: readonly unknown[]) => Promise<unknown>,
    /** Commands of the history that is replayed. */
    history: readonly string[] = [],
    isReplaying = false,
  ) {
    this.#server = server;
    this.workflowId = identity.workflowId;
    this.runId = identity.runId;
    this.type = identity.type;
    this.args = identity.args;
    this.#workflow = workflow;
    this.#commands = [...history];
    this.#isReplaying = isReplaying;
    this.root = new CancellationScope({ parent: 'none' });
  }

  /** Returns the run whose code is executing. Throws outside of workflow code, as the SDK does. */
  static current(asked: string): Execution {
    if (Execution.#current === undefined) throw new Error(`${asked} may only be used from a workflow`);
    return Execution.#current;
  }

  get commands(): readonly string[] {
    return this.#commands;
  }

  get isLong(): boolean {
    return this.#made > LONG;
  }

  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** Delivers all `inputs` at once. Promise work and conditions follow until nothing changes (see `settle`). */
  activate(inputs: readonly Input[]): void {
    Execution.#current = this;
    this.log.push(inputs);
    for (const input of inputs) this.#deliver(input);
  }

  /** Lets waiting conditions continue after promise work is done. Returns false if nothing changed: the activation is over. */
  settle(): boolean {
    Execution.#current = this;
    if (!this.isDead)
      for (const condition of this.#conditions)
        if (condition.holds()) {
          this.#conditions.delete(condition);
          condition.resolve();
          return true;
        }
    Execution.#current = undefined;
    return false;
  }

  /** Ends the replay: commands are executed from here on, first those of the replay that have no answer yet. */
  goLive(): void {
    this.#isReplaying = false;
    this.#commands.length = this.#made;
    for (const [seq, { command }] of this.#pending) this.#server.command(this, seq, command);
  }

  async #main(): Promise<void> {
    try {
      this.#close({ kind: 'completed', result: await this.#workflow(...this.args) });
    } catch (error) {
      if (error instanceof ContinueAsNew) this.#close({ kind: 'continued', args: error.args });
      else if (error instanceof CancelledFailure) this.#close({ kind: 'cancelled' });
      else this.#close({ kind: 'failed', error: asError(error) });
    }
  }

  #close(outcome: Outcome): void {
    if (this.isDead) return;
    this.outcome = outcome;
    this.isDead = true;
    this.#server.closed(this, outcome);
  }

  #deliver(input: Input): void {
    switch (input.kind) {
      case 'start':
        void this.#main();
        return;
      case 'signal':
      case 'update':
        this.#buffered.push(input);
        this.deliverBuffered();
        return;
      case 'cancel':
        this.root.cancel();
        return;
      case 'fired':
        this.#take(input.seq)?.resolve(undefined);
        return;
      case 'resolved':
        this.#take(input.seq)?.resolve(input.value);
        return;
      case 'rejected':
        this.#take(input.seq)?.reject(input.error);
        return;
      default:
        input satisfies never;
    }
  }

  #take(seq: number): Pending | undefined {
    const pending = this.#pending.get(seq);
    this.#pending.delete(seq);
    return pending;
  }

  /** Delivers messages that waited for their handler. */
  deliverBuffered(): void {
    for (const input of this.#buffered.splice(0)) {
      const handler = this.handlers.get(input.name);
      if (handler === undefined) this.#buffered.push(input);
      else void this.#handle(handler, input);
    }
  }

  async #handle(handler: Handler, input: Extract<Input, { kind: 'signal' | 'update' }>): Promise<void> {
    const answer = (outcome: Outcome): void => {
      if (input.kind === 'update' && !this.#isReplaying) this.#server.updated(this, input.id, outcome);
    };
    try {
      handler.validate?.(...input.args);
    } catch (error) {
      // The history does not contain a refused update.
      answer({ kind: 'failed', error: asError(error) });
      return;
    }
    this.#running += 1;
    try {
      answer({ kind: 'completed', result: await this.#begin(handler, input) });
    } catch (error) {
      answer({ kind: 'failed', error: asError(error) });
    } finally {
      this.#running -= 1;
    }
  }

  #begin(handler: Handler, input: Extract<Input, { kind: 'signal' | 'update' }>): unknown {
    this.update = input.kind === 'update' ? { id: `update-${input.id}`, name: input.name } : undefined;
    try {
      return handler.run(...input.args);
    } finally {
      this.update = undefined;
    }
  }

  /** Sends a command to the server and waits for its answer. */
  ask(command: Command, isCancellable: boolean): Promise<unknown> {
    const scope = CancellationScope.current();
    if (isCancellable && scope.consideredCancelled) return scope.cancelRequested;
    const seq = (this.#seq += 1);
    this.#note(command);
    return new Promise((resolve, reject) => {
      this.#pending.set(seq, { command, resolve, reject });
      if (isCancellable && scope.cancellable)
        scope.cancelRequested.catch((error: unknown) => {
          if (this.#take(seq) === undefined) return;
          this.#server.remove(this, seq);
          reject(asError(error));
        });
      if (!this.#isReplaying && !this.isDead) this.#server.command(this, seq, command);
    });
  }

  /** Starts a timer; `cancel` cancels it. */
  startTimer(ms: number): { readonly fired: Promise<unknown>; readonly cancel: () => void } {
    const seq = this.#seq + 1;
    const fired = this.ask({ kind: 'timer', ms: Math.max(1, ms) }, true);
    return {
      fired,
      cancel: () => {
        if (this.#take(seq) !== undefined) this.#server.remove(this, seq);
      },
    };
  }

  waitFor(holds: () => boolean): { readonly met: Promise<void>; readonly cancel: () => void } {
    let entry: { holds: () => boolean; resolve: () => void } | undefined;
    const met = new Promise<void>((resolve, reject) => {
      const scope = CancellationScope.current();
      entry = { holds, resolve };
      this.#conditions.add(entry);
      if (scope.cancellable)
        scope.cancelRequested.catch((error: unknown) => {
          if (entry !== undefined && this.#conditions.delete(entry)) reject(asError(error));
        });
    });
    return {
      met,
      cancel: () => {
        if (entry !== undefined) this.#conditions.delete(entry);
      },
    };
  }

  upsert(pairs: readonly unknown[]): void {
    if (!this.#isReplaying && !this.isDead) this.#server.searchAttributes(this, pairs);
  }

  #note(command: Command): void {
    const name = nameOf(command);
    const recorded = this.#commands[this.#made];
    if (this.#isReplaying && recorded !== undefined && recorded !== name)
      throw new Error(`not deterministic: ${this.workflowId} asked for ${name}, its history has ${recorded}`);
    if (recorded === undefined) this.#commands.push(name);
    this.#made += 1;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
