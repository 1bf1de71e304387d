/** What the gateway itself does wrong with one write, drawn by the world's chance: refusals, lost and late answers, late truth. */
import type { FaultEffect } from '../../../sandbox/gateway/faults.js';
import { LIMITS } from './config.js';
import type { Random } from './random.js';
import type { Harness } from './harness.js';

/** One code for each class of refusal and each kind of doubt; the lists are the domain's, these are samples of them. */
const REFUND_CODES = [
  // The ways onward more often than the dead ends: a credit is where money can be lost.
  '700.500.001',
  '700.500.001',
  '700.500.001',
  '700.500.004',
  '700.500.004',
  '700.300.100',
  '100.350.101',
  '800.100.150',
  '800.100.167',
  '800.100.152',
  '800.100.152',
  '800.100.170',
  '900.100.202',
  '700.100.200',
  '600.200.310',
  '600.200.400',
  '700.400.200',
  '700.300.300',
  '700.300.600',
  '700.400.520',
  '700.300.800',
  '700.300.200',
  '700.100.300',
  '800.100.206',
  '600.200.500',
  '800.100.151',
  '800.310.200',
  '800.300.101',
  '700.400.100',
  '700.400.000',
  '700.400.570',
  '800.120.100',
] as const;
const REVERSAL_CODES = [
  '700.300.700',
  '700.400.530',
  '600.200.310',
  '700.300.300',
  '800.120.100',
  '700.400.000',
  '100.350.101',
] as const;
const CREDIT_CODES = [
  '800.100.152',
  '800.100.151',
  '600.200.202',
  '800.300.101',
  '700.400.000',
  '100.150.200',
  '800.120.100',
  '700.300.600',
] as const;
const DOUBTS = [
  '900.100.300',
  '999.999.999',
  '800.110.100',
  '800.600.100',
  '000.400.030',
  '123.456.789',
  '000.300.100',
] as const;

type Fields = Readonly<Record<string, string>>;

function planner({ gateway, coverage, trace }: Harness, fields: Fields): (effect: FaultEffect) => void {
  const match = { merchantTransactionId: fields['merchantTransactionId'] ?? '' };
  return (effect) => {
    coverage.hit(
      'fault',
      `gateway ${effect.kind}${effect.kind === 'broken_body' ? ` ${effect.form ?? ''}` : ''}`,
    );
    if (trace.isKept) trace.note('gateway', `will ${JSON.stringify(effect)}`);
    gateway.setFault({ match, effect });
  };
}

function drawCode(random: Random, fields: Fields): string {
  const codes =
    fields['paymentType'] === 'RF'
      ? REFUND_CODES
      : fields['paymentType'] === 'RV'
        ? REVERSAL_CODES
        : CREDIT_CODES;
  return codes[random.between(0, codes.length - 1)] ?? codes[0];
}

/** Refused, and nothing else: what the program has to find its way from. */
export function configRefusal(harness: Harness, fields: Fields): void {
  planner(harness, fields)({ kind: 'reject', code: drawCode(harness.random, fields) });
  harness.onTrouble();
}

export function planTrouble(harness: Harness, fields: Fields): void {
  const { random, direction } = harness;
  if (direction !== undefined) {
    direction.atGateway?.(fields);
    return;
  }
  const config = planner(harness, fields);
  const code = (): string => drawCode(random, fields);
  // Late arrival and late sight together stay within what the merchant waits for before it believes in absence.
  const late = (): number => random.spread(1_000, LIMITS.executionDelay);

  harness.onTrouble();
  for (let kinds = random.between(1, 2); kinds > 0; kinds -= 1)
    switch (random.between(0, 15)) {
      case 0:
        config({ kind: 'drop_before_execute', dropAfterMs: random.pick([0, 5_000]) });
        break;
      case 1:
        config({ kind: 'execute_after', ms: late(), dropAfterMs: random.pick([0, 5_000, 200_000]) });
        break;
      case 2:
      case 3:
        config({ kind: 'reject', code: code(), httpStatus: random.pick([200, 400]) });
        break;
      case 4:
      case 5:
        config({ kind: 'reject', code: DOUBTS[random.between(0, DOUBTS.length - 1)] ?? DOUBTS[0] });
        break;
      case 6:
        config({
          kind: 'comm_error',
          executed: random.chance(0.5),
          recorded: random.chance(0.5),
          hasId: random.chance(0.5),
        });
        break;
      case 7:
      case 8: {
        const isShort = random.chance(0.7);
        config({
          kind: 'pending',
          code: random.pick(['000.200.000', '800.400.502']),
          final: random.pick(['succeeded', 'succeeded', 'rejected']),
          ...(isShort ? { afterMs: random.spread(1_000, 86_400_000) } : {}),
        });
        // Under way, and nobody knows.
        if (random.chance(0.4)) config({ kind: 'accept_then_drop', dropAfterMs: random.pick([0, 30_000]) });
        break;
      }
      case 9:
        config({ kind: 'accept_then_drop', dropAfterMs: random.pick([0, 30_000]) });
        break;
      case 10:
        config({ kind: 'answer_after', ms: random.spread(1_000, 400_000) });
        break;
      case 11:
        config({
          kind: 'http_error',
          executed: random.chance(0.5),
          status: random.pick([302, 400, 500, 502, 503]),
        });
        break;
      case 12:
        config({
          kind: 'broken_body',
          form: random.pick(['truncated', 'cut_off', 'garbage', 'no_result', 'empty']),
          executed: random.chance(0.7),
        });
        break;
      case 13:
        config({ kind: 'wrong_echo', fields: wrongFields(harness) });
        break;
      case 14:
        config({ kind: 'late_failure', ms: random.spread(1_000, 30 * 86_400_000) });
        break;
      default:
        config({ kind: 'chargeback_after_rejection' });
        config({ kind: 'reject', code: code() });
    }
  if (random.chance(0.4)) config({ kind: 'visibility_lag', ms: random.spread(1_000, LIMITS.visibilityLag) });
  if (random.chance(0.1)) config({ kind: 'missing_reference' });
  if (random.chance(0.4))
    config({
      kind: 'webhook',
      how: random.pick(['lost', 'duplicate', 'delay', 'out_of_order']),
      ms: random.spread(1, 3_600_000),
    });
}

function wrongFields({ random, payment }: Harness): Extract<FaultEffect, { kind: 'wrong_echo' }>['fields'] {
  return random.pick<Extract<FaultEffect, { kind: 'wrong_echo' }>['fields']>([
    { amount: '0.01' },
    { amount: null },
    { currency: 'USD' },
    { paymentType: 'DB' },
    { merchantTransactionId: 'SOMEBODYELSES000' },
    { referencedId: 'f'.repeat(32) },
    { id: null },
    { id: 'not-an-id' },
    { id: payment.id },
  ]);
}
