/** `GET /v1/payments/{id}` (balances, refunds, disputes, timeline) and `GET /v1/refunds/{id}/timeline`. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { formatAmount, storedMoney } from '../../domain/money/money.js';
import { disputesOf } from '../../ledger/payments/disputes.js';
import { creditedOn, readTimeline } from '../../ledger/views/timeline.js';
import { PAYMENT_TYPES } from '../../client/api-types.js';
import { timelineOf } from '../../client/timeline-view.js';
import type { ApiParts } from './route-dependencies.js';
import { Problem, problems } from './problems.js';
import { paymentParams, refundParams } from './request-schemas.js';
import { listOf, payment, timelineEntry } from './schemas.js';

/** The ledger returns at most this many refunds in one list. */
const MOST_REFUNDS = 1_000;

export const paymentRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { client, ledger, database }) => {
  app.get(
    '/v1/payments/:id',
    {
      config: { role: 'read' },
      schema: {
        tags: ['payments'],
        summary: 'Get a payment with its balances, refunds, disputes and timeline',
        description:
          'A payment is known from its first refund request on. The id of a capture returns the payment that it belongs to.',
        params: paymentParams,
        response: { 200: payment, ...problems(401, 404, 422, 429, 500, 503) },
      },
    },
    async (request) => {
      const record = await ledger.findPayment(request.params.id);
      if (record === null)
        throw new Problem('payment_unknown', 'no refund was requested for a payment with this id');
      const { id, currency } = record;
      request.about = { paymentId: id };
      const [refunds, disputes, credited, timeline] = await Promise.all([
        client.listRefunds({ paymentId: id, limit: MOST_REFUNDS }),
        disputesOf(database, id),
        creditedOn(database, id),
        readTimeline(database, { paymentId: id }),
      ]);
      const amountOf = (minor: bigint): string => formatAmount(storedMoney(minor, currency));
      return {
        id,
        entityId: record.entityId,
        type: PAYMENT_TYPES[record.type],
        declared: record.isDeclared,
        state: record.state,
        currency,
        authorized: amountOf(record.authorizedMinor),
        captured: amountOf(record.capturedMinor),
        refunded: amountOf(record.succeededMinor - credited),
        credited: amountOf(credited),
        reserved: amountOf(record.reservedMinor),
        returned: amountOf(record.returnedMinor),
        disputed: amountOf(record.disputedMinor),
        excess: amountOf(record.excessMinor),
        refundable: amountOf(record.refundableMinor),
        refunds,
        disputes: disputes.map((dispute) => ({
          id: dispute.id,
          amount: amountOf(dispute.amountMinor),
          reversed: amountOf(dispute.reversedMinor),
          at: dispute.at.toISOString(),
          isOver: dispute.reversedMinor === dispute.amountMinor,
        })),
        timeline: timelineOf(timeline, currency),
      };
    },
  );

  app.get(
    '/v1/refunds/:id/timeline',
    {
      config: { role: 'read' },
      schema: {
        tags: ['refunds'],
        summary: "Get a refund's timeline, oldest entry first",
        params: refundParams,
        response: { 200: listOf(timelineEntry), ...problems(401, 404, 422, 429, 500, 503) },
      },
    },
    async ({ params }) => {
      const { currency } = await client.getRefund(params.id);
      return { data: timelineOf(await readTimeline(database, { refundId: params.id }), currency) };
    },
  );
};
