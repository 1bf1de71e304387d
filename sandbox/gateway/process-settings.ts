/** The environment variables of the simulated gateway's process. */
import { join } from 'node:path';
import { z } from 'zod';
import type { GatewayServerOptions } from './server.js';

/** Used where no entity is configured. Worth nothing outside this simulator. */
export const SANDBOX_ENTITY = '8ac7a4c9900000000000000000000001';
export const SANDBOX_TOKEN = 'sandbox-token-of-the-simulated-gateway';

const absentWhenEmpty = (value: unknown): unknown => (value === '' ? undefined : value);
const given = <T extends z.ZodType>(schema: T) => z.preprocess(absentWhenEmpty, schema);

const environment = z.object({
  REFUNDS_SANDBOX_GATEWAY_PORT: given(z.coerce.number().int().min(0).max(65535).default(0)),
  REFUNDS_SANDBOX_GATEWAY_THROTTLE: given(z.enum(['off', 'documented']).default('off')),
  REFUNDS_SANDBOX_WEBHOOK_URL: given(z.url().optional()),
  REFUNDS_DATA_DIR: given(z.string().optional()),
  REFUNDS_TIME_SCALE: given(z.coerce.number().positive().max(1).default(1)),
  OPPWA_ENTITY_ID: given(
    z
      .string()
      .regex(/^[a-f0-9]{32}$/, 'must be 32 lowercase hex digits')
      .default(SANDBOX_ENTITY),
  ),
  OPPWA_ACCESS_TOKEN: given(z.string().default(SANDBOX_TOKEN)),
  OPPWA_WEBHOOK_KEY: given(
    z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits')
      .optional(),
  ),
});

/** Throws an error that names each wrong variable, and shows no value. */
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
