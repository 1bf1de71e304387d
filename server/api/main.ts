/** `npm run api`: the production process that serves HTTP until it receives SIGTERM or SIGINT. */
import type { AddressInfo } from 'node:net';
import { createWebhookReader } from '../../gateway/oppwa/webhook.js';
import { openDatabase } from '../../ledger/db/database.js';
import { migrate } from '../../ledger/db/migrate.js';
import { CardKeysWrong } from '../../ledger/cards/key-checks.js';
import { openSealer } from '../../ledger/cards/vault.js';
import { createLog } from '../../settings/log.js';
import { whenToStop } from '../../settings/parent.js';
import { readSettings, SettingsError } from '../../settings/read.js';
import { createCards } from '../../client/cards.js';
import { openRefundsClient } from '../../client/open.js';
import { storeNotifications } from '../webhooks/store.js';
import { startNotificationProcessor } from '../webhooks/processor.js';
import { consoleFolder } from './console.js';
import { buildApi } from './server.js';
import { verifyTokens } from './tokens.js';

/** Milliseconds a request waits for its workflow to start. The refund is already stored, so the client need not wait for Temporal. */
const START_WITHIN = 2_000;

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const { host, port, requestsPerMinute, tokens, temporalUi, codecOrigins: origins } = settings.api;
  await migrate(settings.databaseUrl);
  const opened = openRefundsClient(settings, process.env, { startWithin: START_WITHIN });
  const { client, ledger, database, readiness, limits, namespace } = opened;
  const log = createLog({ role: 'api' });
  // Without an opener: this process seals cards and cannot open them.
  const sealer = await openSealer(database, settings.cards).catch(async (error: unknown) => {
    await opened.close();
    throw error;
  });
  const isLive = [...settings.hosts.values()].includes('live');
  const inbox = openDatabase(settings.databaseUrl, { connections: 1, kept: 1 });
  // For leases and the end of notifications only. Not durable: a lost mark means that a notification is processed again, and its effect is
  // committed through the ledger before.
  const marks = openDatabase(settings.databaseUrl, { connections: 2, kept: 2, isDurable: false });
  const notifications = startNotificationProcessor({ ...opened.notifications, database: marks, log });
  const app = await buildApi({
    client,
    ledger,
    database,
    readiness,
    limits,
    log,
    webhooks: {
      store: storeNotifications(inbox),
      read: createWebhookReader(settings.webhookKeys),
      onStored: () => notifications.poke(),
    },
    requestsPerMinute,
    ...(sealer === undefined || settings.cards === undefined
      ? {}
      : { cards: createCards({ database, sealer, isLive, ...settings.cards }) }),
    console: {
      folder: await consoleFolder(process.env['REFUNDS_DATA_DIR'] ?? '.data'),
      temporalUi,
      namespace,
    },
    // Without a key there is nothing to decrypt.
    ...(settings.codec.keys.length === 0
      ? {}
      : { payloadCodec: { codec: settings.codec, namespace, origins } }),
    ...(tokens === undefined ? {} : { verifyToken: verifyTokens(tokens) }),
  });
  const close = async (): Promise<void> => {
    await app.close();
    await notifications.close();
    await Promise.all([inbox, marks, opened].map((open) => open.close()));
  };
  whenToStop(() => {
    close().catch(failed);
  });
  try {
    await app.listen({ host, port });
  } catch (error) {
    // Open connections would keep a process alive that listens on no port.
    await close();
    throw error;
  }
  process.stdout.write(
    `${JSON.stringify({ ready: true, role: 'api', pid: process.pid, url: urlOf(app.addresses()) })}\n`,
  );
}

function urlOf([first]: readonly (AddressInfo | string)[]): string {
  if (first === undefined || typeof first === 'string') throw new Error('the server listens on no port');
  return `http://${first.family === 'IPv6' ? `[${first.address}]` : first.address}:${first.port}`;
}

function failed(error: unknown): void {
  const isSetting = error instanceof SettingsError || error instanceof CardKeysWrong;
  process.stderr.write(
    isSetting
      ? `${error.message}\n`
      : `api: ${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`,
  );
  process.exitCode = isSetting ? 2 : 1;
}

main().catch(failed);
