/** The commands of operators: each is carried out once, and one row keeps its note, what it is about, what it decided and its result. */
import { hash } from 'node:crypto';
import type { Insertable, Kysely } from 'kysely';
import { personKey } from '../../domain/names.js';
import { append, lockRefund, type Locked } from '../core/books.js';
import type { CommandResultTable, Database, Tables, Tx } from '../db/database.js';
import type { CommandResult, CommandResults, Refused, OperatorCommand } from '../core/people.js';
import { currentPosition } from '../core/positions.js';

/** What a command decided, for the commands that come later. */
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
  readonly said: OperatorCommand;
  /** The attempt or instruction that it names itself. */
  readonly about?: Pick<Decided, 'attempt_id' | 'instruction'>;
}

/**
 * Under the refund's lock, so that of two who carry out one command the second finds the first one's result. A command without an id is
 * carried out each time.
 */
export async function executeOnce<Kind extends keyof CommandResults>(
  tx: Tx,
  locked: Locked,
  command: Command<Kind>,
  execute: () => Promise<Executed<Kind>>,
): Promise<CommandResult<Kind>> {
  const result = await once(tx, locked, command, execute);
  return { ...result, position: await currentPosition(tx, locked.refund.id) };
}

async function once<Kind extends keyof CommandResults>(
  tx: Tx,
  { refund, payment }: Locked,
  { kind, said, about = {} }: Command<Kind>,
  execute: () => Promise<Executed<Kind>>,
): Promise<CommandResults[Kind]> {
  const { by, reason, ticket } = said;
  const commandId = idOf(kind, said);
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
      author: personKey(by),
      reason,
      ticket: ticket ?? null,
      result: JSON.stringify(result),
      ...about,
      ...decided,
    })
    .execute();
  return result;
}

/** Of two operators who use one id each has a command of their own. */
function idOf(
  command: keyof CommandResults,
  { by, commandId }: Pick<OperatorCommand, 'by' | 'commandId'>,
): string | null {
  return commandId === undefined
    ? null
    : hash('sha256', JSON.stringify([command, by, commandId])).slice(0, 32);
}

/** The id is of this kind of command alone. */
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

/** Changed nothing that later commands depend on. */
export function resulted<Result>(
  result: Result,
  decided: Decided = {},
): { readonly result: Result; readonly decided: Decided } {
  return { result, decided };
}

/** `by`: who has said it, or said otherwise, before. */
export function refused<Why>(
  why: Why,
  by?: string,
): { readonly result: Refused<Why>; readonly decided: Decided } {
  return resulted(by === undefined ? { kind: 'refused', why } : { kind: 'refused', why, by });
}

/** Who has decided exactly this instruction, and how; at most one. */
export function decidedBefore(tx: Tx, refundId: string, kind: 'decide' | 'adopt', instruction: string) {
  return tx
    .selectFrom('command_results')
    .select(['by', 'state'])
    .where('refund_id', '=', refundId)
    .where('command', '=', kind)
    .where('instruction', '=', instruction)
    .where('state', 'in', ['approved', 'refused', 'done'])
    .executeTakeFirst();
}

/** The correction that waits for a second person; at most one. */
export function openProposal(tx: Kysely<Tables>, refundId: string) {
  return tx
    .selectFrom('command_results')
    .select('by')
    .where('refund_id', '=', refundId)
    .where('state', '=', 'open')
    .executeTakeFirst();
}

/** Whoever named a destination in place of the one before, each time; oldest first. */
export async function redirectors(tx: Kysely<Tables>, refundId: string): Promise<readonly string[]> {
  const rows = await tx
    .selectFrom('command_results')
    .select('by')
    .where('refund_id', '=', refundId)
    .where('command', '=', 'redirect')
    .where('state', '=', 'done')
    .orderBy('id')
    .execute();
  return rows.map(({ by }) => by);
}

/** Puts on record that an operator checked with the gateway or started a run again, which by itself changes no money. */
export function note(
  database: Database,
  refundId: string,
  command: 'resolve' | 'restart',
  said: OperatorCommand,
): Promise<void> {
  return database.transaction(async (tx) => {
    const locked = await lockRefund(tx, refundId);
    const { refund } = locked;
    const { by, reason, ticket } = said;
    const type = command === 'resolve' ? 'resolved' : 'replayed';
    // A command without an id that comes again is on record once for each version of the refund.
    const text = hash('sha256', JSON.stringify([by, reason, ticket ?? null])).slice(0, 32);
    await once(tx, locked, { kind: command, said }, async () => {
      await append(tx, {
        key: `refund:${refund.id}:${type}:${idOf(command, said) ?? `${refund.version}:${text}`}`,
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
