/**
 * A program that a test runs: opens a sealed card and credits it, as the worker's activity does. It is told what to do by messages of its
 * parent, which hold the card only sealed, and can be made to write a heap snapshot.
 */
import { writeHeapSnapshot } from 'node:v8';
import { z } from 'zod';
import type { CardData, SealedField } from '../../domain/card/sealed-card.js';
import { Secret } from '../../domain/secret.js';
import type { CardCreditOrder, Gateway } from '../../gateway/gateway.js';
import { machineClock } from '../../gateway/http/clock.js';
import { createGateway } from '../../gateway/oppwa/oppwa.js';
import { localKeys } from '../../ledger/cards/local-keys.js';
import { openerOf } from '../../ledger/cards/seal.js';

const base64 = z.string().transform((text) => Buffer.from(text, 'base64'));
const field = z
  .object({ sealed: base64, kekId: z.string(), wrapped: base64 })
  .transform(({ sealed, kekId, wrapped }): SealedField => ({ sealed, kekId, wrapped }));
export const orders = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('set_up'),
    url: z.string(),
    entityId: z.string(),
    token: z.string(),
    key: base64,
  }),
  z.object({
    kind: z.literal('credit'),
    cardRef: z.string(),
    reference: z.string(),
    card: field,
    cvv: field,
    isRegistered: z.boolean(),
  }),
  /** Other work of a worker: refunds, each of which is answered. */
  z.object({ kind: z.literal('work'), times: z.number() }),
  z.object({ kind: z.literal('collect') }),
  z.object({ kind: z.literal('heap'), file: z.string() }),
  /** Stores the card, as a defect would. */
  z.object({ kind: z.literal('store'), text: z.string() }),
]);
export type Order = z.input<typeof orders>;

const stored: string[] = [];
const limits = () => ({ openedAt: machineClock(), sendWindow: 30_000, answerWithin: 30_000 });
let gateway: Gateway | undefined;
let opener: ReturnType<typeof openerOf> | undefined;
let entityId = '';

const fieldsOf = ({ brand, number, holder, expiryMonth, expiryYear, cvv }: CardData) => ({
  paymentBrand: brand,
  card: { number, holder, expiryMonth, expiryYear, ...(cvv === undefined ? {} : { cvv }) },
});

async function perform(order: z.output<typeof orders>): Promise<string> {
  switch (order.kind) {
    case 'set_up':
      entityId = order.entityId;
      opener = openerOf(localKeys([{ id: 'k1', key: new Secret(order.key) }]));
      gateway = createGateway({
        entities: [
          { id: entityId, baseUrl: order.url, accessToken: new Secret(order.token), hostKind: 'test' },
        ],
      });
      return 'ready';
    case 'credit': {
      const { cardRef, reference, card, cvv, isRegistered } = order;
      if (gateway === undefined || opener === undefined) return 'not set up';
      const opened = await opener.open({ cardRef, formatVersion: 1, card, cvv });
      try {
        const common = { entityId, merchantTransactionId: reference, limits: limits() };
        const money: Pick<CardCreditOrder, 'amount' | 'currency'> = { amount: '10.00', currency: 'EUR' };
        const sent = isRegistered
          ? await gateway.registerCard({ ...common, ...fieldsOf(opened.reveal()) })
          : await gateway.creditCard({ ...common, ...money, ...fieldsOf(opened.reveal()) });
        return sent.kind === 'answered' ? sent.transaction.result.code : sent.why;
      } finally {
        opened.destroy();
      }
    }
    case 'work':
      for (let done = 0; done < order.times; done += 1)
        await gateway?.refund({
          entityId,
          paymentId: '8ac7a4a0'.padEnd(32, '0'),
          amount: '1.00',
          currency: 'EUR',
          merchantTransactionId: `Rf${String(done).padStart(14, '0')}`,
          limits: limits(),
        });
      return 'worked';
    case 'collect':
      await global.gc?.({ execution: 'async', type: 'major' });
      return 'collected';
    case 'heap':
      return writeHeapSnapshot(order.file);
    case 'store':
      stored.push(order.text.split('').reverse().join(''));
      return `stored ${stored.length}`;
  }
}

process.on('message', (message) => {
  void perform(orders.parse(message)).then((answer) => process.send?.(answer));
});
process.once('disconnect', () => process.exit(0));
