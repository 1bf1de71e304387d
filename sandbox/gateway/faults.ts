/** Fault rules: each waits for a matching request, and then makes it fail in the way that its effect describes. */
import { z } from 'zod';

const ms = z.number().nonnegative();
const code = z.string().regex(/^\d{3}\.\d{3}\.\d{3}$/);
const text = z.string().nullable();

/** On arrival: the request is lost, or executed only later. The client gets no answer in either case. */
const arrival = [
  z.strictObject({
    kind: z.literal('drop_before_execute'),
    dropAfterMs: ms.default(0),
  }),
  z.strictObject({
    kind: z.literal('execute_after'),
    ms,
    dropAfterMs: ms.default(0),
  }),
] as const;

/** The outcome of a request that passed every check. */
const outcome = [
  z.strictObject({
    kind: z.literal('reject'),
    code,
    httpStatus: z.int().min(200).max(599).optional(),
  }),
  /**
   * The answer leaves the outcome open. If the request was not executed, queries find no transaction; with `recorded` they
   * find one with the communication error. `hasId`: the answer has a transaction id; if none was recorded, queries never find that id.
   */
  z.strictObject({
    kind: z.literal('comm_error'),
    executed: z.boolean(),
    recorded: z.boolean().default(false),
    hasId: z.boolean().default(false),
    code: code.default('900.100.300'),
    httpStatus: z.int().min(200).max(599).default(200),
  }),
  /** Without `afterMs` it stays pending until the control `finish-pending`. */
  z.strictObject({
    kind: z.literal('pending'),
    code: code.default('800.400.502'),
    final: z.enum(['succeeded', 'rejected']).default('succeeded'),
    finalCode: code.optional(),
    afterMs: ms.optional(),
  }),
] as const;

/** On the way back: the answer is lost, late or broken. `executed: false` means that the request was lost too. */
const transport = [
  z.strictObject({
    kind: z.literal('accept_then_drop'),
    dropAfterMs: ms.default(0),
  }),
  z.strictObject({ kind: z.literal('answer_after'), ms }),
  z.strictObject({
    kind: z.literal('http_error'),
    status: z.int().min(300).max(599).default(502),
    executed: z.boolean(),
    /** Only useful with a 3xx status. */
    location: z.string().optional(),
  }),
  /** `truncated`: half of the JSON. `cut_off`: the connection closes inside it. `huge`: valid JSON, followed by 4 MiB of spaces. */
  z.strictObject({
    kind: z.literal('broken_body'),
    form: z.enum(['truncated', 'cut_off', 'garbage', 'no_result', 'empty', 'huge']).default('truncated'),
    executed: z.boolean().default(true),
  }),
] as const;

/** The transaction is as requested, but its answer shows other values. Null omits the field. */
const echo = [
  z.strictObject({
    kind: z.literal('wrong_echo'),
    fields: z.strictObject({
      id: text.optional(),
      paymentType: text.optional(),
      amount: text.optional(),
      currency: text.optional(),
      referencedId: text.optional(),
      merchantTransactionId: text.optional(),
    }),
  }),
] as const;

/** `referencedId` is missing in the answer, in queries and in webhooks. */
const reference = [z.strictObject({ kind: z.literal('missing_reference') })] as const;
const visibility = [z.strictObject({ kind: z.literal('visibility_lag'), ms })] as const;
/** Queries find the transaction by its id only, neither by its reference nor among the original's linked transactions. */
const listing = [z.strictObject({ kind: z.literal('by_id_only') })] as const;
/** A refund, reversal or credit succeeds and becomes rejected `ms` later. */
const late = [
  z.strictObject({
    kind: z.literal('late_failure'),
    ms,
    code: code.default('100.397.102'),
  }),
] as const;
/** Charges the payment back as soon as a matching refund is rejected, which is before a credit can follow. */
const aftermath = [
  z.strictObject({
    kind: z.literal('chargeback_after_rejection'),
    amount: z.string().optional(),
  }),
] as const;

const query = [
  z.strictObject({
    kind: z.literal('query'),
    /**
     * `currency_differs`: all transactions are shown in `currency`. `forbidden`: the answer to a wrong token.
     * `no_result_code`: the last transaction of a list has no result. `too_many_pages`: the list says that it has 21 pages.
     */
    how: z.enum([
      'throttled',
      'forbidden',
      'empty',
      'html',
      'drop',
      'currency_differs',
      'no_result_code',
      'too_many_pages',
    ]),
    status: z.int().min(300).max(599).default(502),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .default('USD'),
  }),
] as const;

