/** Requests that are each wrong in one respect. They must be refused with the matching code, and nothing may be stored. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { RefundOrder } from '../../client/index.js';
import { expectRefusal, orderOf, requestOf, type Intent } from './asking.js';
import { CLERK, NoAnswer, OPERATOR, type Sent } from './http.js';

/** Sends a request that is wrong in one respect, and expects its refusal. */
export const nonsense: Intent = async (harness) => {
  if (harness.operation === 'http' && harness.random.chance(0.5)) return unreadable(harness);
  const good = orderOf(harness, harness.total);
  const change = (fields: Readonly<Record<string, unknown>>): RefundOrder => ({
    ...good,
    request: { ...requestOf(harness, harness.total), ...fields },
  });
  const [order, ...codes] = harness.random.pick<[RefundOrder, ...string[]]>([
    [change({ amount: '0' }), 'invalid_request'],
    [change({ amount: '-1.00' }), 'invalid_request'],
    [change({ amount: '1,00' }), 'invalid_request'],
    [change({ amount: '1.0000' }), 'invalid_request'],
    [change({ amount: 12 }), 'invalid_request'],
    [change({ currency: 'XYZ' }), 'invalid_request'],
    [change({ paymentId: 'not-an-id' }), 'invalid_request'],
    [change({ paymentId: 'd'.repeat(32) }), 'invalid_request'],
    [change({ reason: ' ' }), 'invalid_request'],
    [change({ cardNumber: 'somewhere else' }), 'invalid_request'],
    [{ ...good, idempotencyKey: 'with a space' }, 'invalid_request'],
    // Over HTTP the key identifies the principal.
    ...(harness.operation === 'client'
      ? [[{ ...good, requestedBy: '' }, 'invalid_request'] as [RefundOrder, ...string[]]]
      : []),
    // The gateway may hide the payment at the moment.
    [
      change({ amount: '9999999.00', currency: 'EUR' }),
      'exceeds_refundable',
      'currency_mismatch',
      'invalid_request',
    ],
    [change({ amount: '1.00', currency: 'USD' }), 'currency_mismatch', 'invalid_request'],
  ]);
  await expectRefusal(harness, order, codes);
};

/** Sends a refund whose HTTP request is wrong, and expects the status and code for it. */
const unreadable: Intent = async (harness) => {
  const { random, http, notes, total } = harness;
  const request = requestOf(harness, total);
  const good = {
    method: 'POST',
    path: '/v1/refunds',
    by: CLERK,
    headers: { 'idempotency-key': randomUUID() },
    body: JSON.stringify(request),
  } as const;
  const { by: _stranger, ...anonymous } = good;
  const [sent, status, code] = random.pick<readonly [Sent, number, string]>([
    [anonymous, 401, 'unauthenticated'],
    [
      { ...good, headers: { ...good.headers, authorization: 'Bearer rk_000000000000_x' } },
      401,
      'unauthenticated',
    ],
    [{ ...good, by: OPERATOR }, 403, 'forbidden'],
    [{ ...good, headers: {} }, 422, 'invalid_request'],
    [{ ...good, body: good.body.slice(0, -1) }, 400, 'bad_request'],
    [{ ...good, body: '[]' }, 422, 'invalid_request'],
    [{ ...good, headers: { ...good.headers, 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
    [
      { ...good, body: JSON.stringify({ ...request, metadata: 'x'.repeat(300_000) }) },
      413,
      'payload_too_large',
    ],
    [{ ...good, path: '/v1/refund' }, 404, 'not_found'],
  ]);
  try {
    const answer = await http.send(sent);
    if (answer.status === 503) return;
    const reported = z.object({ code: z.string() }).safeParse(answer.body).data?.code;
    notes.refuse(reported ?? String(answer.status));
    if (answer.status !== status || reported !== code)
      notes.wrong.push(`answered ${answer.status} ${String(reported)}, expected ${status} ${code}`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
  }
};
