/** Valid input of the HTTP API: the body of each route that takes one, and the queries. */

const note = { reason: 'the customer wrote', ticket: 'T-1' };
const HEX = 'a'.repeat(32);

export const ASKED = {
  refunds: {
    paymentId: HEX,
    amount: '12.30',
    currency: 'EUR',
    reason: 'goods_returned',
    orderId: '4711',
    metadata: { shop: '7' },
  },
  approve: { ...note, instruction: 'abc-123' },
  reject: note,
  withdraw: note,
  sync: note,
  link: { ...note, gatewayId: HEX },
  correct: { ...note, outcome: 'failed', evidence: 'letter of the acquirer', reference: 'KHQDEW3SX4Y3D2Q8' },
  'change-destination': { ...note, destination: { registrationId: HEX } },
  replay: { ...note, dryRun: true, restart: { runId: 'run-1' } },
} as const;

/** Texts that are valid in another place. */
export const OTHER_TEXTS: readonly [unknown, ...unknown[]] = [
  '4111111111111111',
  '4111 1111 1111 1111',
  HEX,
  'b'.repeat(32),
  '00000000-0000-7000-8000-000000000000',
  'x'.repeat(501),
  'succeeded',
  'paid',
  true,
  1e308,
];
