/** No card number in a text that the command line stores. What it refuses, it does not print either: a terminal's output is often logged. */
import { expect, it, vi } from 'vitest';
import { ask, refundOf, startCli } from './cli-process.js';

const { stack, client, cli } = await startCli();
vi.setConfig({ testTimeout: 180_000 });

const CARD = '4111.1111.1111.1111';
const IN_LETTERS = 'x4111111111111111y';
const { paymentId } = stack.newPayment();
const { id } = refundOf(await cli(ask(stack.newPayment().paymentId, '--wait', '60', '--yes', '--json')));
const payment = ['--payment', paymentId, '--amount', '40.00', '--currency', 'EUR', '--yes'];
const signed = ['--by', 'alice', '--yes'];

it.each([
  [
    [
      'request',
      ...payment,
      '--reason',
      CARD,
      '--order',
      IN_LETTERS,
      '--key',
      IN_LETTERS,
      '--requested-by',
      CARD,
    ],
    2,
  ],
  [['request', ...payment, '--reason', 'cvv 123'], 2],
  [['request', '--payment', CARD, '--amount', IN_LETTERS, '--currency', CARD, '--reason', 'x', '--yes'], 2],
  [['request', ...payment, '--reason', 'x', '--wait', CARD], 2],
  [
    [
      'approve',
      id,
      '--instruction',
      IN_LETTERS,
      '--by',
      CARD,
      '--reason',
      CARD,
      '--ticket',
      IN_LETTERS,
      '--yes',
    ],
    2,
  ],
  [
    [
      'correct',
      id,
      '--outcome',
      'succeeded',
      '--evidence',
      CARD,
      '--reference',
      IN_LETTERS,
      '--reason',
      'x',
      ...signed,
    ],
    2,
  ],
  [['withdraw', CARD, '--reason', IN_LETTERS, ...signed], 1],
  [['keys', 'create', '--name', IN_LETTERS, '--role', 'submit'], 2],
  [['keys', 'revoke', IN_LETTERS], 1],
  [['show', CARD], 1],
  [['list', '--status', CARD], 2],
  [['limits', '--payment', CARD], 2],
  [[CARD], 2],
])('%j is refused, and the text is not repeated', async (args, code) => {
  for (const json of [[], ['--json']]) {
    if (args.length === 1 && json.length === 1) continue;
    const ended = await cli([...args, ...json]);
    expect(ended.code, ended.stderr).toBe(code);
    const printed = `${ended.stdout}${ended.stderr}`;
    expect(printed).not.toBe('');
    for (const text of [CARD, IN_LETTERS, '123']) expect(printed).not.toContain(text);
  }
  expect(await client.listRefunds({ paymentId })).toEqual([]);
});
