/** Client of the gateway simulator's control API: creates payments, sets faults, triggers chargebacks, lists transactions. */
import { request } from 'undici';
import { z } from 'zod';
import type { FaultRule } from './gateway/faults.js';

const payment = z.object({
  paymentId: z.string(),
  captureIds: z.array(z.string()),
  registrationId: z.string(),
});
const transactions = z.array(
  z.object({
    id: z.string(),
    type: z.string(),
    amount: z.string(),
    currency: z.string(),
    state: z.string(),
    referencedId: z.string().nullable(),
    merchantTransactionId: z.string().nullable(),
  }),
);
export type SandboxPayment = z.infer<typeof payment>;
export type SandboxTransaction = z.infer<typeof transactions>[number];

/** The controls that the demonstration uses. `sandbox/gateway/control.ts` has all of them. */
export interface GatewayControl {
  createPayment(order: {
    readonly type: 'DB' | 'PA';
    readonly amount: string;
    readonly currency: string;
    readonly captures?: readonly string[];
  }): Promise<SandboxPayment>;
  setFault(rule: FaultRule): Promise<void>;
  chargeback(paymentId: string): Promise<void>;
  portalRefund(paymentId: string, amount: string): Promise<void>;
  transactions(): Promise<readonly SandboxTransaction[]>;
}

/** `url`: the simulator's base URL. Each call throws an `Error` when the simulator answers with another status than 200. */
export function gatewayControl(url: string): GatewayControl {
  async function call(method: 'GET' | 'POST', name: string, body?: unknown): Promise<unknown> {
    const answer = await request(`${url}/_control/${name}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const content: unknown = await answer.body.json();
    if (answer.statusCode !== 200) throw new Error(`sandbox gateway, ${name}: ${JSON.stringify(content)}`);
    return content;
  }
  return {
    createPayment: async (order) => payment.parse(await call('POST', 'create-payment', order)),
    setFault: async (rule) => {
      await call('POST', 'faults', rule);
    },
    chargeback: async (paymentId) => {
      await call('POST', 'chargeback', { paymentId });
    },
    portalRefund: async (paymentId, amount) => {
      await call('POST', 'portal-refund', { paymentId, amount });
    },
    transactions: async () => transactions.parse(await call('GET', 'transactions')),
  };
}
