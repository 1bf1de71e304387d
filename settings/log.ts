/** Logger of all processes: one JSON line for each event, with the ids that the console, the command line, Temporal and the tables use. */
import { pino } from 'pino';

/**
 * All fields that a line may contain. Bodies, cards, tokens and personal names have no field, so lines need no redaction. Fields that
 * are not listed here are dropped at run time too, even if a caller of the logger spreads them in.
 */
export interface LogFields {
  readonly refundId?: string | undefined;
  readonly attemptId?: string | undefined;
  readonly paymentId?: string | undefined;
  readonly entityId?: string | undefined;
  readonly gatewayId?: string | undefined;
  /** Our `merchantTransactionId`. */
  readonly reference?: string | undefined;
  readonly workflowId?: string | undefined;
  readonly runId?: string | undefined;
  readonly activity?: string | undefined;
  readonly requestId?: string | undefined;
  readonly webhookId?: string | undefined;
  readonly eventId?: string | undefined;
  /** The name of an API key or a token's subject. */
  readonly clientId?: string | undefined;
  readonly method?: string | undefined;
  /** The route's pattern, never the requested address: an address may contain anything. */
  readonly route?: string | undefined;
  readonly status?: number | undefined;
  readonly state?: string | undefined;
  /** A stable code: of an error, a result or a decline. */
  readonly code?: string | undefined;
  /** Temporal's message when it rejects a request. It contains namespaces, ids and attributes, and nothing that a client wrote. */
  readonly reason?: string | undefined;
  readonly count?: number | undefined;
  readonly tries?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly port?: number | undefined;
}

export interface Log {
  /** `event` is a name to search for, such as `refund.accepted`, not a sentence. */
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields, error?: unknown): void;
  error(event: string, fields?: LogFields, error?: unknown): void;
}

const FIELDS: Readonly<Record<keyof LogFields, true>> = {
  refundId: true,
  attemptId: true,
  paymentId: true,
  entityId: true,
  gatewayId: true,
  reference: true,
  workflowId: true,
  runId: true,
  activity: true,
  requestId: true,
  webhookId: true,
  eventId: true,
  clientId: true,
  method: true,
  route: true,
  status: true,
  state: true,
  code: true,
  reason: true,
  count: true,
  tries: true,
  durationMs: true,
  port: true,
};

export interface LogOptions {
  /** The process that logs: `api`, `worker`. */
  readonly role: string;
  /** Receives the lines; default stdout. */
  readonly to?: { write(line: string): void };
}

export function createLog({ role, to }: LogOptions): Log {
  const options = {
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'event',
  };
  const lines = to === undefined ? pino(options) : pino(options, to);
  return {
    info: (event, fields) => {
      lines.info(allowed(fields), event);
    },
    warn: (event, fields, error) => {
      lines.warn({ ...allowed(fields), ...described(error) }, event);
    },
    error: (event, fields, error) => {
      lines.error({ ...allowed(fields), ...described(error) }, event);
    },
  };
}

function allowed(fields: LogFields = {}): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(fields).filter(
      (entry): entry is [string, string | number] =>
        Object.hasOwn(FIELDS, entry[0]) && (typeof entry[1] === 'string' || typeof entry[1] === 'number'),
    ),
  );
}

/** Returns name, code and stack frames. Leaves out the message: that of a foreign error may repeat text from a client or the gateway. */
function described(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return error === undefined ? {} : { error: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /u.test(line));
  return { error: error.name, ...code, ...(frames.length === 0 ? {} : { stack: frames.slice(0, 12) }) };
}
