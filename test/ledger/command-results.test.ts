/** Constraints of the table `command_results`. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { accepted, debit } from './fixtures.js';
import { postgresLedger } from './postgres.js';

const { ledger, database } = await postgresLedger();

interface Row {
  readonly command: 'decide' | 'correct' | 'link' | 'replay';
  readonly commandId?: string;
  readonly by?: string;
  readonly instruction?: string;
  readonly state?: string;
  readonly decidedBy?: string;
}

async function onRefund() {
  const facts = debit();
  const id = await accepted(ledger, facts, 1_000n);
  return ({ command, commandId, by = 'berta', instruction, state, decidedBy }: Row) =>
    sql`insert into command_results (refund_id, payment_id, command, command_id, by, author, reason, result, instruction, state,
          details, amount_minor, currency, decided_by, decided_at)
        values (${id}, ${facts.id}, ${command}, ${commandId ?? null}, ${by}, ${by}, 'checked', '{}', ${instruction ?? null}, ${state ?? null},
          '{}', 1, 'EUR', ${decidedBy ?? null}, ${decidedBy === undefined ? null : sql`now()`})`.execute(
      database.db,
    );
}

describe('the table of commands rejects', () => {
  it('a second result of one command', async () => {
    const insert = await onRefund();
    await insert({ command: 'replay', commandId: 'one' });
    await expect(insert({ command: 'replay', commandId: 'one' })).rejects.toThrow(
      'command_results_by_command',
    );
    await insert({ command: 'replay', commandId: 'two' });
    await insert({ command: 'replay' });
    await insert({ command: 'replay' });
  });

  it('a second decision on one instruction', async () => {
    const insert = await onRefund();
    const verdict = { command: 'decide', instruction: 'credit of 10.00' } as const;
    await insert(verdict);
    await insert({ ...verdict, state: 'approved' });
    for (const state of ['approved', 'refused'])
      await expect(insert({ ...verdict, by: 'carla', state })).rejects.toThrow(
        'command_results_one_decision',
      );
    await insert({ ...verdict, instruction: 'credit of 20.00', state: 'refused' });
  });

  it('a transaction that is linked to a refund a second time', async () => {
    const insert = await onRefund();
    const link = { command: 'link', instruction: 'transaction', state: 'done' } as const;
    await insert(link);
    await expect(insert(link)).rejects.toThrow('command_results_one_decision');
  });

  it('a second proposal while one is open', async () => {
    const insert = await onRefund();
    const proposal = { command: 'correct', instruction: 'never paid', state: 'open' } as const;
    await insert(proposal);
    await expect(insert({ ...proposal, instruction: 'paid', by: 'carla' })).rejects.toThrow(
      'command_results_one_open',
    );
    await insert({ ...proposal, state: 'refused', decidedBy: 'carla' });
  });

  it('a proposal that its own author confirms', async () => {
    const insert = await onRefund();
    const proposal = { command: 'correct', instruction: 'never paid' } as const;
    await expect(insert({ ...proposal, state: 'confirmed', decidedBy: ' Berta' })).rejects.toThrow(
      'command_results_two_operators',
    );
    await insert({ ...proposal, state: 'confirmed', decidedBy: 'carla' });
    await insert({ ...proposal, state: 'refused', decidedBy: 'berta' });
  });

  it('a state that the command cannot have, and a state without an instruction', async () => {
    const insert = await onRefund();
    const about = { instruction: 'something' };
    for (const [command, state] of [
      ['replay', 'done'],
      ['decide', 'open'],
      ['link', 'approved'],
    ] as const)
      await expect(insert({ ...about, command, state })).rejects.toThrow('command_results_check');
    await expect(insert({ command: 'decide', state: 'approved' })).rejects.toThrow('command_results_check');
  });
});
