/** Runs the demonstration as a new user starts it. */
import { describe, expect, it } from 'vitest';
import { npmStart, ownSandbox } from './npm-start.js';

const MINUTES = 60_000;

describe('the demonstration', () => {
  const sandboxEnv = ownSandbox();

  it('brings every refund to its expected end', { timeout: 20 * MINUTES }, async () => {
    const { code, output } = await npmStart(['--once'], sandboxEnv());
    expect(output).toContain("the gateway's books equal the ledger");
    expect(output).not.toContain('✗');
    expect(code, output).toBe(0);
  });
});
