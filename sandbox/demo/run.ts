/** Runs the demonstration: requests every case's refunds through the public HTTP API and follows each to its end. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayControl, SandboxPayment } from '../control-client.js';
import { Refused, type ApiRefund, type DemoApi } from './api-client.js';
import { CASES, sampleCard, type Case, type Ending } from './cases.js';

/** One row of the table: one request and its end. */
export interface Row {
  readonly name: string;
  readonly amount: string;
  readonly paymentId: string;
  /** Absent where the request was refused. */
  readonly refund?: ApiRefund;
  readonly refused?: string;
  readonly ending: Ending | undefined;
  readonly asExpected: boolean;
}

export interface DemoHarness {
  readonly api: DemoApi;
  readonly gateway: GatewayControl;
  /** Called after each change of a case, with the progress of all cases. */
  readonly onProgress: (progress: readonly Progress[]) => void;
  /** Milliseconds that each refund may take; default five minutes. */
  readonly withinMs?: number;
}

export interface Progress {
  readonly name: string;
  state: string;
  done: boolean;
}

const CURRENCY = 'EUR';
const DEFAULT_WITHIN_MS = 300_000;

export async function runDemo(harness: DemoHarness): Promise<readonly Row[]> {
  const progress: Progress[] = CASES.map(({ name }) => ({ name, state: 'waiting', done: false }));
  const rows = await Promise.all(
    CASES.map(async (example, index) => {
      const line = progress[index];
      const report = (state: string, done = false): void => {
        if (line === undefined || (line.state === state && line.done === done)) return;
        line.state = state;
        line.done = done;
        harness.onProgress(progress);
      };
      const result = await runCase(harness, example, report);
      report(result.map((row) => row.refund?.state ?? row.refused ?? '').join(', '), true);
      return result;
    }),
  );
  return rows.flat();
}

async function runCase(harness: DemoHarness, example: Case, report: (state: string) => void): Promise<Row[]> {
  const { api, gateway, withinMs = DEFAULT_WITHIN_MS } = harness;
  const payment = await gateway.createPayment({ ...example.payment, currency: CURRENCY });
  if (example.before !== undefined) {
    const first = await ask(api, payment, example.before);
    if (first.refund !== undefined) await api.whenFinal(first.refund.id);
  }
  await example.arrange?.(gateway, payment);

  const asked: QueryStart[] = [];
  if (example.atOnce === true)
    asked.push(...(await Promise.all(example.amounts.map((amount) => ask(api, payment, amount, example)))));
  else for (const amount of example.amounts) asked.push(await ask(api, payment, amount, example));
  // Either of two concurrent requests may be accepted: the accepted ones come first.
  asked.sort((a, b) => Number(a.refund === undefined) - Number(b.refund === undefined));

  const rows: Row[] = [];
  for (const [index, one] of asked.entries()) {
    const ending = example.endings[index];
    const refund =
      one.refund === undefined ? undefined : await follow(api, one.refund, example, ending, report, withinMs);
    rows.push({
      name: example.name,
      amount: one.amount,
      paymentId: payment.paymentId,
      ...(refund === undefined ? {} : { refund }),
      ...(one.refused === undefined ? {} : { refused: one.refused }),
      ending,
      asExpected: ending !== undefined && endsAs(ending, refund, one.refused),
    });
  }
  return rows;
}

interface QueryStart {
  readonly amount: string;
  readonly refund?: ApiRefund;
  readonly refused?: string;
}

async function ask(
  api: DemoApi,
  { paymentId, registrationId }: SandboxPayment,
  amount: string,
  { credit }: Pick<Case, 'credit'> = {},
): Promise<QueryStart> {
  const body = { amount, currency: CURRENCY, reason: 'order_cancelled' };
  const linked = { ...body, paymentId };
  try {
    if (credit === undefined) return { amount, refund: await api.ask(randomUUID(), linked) };
    const destination =
      credit === 'to_card' ? { cardRef: await api.sealCard(sampleCard()) } : { registrationId };
    const asked = { ...(credit === 'on_payment' ? linked : body), destination };
    return { amount, refund: await api.askCredit(randomUUID(), asked) };
  } catch (error) {
    if (error instanceof Refused) return { amount, refused: error.code };
    throw error;
  }
}

/** Milliseconds between two queries: short enough to show each state in the progress. */
const QUERY_EVERY = 200;

/** Follows a refund until it ends as expected or the time limit is reached. Approves or rejects if an approval is needed. */
async function follow(
  api: DemoApi,
  refund: ApiRefund,
  example: Case,
  ending: Ending | undefined,
  report: (state: string) => void,
  withinMs: number,
): Promise<ApiRefund> {
  const until = performance.now() + withinMs;
  let now = refund;
  let decided: string | undefined;
  while (performance.now() < until) {
    report(now.state);
    if (ending !== undefined && endsAs(ending, now, undefined)) break;
    const verdict = example.approval ?? (isBeyondTheDay(now) ? 'approve' : undefined);
    if (now.approval !== null && verdict !== undefined && decided !== now.approval.instruction) {
      decided = now.approval.instruction;
      now = await api.decide(now.id, verdict, decided);
      continue;
    }
    await sleep(QUERY_EVERY);
    now = await api.get(now.id);
  }
  return now;
}

/** True if only the day's limit asks for an approval: earlier demonstrations of the same day have used it up. */
const isBeyondTheDay = ({ approval }: ApiRefund): boolean =>
  approval !== null &&
  approval.why.length > 0 &&
  approval.why.every((why) => why === 'above_limit_of_requester');

function endsAs(ending: Ending, refund: ApiRefund | undefined, refused: string | undefined): boolean {
  if ('refused' in ending) return refused === ending.refused;
  if (refund === undefined) return false;
  return (
    refund.state === ending.state &&
    (ending.operation === undefined || refund.operation === ending.operation) &&
    (ending.why === undefined || ending.why.test(refund.why ?? ''))
  );
}
