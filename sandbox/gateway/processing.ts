/** Turns a valid instruction into a transaction and its answer: applies forced results, checks the original, applies faults. */
import { answerBody, bareBody } from './bodies.js';
import { parseAmount } from './amounts.js';
import { chargeback } from './disputes.js';
import type { EffectOf } from './faults.js';
import { transactionId } from './ids.js';
import type { Draft, Platform } from './platform.js';
import { checkReference, isChargedBack, type ReferenceCheck } from './references.js';
import { createsNoTransaction, stateOfCode } from './result-texts.js';
import { subjectOf } from './subjects.js';
import {
  isAboutRegistration,
  paysCustomer,
  type Answer,
  type Instruction,
  type PlannedChange,
  type Transaction,
} from './types.js';

/** Executes `order` at `now`: the fourth to the seventh check, in this order. */
export function processOrder(platform: Platform, order: Instruction, now: number): Answer {
  const answer = decide(platform, order, now);
  const wrong = platform.faults.take('echo', subjectOf(order));
  if (wrong === null) return answer;
  const fields = Object.entries(wrong.fields).map(([name, value]) => [name, value ?? undefined] as const);
  return { ...answer, body: { ...answer.body, ...Object.fromEntries(fields) } };
}

function decide(platform: Platform, order: Instruction, now: number): Answer {
  const { forced } = order;
  if (forced !== null && stateOfCode(forced.code) === 'rejected') {
    return forced.recorded
      ? decline(platform, order, forced.code, now)
      : bare(platform, order, forced.code, now);
  }
  const check = checkReference(platform.store, order, platform.settings);
  if (!check.ok) return rejectReference(platform, order, check.code, now, check.original);

  const fault = platform.faults.take('outcome', subjectOf(order));
  switch (fault?.kind) {
    case 'reject':
      if (createsNoTransaction(fault.code)) return bare(platform, order, fault.code, now, fault.httpStatus);
      return decline(platform, order, fault.code, now, fault.httpStatus);
    case 'comm_error':
      return leaveOpen(platform, order, check, now, fault);
    case 'pending': {
      const finalCode =
        fault.finalCode ?? (fault.final === 'succeeded' ? successCode(platform, order) : '100.397.102');
      const planned: PlannedChange | null =
        fault.afterMs === undefined
          ? null
          : {
              at: now + fault.afterMs,
              from: 'pending',
              to: fault.final,
              resultCode: finalCode,
            };
      return accept(platform, order, check, now, fault.code, planned);
    }
    case undefined:
      return accept(platform, order, check, now, forced?.code ?? successCode(platform, order), null);
  }
}

type Accepted = Extract<ReferenceCheck, { ok: true }>;

/** Returns an answer that leaves the outcome open. The fault decides whether the answer has a transaction id. */
function leaveOpen(
  platform: Platform,
  order: Instruction,
  check: Accepted,
  now: number,
  fault: Extract<EffectOf<'outcome'>, { kind: 'comm_error' }>,
): Answer {
  const { executed, recorded, hasId, code, httpStatus } = fault;
  const recordedCode = executed
    ? successCode(platform, order)
    : stateOfCode(code) === 'rejected'
      ? code
      : '900.100.300';
  const transaction = executed || recorded ? record(platform, order, check, now, recordedCode) : null;
  const answer = bare(platform, order, code, now, httpStatus);
  if (!hasId) return answer;
  const id = transaction?.id ?? transactionId(platform.ids);
  return { httpStatus, body: { id, paymentType: order.type, ...answer.body } };
}

/** Returns the success code of the host or test mode. */
function successCode(platform: Platform, order: Instruction): string {
  if (platform.settings.live) return '000.000.000';
  return order.testMode === 'EXTERNAL' ? '000.100.112' : '000.100.110';
}

function accept(
  platform: Platform,
  order: Instruction,
  check: Accepted,
  now: number,
  code: string,
  planned: PlannedChange | null,
): Answer {
  const transaction = record(platform, order, check, now, code, planned);
  return {
    httpStatus: 200,
    body: answerBody(platform.ids, platform.entityOf(transaction), transaction, now),
  };
}

