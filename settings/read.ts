/** Reads the settings of a process from its environment. Reports all problems at once. */
import { z } from 'zod';
import { DEFAULT_POLICY, DEFAULT_TIMINGS, scaleTimings, type RefundConfig } from '../domain/refund/config.js';
import { maintenanceAt } from '../temporal/maintenance.js';
import { API_EXAMPLES, apiSettings, apiVariables, tokenProblems } from './api.js';
import { readCards } from './cards.js';
import { limitPolicy, limitVariables, LIMIT_EXAMPLES } from './credit-limits.js';
import { readCodec } from './codec.js';
import { readEntities } from './entities.js';
import { readEvents } from './events.js';
import { policyFor, readThresholds } from './policy.js';
import { SettingsError, type SettingsProblem } from './problems.js';
import { WORKER_PROFILES, type Settings } from './settings.js';

export { SettingsError } from './problems.js';

/** A query begins with a search, and the vendor documents a limit of 30 searches per minute. */
const QUERIES_PER_SECOND = 0.5;

function isDatabaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname } = new URL(text);
  return (protocol === 'postgres:' || protocol === 'postgresql:') && pathname.length > 1;
}

const number = (fits: (value: number) => boolean, form: string) =>
  z
    .string()
    .refine((text) => /^\d+(\.\d+)?$/.test(text) && fits(Number(text)), form)
    .transform(Number);

const variables = z.object({
  DATABASE_URL: z
    .string({ error: 'is missing' })
    .refine(isDatabaseUrl, 'must be a postgresql:// address with the name of a database'),
  REFUNDS_DATABASE_CONNECTIONS: number(
    (value) => Number.isInteger(value) && value >= 1 && value <= 500,
    'must be a whole number from 1 to 500',
  ).default(10),
  REFUNDS_QUERIES_PER_SECOND: number(
    (value) => value > 0 && value <= 10_000,
    'must be a number above 0 and at most 10000',
  ).optional(),
  REFUNDS_TIME_SCALE: number(
    (value) => value > 0 && value <= 1,
    'must be a number above 0 and at most 1',
  ).default(1),
  REFUNDS_TASK_QUEUE: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, dots, dashes or underscores')
    .default('refunds'),
  REFUNDS_WORKER_PROFILE: z
    .enum(WORKER_PROFILES, { error: `must be one of ${WORKER_PROFILES.join(', ')}` })
    .default('standard'),
  REFUNDS_WORKFLOW_BUNDLE: z.string().optional(),
  REFUNDS_CREDIT_APPROVAL_ABOVE: z.string().default('').transform(readThresholds),
  ...limitVariables,
  REFUNDS_SCHEDULES: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  REFUNDS_METRICS_PORT: number(
    (value) => Number.isInteger(value) && value >= 1 && value <= 65_535,
    'must be a whole number from 1 to 65535',
  ).optional(),
  ...apiVariables,
  REFUNDS_CORRECTION_ALONE_UP_TO: z.string().default('').transform(readThresholds),
});

const EXAMPLES: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgresql://refunds@db.example:5432/refunds',
  REFUNDS_DATABASE_CONNECTIONS: '10',
  REFUNDS_QUERIES_PER_SECOND: '0.5',
  REFUNDS_TIME_SCALE: '0.001',
  REFUNDS_TASK_QUEUE: 'refunds',
  REFUNDS_WORKER_PROFILE: 'standard',
  REFUNDS_CREDIT_APPROVAL_ABOVE: 'EUR:500.00,USD:500.00',
  ...LIMIT_EXAMPLES,
  REFUNDS_SCHEDULES: 'on',
  REFUNDS_METRICS_PORT: '9464',
  ...API_EXAMPLES,
  REFUNDS_CORRECTION_ALONE_UP_TO: 'EUR:20.00',
};

/** Throws `SettingsError`. Only this function reads the files that the variables name. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const variable = (name: string): string | undefined => {
    const value = env[name]?.trim();
    return value === '' ? undefined : value;
  };
  const parsed = variables.safeParse(
    Object.fromEntries(Object.keys(variables.shape).map((name) => [name, variable(name)])),
  );
  const entities = readEntities(variable);
  const events = readEvents(variable);
  const cards = readCards(variable);
  const hasLiveHost = entities.ok && entities.value.some(({ host }) => host === 'live');
  const codec = readCodec(variable, hasLiveHost || variable('NODE_ENV') === 'production');
  const problems: SettingsProblem[] = [
    ...(parsed.success ? tokenProblems(parsed.data) : parsed.error.issues.map(problemOf)),
    ...(entities.ok ? [] : entities.problems),
    ...(events.ok ? [] : events.problems),
    ...(cards.ok ? [] : cards.problems),
    ...(codec.ok ? [] : codec.problems),
  ];
  if (!parsed.success || !entities.ok || !events.ok || !cards.ok || !codec.ok || problems.length > 0)
    throw new SettingsError(problems);

  const scale = parsed.data.REFUNDS_TIME_SCALE;
  if (scale !== 1 && hasLiveHost)
    throw new SettingsError([
      {
        variable: 'REFUNDS_TIME_SCALE',
        problem:
          'must be 1 where an entity is on a live host: it would shorten the proof that nothing was sent',
        example: '1',
      },
    ]);

  const timings = scaleTimings(DEFAULT_TIMINGS, scale);
  const shared = {
    ...DEFAULT_POLICY,
    creditApprovalAbove: parsed.data.REFUNDS_CREDIT_APPROVAL_ABOVE,
    ...limitPolicy(parsed.data),
    correctionAloneUpTo: parsed.data.REFUNDS_CORRECTION_ALONE_UP_TO,
  };
  const configs = new Map<string, RefundConfig>(
    entities.value.map(({ settings, ...own }) => [settings.id, { timings, policy: policyFor(shared, own) }]),
  );
  // For an entity that is not configured: the capabilities of its acquirer are unknown, so nothing is allowed that may be declined.
  const unknown: RefundConfig = {
    timings,
    policy: policyFor(shared, { capabilities: { credit: false, partialReversal: false }, policy: {} }),
  };
  const [first, ...others] = entities.value;
  return {
    databaseUrl: parsed.data.DATABASE_URL,
    databaseConnections: parsed.data.REFUNDS_DATABASE_CONNECTIONS,
    entities: [first.settings, ...others.map(({ settings }) => settings)],
    hosts: new Map(entities.value.map(({ settings, host }) => [settings.id, host])),
    webhookKeys: new Map(entities.value.map(({ settings, webhookKeys }) => [settings.id, webhookKeys])),
    configFor: (entityId) => configs.get(entityId) ?? unknown,
    queriesPerSecond: parsed.data.REFUNDS_QUERIES_PER_SECOND ?? QUERIES_PER_SECOND / scale,
    codec: codec.value,
    taskQueue: parsed.data.REFUNDS_TASK_QUEUE,
    workerProfile: parsed.data.REFUNDS_WORKER_PROFILE,
    workflowBundlePath: parsed.data.REFUNDS_WORKFLOW_BUNDLE,
    maintenance: parsed.data.REFUNDS_SCHEDULES === 'on' ? maintenanceAt(scale) : undefined,
    events: events.value,
    cards: cards.value,
    timeScale: scale,
    metricsPort: parsed.data.REFUNDS_METRICS_PORT,
    api: apiSettings(parsed.data),
  };
}

function problemOf(issue: z.core.$ZodIssue): SettingsProblem {
  const name = String(issue.path[0]);
  return { variable: name, problem: issue.message, example: EXAMPLES[name] ?? '' };
}
