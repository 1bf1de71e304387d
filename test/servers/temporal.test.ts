/** Tests that the Temporal server of the tests has the product's search attributes, and can be killed and restarted at its address. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { isAlive } from '../../sandbox/servers/process-alive.js';
import { startTemporal } from '../../sandbox/servers/temporal.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function searchAttributes(address: string, namespace: string): Promise<readonly string[]> {
  const connection = await Connection.connect({ address });
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return Object.keys(customAttributes);
  } finally {
    await connection.close();
  }
}

describe('the Temporal server', () => {
  it('has the search attributes of refunds', async () => {
    const { address, namespace } = inject('temporal');
    expect(await searchAttributes(address, namespace)).toEqual(
      expect.arrayContaining(['RefundState', 'RefundNeedsOperator', 'PaymentId']),
    );
  });

  it('restarts at the same address and with the same namespace after a kill', async () => {
    const options = { namespace: 'refunds-test', dbFilename: join(folder, 'temporal.db'), ui: true };
    const first = await startTemporal(options);
    await first.kill();
    expect(isAlive(first.pid)).toBe(false);

    const second = await startTemporal({ ...options, port: first.port });
    try {
      expect(second.address).toBe(first.address);
      expect(await searchAttributes(second.address, 'refunds-test')).toContain('RefundState');
      expect((await fetch(second.uiUrl ?? '')).status).toBe(200);
    } finally {
      await second.stop();
    }
  });

  it('fails with the server’s own message when it does not start', async () => {
    const options = { dynamicConfig: { 'limit.maxIDLength': 'not JSON' } };
    await expect(startTemporal(options)).rejects.toThrow(
      /did not start: it ended with[\s\S]*limit\.maxIDLength/u,
    );
  });
});