/** `out_of_order`: the first notification of a transaction is held and sent just after the second one. */
const notification = [
  z.strictObject({
    kind: z.literal('webhook'),
    how: z.enum(['lost', 'duplicate', 'delay', 'out_of_order']),
    ms: ms.default(0),
  }),
] as const;

const SLOTS = {
  arrival,
  outcome,
  transport,
  echo,
  reference,
  visibility,
  listing,
  late,
  aftermath,
  query,
  notification,
};

const effect = z.discriminatedUnion('kind', [
  ...arrival,
  ...outcome,
  ...transport,
  ...echo,
  ...reference,
  ...visibility,
  ...listing,
  ...late,
  ...aftermath,
  ...query,
  ...notification,
]);
type Effect = z.infer<typeof effect>;
/** The effects that a rule can have in one slot. */
export type EffectOf<S extends keyof typeof SLOTS> = z.infer<(typeof SLOTS)[S][number]>;

export const faultRule = z.strictObject({
  /** All given fields must be equal. `paymentId`: the id in the path; for a webhook, the original of its transaction. */
  match: z
    .strictObject({
      paymentType: z.string(),
      paymentId: z.string(),
      registrationId: z.string(),
      merchantTransactionId: z.string(),
      amount: z.string(),
    })
    .partial()
    .default({}),
  times: z.union([z.int().positive(), z.literal('always')]).default(1),
  effect,
});

/** A rule as it is written: without `match` it matches any request, without `times` it applies once. */
export type FaultRule = z.input<typeof faultRule>;
export type FaultEffect = FaultRule['effect'];

/** A rule that has not been used up. */
export type ActiveFault = z.infer<typeof faultRule> & { readonly id: string };

/** The fields that a rule is compared with. A query has only its id or its reference. */
export interface FaultSubject {
  readonly paymentType: string | null;
  readonly paymentId: string | null;
  readonly registrationId: string | null;
  readonly merchantTransactionId: string | null;
  readonly amount: string | null;
}

/**
 * The active rules, oldest first. A request uses at most one rule of each slot, so that one request can be rejected, lose
 * its answer, and be followed by a chargeback.
 */
export class Faults {
  #active: ActiveFault[] = [];
  #counter = 0;

  /** Adds a rule and returns its id. @throws a `ZodError` for an invalid rule. */
  add(rule: FaultRule): string {
    this.#counter += 1;
    const id = `fault-${this.#counter}`;
    this.#active.push({ id, ...faultRule.parse(rule) });
    return id;
  }

  list(): readonly ActiveFault[] {
    return this.#active;
  }

  /** Removes a rule, or all rules if `id` is absent. False if there is no such rule. */
  clear(id?: string): boolean {
    const before = this.#active.length;
    this.#active = id === undefined ? [] : this.#active.filter((fault) => fault.id !== id);
    return id === undefined || this.#active.length < before;
  }

  /** Returns the effect of the first matching rule of `slot`, and reduces that rule's `times` by one. */
  take<S extends keyof typeof SLOTS>(slot: S, subject: FaultSubject): EffectOf<S> | null {
    for (const fault of this.#active) {
      const found = fault.effect;
      if (!isOf(slot, found) || !matches(fault, subject)) continue;
      if (fault.times !== 'always') fault.times -= 1;
      if (fault.times === 0) this.clear(fault.id);
      return found;
    }
    return null;
  }
}

const SLOT_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(SLOTS).flatMap(([slot, schemas]) =>
    schemas.map((schema): [string, string] => [schema.shape.kind.value, slot]),
  ),
);

function isOf<S extends keyof typeof SLOTS>(slot: S, found: Effect): found is Effect & EffectOf<S> {
  return SLOT_OF.get(found.kind) === slot;
}

function matches(fault: ActiveFault, subject: FaultSubject): boolean {
  const { match } = fault;
  return (
    (match.paymentType ?? subject.paymentType) === subject.paymentType &&
    (match.paymentId ?? subject.paymentId) === subject.paymentId &&
    (match.registrationId ?? subject.registrationId) === subject.registrationId &&
    (match.merchantTransactionId ?? subject.merchantTransactionId) === subject.merchantTransactionId &&
    (match.amount ?? subject.amount) === subject.amount
  );
}
