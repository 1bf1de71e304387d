/** Draws what the gateway itself does wrong with one write: declines, lost and late answers, outcomes that change later. */
import type { FaultEffect } from '../../../sandbox/gateway/faults.js';
import { LIMITS } from './config.js';
import type { Random } from './random.js';
import type { Harness } from './harness.js';

/** One code for each decline class and each kind of doubt: samples of the domain's lists. */
const REFUND_CODES = [
  // Declines that lead on come more often than final ones: a credit is where money can be lost.
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

function faultSetter({ gateway, coverage, trace }: Harness, fields: Fields): (effect: FaultEffect) => void {
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

/** Makes the gateway decline the next order and do nothing else: the program has to continue from there. */
export function setDecline(harness: Harness, fields: Fields): void {
  faultSetter(harness, fields)({ kind: 'reject', code: drawCode(harness.random, fields) });
  harness.onTrouble();
}

export function setTrouble(harness: Harness, fields: Fields): void {
  const { random, direction } = harness;
  if (direction !== undefined) {
    direction.atGateway?.(fields);
    return;
  }
  const setFault = faultSetter(harness, fields);
  const code = (): string => drawCode(random, fields);
  // Late execution and late visibility together stay below the time that the program waits before it concludes absence.
  const late = (): number => random.spread(1_000, LIMITS.executionDelay);

  harness.onTrouble();
  for (let kinds = random.between(1, 2); kinds > 0; kinds -= 1)
    switch (random.between(0, 15)) {
      case 0:
        setFault({ kind: 'drop_before_execute', dropAfterMs: random.pick([0, 5_000]) });
        break;
      case 1:
        setFault({ kind: 'execute_after', ms: late(), dropAfterMs: random.pick([0, 5_000, 200_000]) });
        break;
      case 2:
      case 3:
        setFault({ kind: 'reject', code: code(), httpStatus: random.pick([200, 400]) });
        break;
      case 4:
      case 5:
        setFault({ kind: 'reject', code: DOUBTS[random.between(0, DOUBTS.length - 1)] ?? DOUBTS[0] });
        break;
      case 6:
        setFault({
          kind: 'comm_error',
          executed: random.chance(0.5),
          recorded: random.chance(0.5),
          hasId: random.chance(0.5),
        });
        break;
      case 7:
      case 8: {
        const isShort = random.chance(0.7);
        setFault({
          kind: 'pending',
          code: random.pick(['000.200.000', '800.400.502']),
          final: random.pick(['succeeded', 'succeeded', 'rejected']),
          ...(isShort ? { afterMs: random.spread(1_000, 86_400_000) } : {}),
        });
        // In progress, and the program does not know it.
        if (random.chance(0.4)) setFault({ kind: 'accept_then_drop', dropAfterMs: random.pick([0, 30_000]) });
        break;
      }
      case 9:
        setFault({ kind: 'accept_then_drop', dropAfterMs: random.pick([0, 30_000]) });
        break;
      case 10:
        setFault({ kind: 'answer_after', ms: random.spread(1_000, 400_000) });
        break;
      case 11:
        setFault({
          kind: 'http_error',
          executed: random.chance(0.5),
          status: random.pick([302, 400, 500, 502, 503]),
        });
        break;
      case 12:
        setFault({
          kind: 'broken_body',
          form: random.pick(['truncated', 'cut_off', 'garbage', 'no_result', 'empty']),
          executed: random.chance(0.7),
        });
        break;
      case 13:
        setFault({ kind: 'wrong_echo', fields: wrongFields(harness) });
        break;
      case 14:
        setFault({ kind: 'late_failure', ms: random.spread(1_000, 30 * 86_400_000) });
        break;
      default:
        setFault({ kind: 'chargeback_after_rejection' });
        setFault({ kind: 'reject', code: code() });
    }
  if (random.chance(0.4))
    setFault({ kind: 'visibility_lag', ms: random.spread(1_000, LIMITS.visibilityLag) });
  if (random.chance(0.1)) setFault({ kind: 'missing_reference' });
  if (random.chance(0.4))
    setFault({
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
