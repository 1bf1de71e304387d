/** The connection to Temporal of a process that runs no worker. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { freePort } from '../../sandbox/servers/free-port.js';
import { CODEC_OFF } from '../../temporal/codec/settings.js';
import { openClient } from '../../temporal/connection.js';

it('can be closed while a call is being retried: the call fails then, and the process goes on', async () => {
  const { temporal, close } = openClient({ TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` }, CODEC_OFF);
  const calls = Array.from({ length: 5 }, () =>
    temporal.workflowService.describeNamespace({ namespace: 'default' }).catch((error: unknown) => error),
  );
  // By then each has failed at least once and waits for its next retry.
  await sleep(400);
  await close();
  for (const answer of await Promise.all(calls)) expect(answer).toBeInstanceOf(Error);
});
