/** Reads the environment variables of the gateway simulator's process. */
import { join } from 'node:path';
import { z } from 'zod';
import type { GatewayServerOptions } from './server.js';

/** The entity and token where none is configured. They are valid at the simulator only. */
export const SANDBOX_ENTITY = '8ac7a4c9900000000000000000000001';
export const SANDBOX_TOKEN = 'sandbox-token-of-the-simulated-gateway';

const absentWhenEmpty = (value: unknown): unknown => (value === '' ? undefined : value);
const setting = <T extends z.ZodType>(schema: T) => z.preprocess(absentWhenEmpty, schema);

const environment = z.object({
  REFUNDS_SANDBOX_GATEWAY_PORT: setting(z.coerce.number().int().min(0).max(65535).default(0)),
  REFUNDS_SANDBOX_GATEWAY_THROTTLE: setting(z.enum(['off', 'documented']).default('off')),
  REFUNDS_SANDBOX_WEBHOOK_URL: setting(z.url().optional()),
  REFUNDS_DATA_DIR: setting(z.string().optional()),
  REFUNDS_TIME_SCALE: setting(z.coerce.number().positive().max(1).default(1)),
  OPPWA_ENTITY_ID: setting(
    z
      .string()
      .regex(/^[a-f0-9]{32}$/, 'must be 32 lowercase hex digits')
      .default(SANDBOX_ENTITY),
  ),
  OPPWA_ACCESS_TOKEN: setting(z.string().default(SANDBOX_TOKEN)),
  OPPWA_WEBHOOK_KEY: setting(
    z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits')
      .optional(),
  ),
});

/** @throws an `Error` that names each wrong variable, without its value. */
export function readProcessSettings(
  variables: Readonly<Record<string, string | undefined>>,
): GatewayServerOptions {
  const parsed = environment.safeParse(variables);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`The sandbox gateway cannot start: ${wrong.join('; ')}`);
  }
  const settings = parsed.data;
  return {
    port: settings.REFUNDS_SANDBOX_GATEWAY_PORT,
    entities: [
      {
        id: settings.OPPWA_ENTITY_ID,
        token: settings.OPPWA_ACCESS_TOKEN,
        ...(settings.OPPWA_WEBHOOK_KEY === undefined ? {} : { webhookKey: settings.OPPWA_WEBHOOK_KEY }),
      },
    ],
    settings: { throttle: settings.REFUNDS_SANDBOX_GATEWAY_THROTTLE },
    ...(settings.REFUNDS_DATA_DIR === undefined
      ? {}
      : { journalFile: join(settings.REFUNDS_DATA_DIR, 'gateway.jsonl') }),
    ...(settings.REFUNDS_SANDBOX_WEBHOOK_URL === undefined
      ? {}
      : {
          webhooks: {
            url: settings.REFUNDS_SANDBOX_WEBHOOK_URL,
            timeFactor: settings.REFUNDS_TIME_SCALE,
          },
        }),
  };
}
