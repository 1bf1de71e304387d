/** Draws, by seed, how the gateway misbehaves for one payment: any fault of its simulator within the product's guarantees. */
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import type { FaultRule } from '../../sandbox/gateway/faults.js';
import type { Random } from '../simulation/harness/random.js';

type Effect = FaultRule['effect'];
type Draw = (random: Random) => Effect;

/**
 * Delay of orders that are executed or shown late. It stays within the time that the proof of absence waits: the gateway's visibility
 * lag after the last moment at which a byte could leave, 360 ms here. Both may come together, so each takes less than half of it. A
 * gateway that executes an order after that (minutes, at full scale) is outside the product's guarantees.
 */
const LATE_MS = 140;

/** A code of each class of declines, and some codes that prove nothing. */
const REFUSED: readonly [string, ...string[]] = [
  ...(['700.500.001', '700.500.004', '700.300.100', '800.100.150', '800.100.167'] as const),
  ...(['800.100.152', '800.100.100', '900.100.202', '700.100.200', '600.200.310', '700.400.200'] as const),
  ...(['700.300.300', '700.300.600', '800.100.206', '700.400.520', '700.300.200', '700.100.300'] as const),
  ...(['100.300.101', '600.200.500', '900.100.600', '800.120.100', '800.100.151', '800.300.101'] as const),
  ...(['700.300.400', '700.300.700', '700.400.000', '700.400.300', '800.900.300'] as const),
  ...(['800.110.100', '999.999.999', '800.600.100'] as const),
];
const NOT_LINKABLE = '700.500.001';
const CREDIT_DECLINED: readonly [string, ...string[]] = [
  ...(['800.100.152', '100.100.101', '800.300.101', '600.200.202', '700.400.200', '900.100.600'] as const),
];

const outcome: readonly [Draw, ...Draw[]] = [
  (random) => ({ kind: 'reject', code: random.pick(REFUSED), httpStatus: random.pick([200, 400]) }),
  (random) => ({ kind: 'reject', code: random.pick(REFUSED), httpStatus: random.pick([200, 400]) }),
  (random) => {
    const executed = random.chance(0.5);
    return { kind: 'comm_error', executed, recorded: !executed && random.chance(0.3) };
  },
  (random) => ({
    kind: 'pending',
    final: random.pick(['succeeded', 'succeeded', 'rejected']),
    ...(random.chance(0.8) ? { afterMs: random.spread(50, 12_000) } : {}),
  }),
];

const transport: readonly [Draw, ...Draw[]] = [
  (random) => ({ kind: 'accept_then_drop', dropAfterMs: random.pick([0, 0, 50, 1_500]) }),
  // At times longer than the client waits for an answer.
  (random) => ({ kind: 'answer_after', ms: random.pick([100, 400, 1_200, 3_000, 6_500]) }),
  (random) => ({
    kind: 'http_error',
    status: random.pick([302, 403, 429, 500, 502, 503, 504]),
    executed: random.chance(0.5),
  }),
  (random) => ({
    kind: 'broken_body',
    form: random.pick(['truncated', 'cut_off', 'garbage', 'no_result', 'empty', 'huge']),
    executed: random.chance(0.6),
  }),
];

const arrival: readonly [Draw, ...Draw[]] = [
  (random) => ({ kind: 'drop_before_execute', dropAfterMs: random.pick([0, 50, 1_500]) }),
  (random) => ({
    kind: 'execute_after',
    ms: random.between(10, LATE_MS),
    dropAfterMs: random.pick([0, 300]),
  }),
];

type Echo = Extract<Effect, { kind: 'wrong_echo' }>['fields'];
const ECHOES: readonly [Echo, ...Echo[]] = [
  { id: null },
  { amount: '0.01' },
  { currency: 'XAF' },
  { paymentType: 'CP' },
  { paymentType: null },
  { merchantTransactionId: 'SOMEBODYELSES' },
  { merchantTransactionId: null },
  { referencedId: 'f'.repeat(32) },
  { amount: null, currency: null },
];

/** Draws at most one effect of each list: one order may be declined, lose its answer and be shown late. */
function drawn(random: Random): Effect[] {
  const effects: Effect[] = [];
  if (random.chance(0.4)) effects.push(random.pick(outcome)(random));
  if (random.chance(0.3)) effects.push(random.pick(transport)(random));
  if (random.chance(0.1)) effects.push(random.pick(arrival)(random));
  if (random.chance(0.08)) effects.push({ kind: 'wrong_echo', fields: random.pick(ECHOES) });
  if (random.chance(0.05)) effects.push({ kind: 'missing_reference' });
  if (random.chance(0.12)) effects.push({ kind: 'visibility_lag', ms: random.between(10, LATE_MS) });
  return effects;
}

/** Returns the fault rules for orders about this payment. `credit`: the refund is declined, so that a credit follows. */
export function moodsFor(random: Random, payment: CreatedPayment, credit: boolean): FaultRule[] {
  const rules: FaultRule[] = [];
  const linked = [payment.paymentId, ...payment.captureIds];
  const target = random.pick([payment.captureIds[0] ?? payment.paymentId, ...linked]);
  const paymentType = random.pick(['RF', 'RF', 'RF', 'RV']);
  if (credit)
    for (const paymentId of linked)
      rules.push({ match: { paymentType: 'RF', paymentId }, effect: { kind: 'reject', code: NOT_LINKABLE } });
  else
    for (const effect of drawn(random))
      rules.push({ match: { paymentType, paymentId: target }, times: random.pick([1, 1, 1, 2]), effect });
  if (random.chance(0.05))
    rules.push({
      match: { paymentType: 'RF', paymentId: target },
      effect: { kind: 'chargeback_after_rejection' },
    });

  const match = { paymentType: 'CD', registrationId: payment.registrationId };
  for (const effect of drawn(random))
    rules.push({
      match,
      effect: effect.kind === 'reject' ? { kind: 'reject', code: random.pick(CREDIT_DECLINED) } : effect,
    });

  if (random.chance(0.5))
    for (const paymentId of linked)
      rules.push({ match: { paymentId }, times: random.pick([1, 2, 3]), effect: notificationFault(random) });
  if (random.chance(0.3))
    rules.push({ match, times: random.pick([1, 2]), effect: notificationFault(random) });

  if (random.chance(0.2))
    rules.push({
      match: { paymentId: payment.paymentId },
      times: random.pick([1, 2, 4]),
      effect: queryFault(random),
    });
  return rules;
}

/** Draws a fault of a notification: lost, repeated, late, or after its successor. */
function notificationFault(random: Random): Effect {
  const how = random.pick(['lost', 'duplicate', 'delay', 'out_of_order'] as const);
  return { kind: 'webhook', how, ms: random.spread(10, 8_000) };
}

/** Draws a fault for the next query of any kind, by id or by reference. */
export function queryFault(random: Random): Effect {
  return {
    kind: 'query',
    how: random.pick(['throttled', 'empty', 'html', 'drop']),
    status: random.pick([429, 500, 502, 503]),
  };
}
