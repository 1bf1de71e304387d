/** Carries out each command of an operator once. One row stores its note, its subject, its effect and its result. */
import { hash } from 'node:crypto';
import type { Insertable, Kysely } from 'kysely';
import { principalKey } from '../../domain/names.js';
import { append } from '../core/events.js';
import { lockRefund, type LockedRefund } from '../core/locks.js';
import type { CommandResultTable, Database, Tables, Tx } from '../db/database.js';
import type { CommandResult, CommandResults, Refused, OperatorCommand } from '../core/commands.js';
import { currentSnapshot } from '../core/snapshots.js';

/** The effect of a command, which later commands read. */
export type Decided = Partial<
  Pick<
    Insertable<CommandResultTable>,
    'attempt_id' | 'instruction' | 'state' | 'details' | 'amount_minor' | 'currency'
  >
>;

export interface Executed<Kind extends keyof CommandResults> {
  readonly result: CommandResults[Kind];
  readonly decided: Decided;
}

interface Command<Kind extends keyof CommandResults> {
  readonly kind: Kind;
  readonly operatorCommand: OperatorCommand;
  /** The attempt or instruction that the command names. */
  readonly about?: Pick<Decided, 'attempt_id' | 'instruction'>;
}

/**
 * Executes a command once, under the lock that `lock` takes, and returns its result with the refund's snapshot. Of two equal commands at once,
 * the second finds the result of the first. A command without an id is executed each time.
 */
export function executeOnce<Kind extends keyof CommandResults, Found extends LockedRefund>(
  database: Database,
  lock: (tx: Tx) => Promise<Found>,
  command: Command<Kind>,
  execute: (tx: Tx, locked: Found) => Promise<Executed<Kind>>,
): Promise<CommandResult<Kind>> {
  return database.transaction(async (tx) => {
    const locked = await lock(tx);
    const result = await once(tx, locked, command, () => execute(tx, locked));
    return { ...result, snapshot: await currentSnapshot(tx, locked.refund.id) };
  });
}

async function once<Kind extends keyof CommandResults>(
  tx: Tx,
  { refund, payment }: LockedRefund,
  { kind, operatorCommand, about = {} }: Command<Kind>,
  execute: () => Promise<Executed<Kind>>,
): Promise<CommandResults[Kind]> {
  const { by, reason, ticket } = operatorCommand;
  const commandId = idOf(kind, operatorCommand);
  const known = commandId === null ? undefined : await resultOf<Kind>(tx, refund.id, commandId);
  if (known !== undefined) return known;
  const { result, decided } = await execute();
  await tx
    .insertInto('command_results')
    .values({
      refund_id: refund.id,
      payment_id: payment.id,
      command: kind,
      command_id: commandId,
      by,
      author: principalKey(by),
      reason,
      ticket: ticket ?? null,
      result: JSON.stringify(result),
      ...about,
      ...decided,
    })
    .execute();
  return result;
}

/** Returns the stored id of a command. It contains the operator, so two operators with the same id have separate commands. */
function idOf(
  command: keyof CommandResults,
  { by, commandId }: Pick<OperatorCommand, 'by' | 'commandId'>,
): string | null {
  return commandId === undefined
    ? null
    : hash('sha256', JSON.stringify([command, by, commandId])).slice(0, 32);
}

/** The id contains the kind of command, so the stored result has this type. */
async function resultOf<Kind extends keyof CommandResults>(
  tx: Tx,
  refundId: string,
  commandId: string,
): Promise<CommandResults[Kind] | undefined> {
  const row = await tx
    .selectFrom('command_results')
    .select('result')
    .where('refund_id', '=', refundId)
    .where('command_id', '=', commandId)
    .$castTo<{ readonly result: CommandResults[Kind] }>()
    .executeTakeFirst();
  return row?.result;
}

/** Returns a result with the effect that later commands read; by default none. */
export function resulted<Result>(
  result: Result,
  decided: Decided = {},
): { readonly result: Result; readonly decided: Decided } {
  return { result, decided };
}

/** Returns a refusal. `by`: the operator who decided before. */
export function refused<Why>(
  why: Why,
  by?: string,
): { readonly result: Refused<Why>; readonly decided: Decided } {
  return resulted(by === undefined ? { kind: 'refused', why } : { kind: 'refused', why, by });
}

/** Returns the operator and the decision on exactly this instruction; at most one exists. */
export function decidedBefore(tx: Tx, refundId: string, kind: 'decide' | 'link', instruction: string) {
  return tx
    .selectFrom('command_results')
    .select(['by', 'state'])
    .where('refund_id', '=', refundId)
    .where('command', '=', kind)
    .where('instruction', '=', instruction)
    .where('state', 'in', ['approved', 'refused', 'done'])
    .executeTakeFirst();
}

/** Returns the correction that waits for a second operator; at most one exists. */
export function openProposal(tx: Kysely<Tables>, refundId: string) {
  return tx
    .selectFrom('command_results')
    .select('by')
    .where('refund_id', '=', refundId)
    .where('state', '=', 'open')
    .executeTakeFirst();
}

/** Returns the operators who changed the destination, oldest change first. */
export async function redirectors(tx: Kysely<Tables>, refundId: string): Promise<readonly string[]> {
  const rows = await tx
    .selectFrom('command_results')
    .select('by')
    .where('refund_id', '=', refundId)
    .where('command', '=', 'change_destination')
    .where('state', '=', 'done')
    .orderBy('id')
    .execute();
  return rows.map(({ by }) => by);
}

/** Records that an operator synced the refund with the gateway or restarted its run. Neither changes money by itself. */
export function note(
  database: Database,
  refundId: string,
  command: 'sync' | 'restart',
  operatorCommand: OperatorCommand,
): Promise<void> {
  return database.transaction(async (tx) => {
    const locked = await lockRefund(tx, refundId);
    const { refund } = locked;
    const { by, reason, ticket } = operatorCommand;
    const type = command === 'sync' ? 'synced' : 'replayed';
    // A repeated command without an id is recorded once for each version of the refund.
    const text = hash('sha256', JSON.stringify([by, reason, ticket ?? null])).slice(0, 32);
    await once(tx, locked, { kind: command, operatorCommand }, async () => {
      await append(tx, {
        key: `refund:${refund.id}:${type}:${idOf(command, operatorCommand) ?? `${refund.version}:${text}`}`,
        type: `refund.${type}`,
        paymentId: refund.payment_id,
        refundId: refund.id,
        actor: by,
        data: { reason, ...(ticket === undefined ? {} : { ticket }) },
      });
      return resulted({ kind: 'noted' });
    });
  });
}