/** A decline by the bank: creates a rejected transaction that shows its amount. */
function decline(
  platform: Platform,
  order: Instruction,
  code: string,
  now: number,
  httpStatus: number = platform.settings.declineStatus,
): Answer {
  const original =
    order.referencedId === null ? null : platform.store.find(order.entityId, order.referencedId);
  const transaction = create(platform, order, now, {
    amount: order.amount ?? original?.amount ?? 0n,
    currency: order.currency ?? original?.currency ?? '',
    state: 'rejected',
    resultCode: code,
    showsAmount: true,
  });
  afterRejection(platform, order, original, now);
  return {
    httpStatus,
    body: answerBody(platform.ids, platform.entityOf(transaction), transaction, now),
  };
}

/** A rejection by the gateway because of the original: creates a rejected transaction that is answered without its amount. */
function rejectReference(
  platform: Platform,
  order: Instruction,
  code: string,
  now: number,
  original: Transaction | null,
): Answer {
  const transaction = create(platform, order, now, {
    amount: order.amount ?? 0n,
    currency: order.currency ?? '',
    state: 'rejected',
    resultCode: code,
    showsAmount: false,
  });
  afterRejection(platform, order, original, now);
  const httpStatus = platform.settings.declineStatus;
  return {
    httpStatus,
    body: answerBody(platform.ids, platform.entityOf(transaction), transaction, now),
  };
}

function bare(
  platform: Platform,
  order: Instruction,
  code: string,
  now: number,
  httpStatus: number = platform.settings.declineStatus,
): Answer {
  return {
    httpStatus,
    body: bareBody(platform.ids, order.entityId, now, code),
  };
}

function record(
  platform: Platform,
  order: Instruction,
  check: Accepted,
  now: number,
  code: string,
  planned: PlannedChange | null = null,
): Transaction {
  const late = paysCustomer(order.type) ? platform.faults.take('late', subjectOf(order)) : null;
  const lateFailure: PlannedChange[] =
    late === null
      ? []
      : [
          {
            at: now + late.ms,
            from: 'succeeded',
            to: 'rejected',
            resultCode: late.code,
          },
        ];
  const registrationId =
    order.createRegistration && order.card !== null
      ? platform.register(order.entityId, order.card)
      : order.registrationId;
  const transaction = create(platform, { ...order, registrationId }, now, {
    amount: check.amount,
    currency: check.currency,
    state: stateOfCode(code),
    resultCode: code,
    showsAmount: true,
    plannedChanges: [...(planned === null ? [] : [planned]), ...lateFailure],
  });
  if (transaction.type === 'RG' && transaction.card !== null && transaction.state !== 'rejected')
    platform.register(order.entityId, transaction.card, transaction.id);
  if (transaction.type === 'DR' && transaction.state === 'succeeded')
    platform.removeRegistration(order.entityId, order.registrationId ?? '');
  return transaction;
}

function create(
  platform: Platform,
  order: Instruction,
  now: number,
  rest: Pick<Draft, 'amount' | 'currency' | 'state' | 'resultCode' | 'showsAmount' | 'plannedChanges'>,
): Transaction {
  const subject = subjectOf(order);
  const lag = platform.faults.take('visibility', subject);
  const listing = platform.faults.take('listing', subject) !== null;
  const amount = order.type === 'RV' && order.amount === null && !platform.settings.reversalShowsAmount;
  const reference = platform.faults.take('reference', subject) !== null;
  // A PA.CP is always rejected; the rejected transaction has the type PA.
  const type = order.type === 'PA.CP' ? 'PA' : order.type;
  const draft: Draft = {
    entityId: order.entityId,
    type,
    amount: rest.amount,
    currency: rest.currency,
    referencedId: order.referencedId,
    state: rest.state,
    merchantTransactionId: order.merchantTransactionId,
    registrationId: order.registrationId,
    paymentBrand: order.paymentBrand,
    card: order.card,
    resultCode: rest.resultCode,
    source: 'OPP',
    showsAmount: rest.showsAmount && !isAboutRegistration(type),
    plannedChanges: rest.plannedChanges ?? [],
  };
  return platform.create(draft, now, {
    reference,
    amount,
    listing,
    ...(lag === null ? {} : { lagMs: lag.ms }),
  });
}

function afterRejection(
  platform: Platform,
  order: Instruction,
  original: Transaction | null,
  now: number,
): void {
  if (order.type !== 'RF' || original === null || isChargedBack(platform.store, original)) return;
  if (original.type !== 'DB' && original.type !== 'CP') return;
  const fault = platform.faults.take('aftermath', subjectOf(order));
  if (fault === null) return;
  const amount = fault.amount === undefined ? null : parseAmount(fault.amount);
  chargeback(platform, { paymentId: original.id, amount: amount ?? original.amount }, now);
}
