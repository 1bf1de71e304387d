/** What people and the gateway say while a refund is under way, and the wish to stop it. */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import type { Position } from '../domain/next-step.js';
import {
  decideUpdate,
  gatewayNotice,
  resolveUpdate,
  withdrawUpdate,
  type DecisionMessage,
  type RefundInput,
  type WithdrawMessage,
} from './contract.js';
import type { Effects } from './effects.js';

export interface Desk {
  /** Lets messages that came with the start be heard before anything is sent. */
  readonly opened: () => Promise<void>;
  /** The later of what the workflow knows and what a message brought about. */
  readonly newest: (known: Position) => Position;
  /** Waits for `ms`, or until something else is known; false when it was only time. */
  readonly newsWithin: (ms: number, known: Position) => Promise<boolean>;
  /** The same, and a notice of the gateway ends the wait too, also one that came while the workflow was busy elsewhere. */
  readonly noticeWithin: (ms: number, known: Position) => Promise<void>;
  /** Waits without end for something that a person says. A notice ends the wait too: the ledger may stand elsewhere by now. */
  readonly news: (known: Position) => Promise<void>;
  /** Whether cancelling was asked for since this was last asked. */
  readonly takeCancelRequest: () => boolean;
}

export function openDesk({ refundId, plan }: RefundInput, effects: Effects): Desk {
  let latest: Position | undefined;
  let busy = 0;
  let noticed = false;
  let cancelRequested = false;

  const hear = (position: Position): void => {
    if (latest === undefined || position.version > latest.version) latest = position;
  };
  /** Handlers outlive a cancelled workflow: what a person decided is carried out. */
  const handle = async <T>(work: () => Promise<T>): Promise<T> => {
    busy += 1;
    try {
      return await CancellationScope.nonCancellable(work);
    } finally {
      busy -= 1;
    }
  };

  setHandler(gatewayNotice, () => {
    noticed = true;
  });
  setHandler(
    decideUpdate,
    (message: DecisionMessage) =>
      handle(async () => {
        const result = await effects.ledger.decide({ refundId, ...message });
        hear(result.position);
        return result;
      }),
    {
      validator: (message: DecisionMessage) => {
        requireText(message, ['verdict', 'instruction', 'by', 'reason']);
        if (message.ticket !== undefined) requireText(message, ['ticket']);
        requireVerdict(message);
      },
    },
  );
  setHandler(
    withdrawUpdate,
    (message: WithdrawMessage) =>
      handle(async () => {
        const result = await effects.ledger.withdraw(refundId, message.by, message.reason);
        hear(result.position);
        return result;
      }),
    { validator: (message: WithdrawMessage) => requireText(message, ['by', 'reason']) },
  );
  setHandler(resolveUpdate, () =>
    handle(async () => {
      const position = await effects.gateway.lookUp({ refundId, plan });
      hear(position);
      return position;
    }),
  );
  CancellationScope.current().cancelRequested.catch((error: unknown) => {
    if (isCancellation(error)) cancelRequested = true;
  });

  const isNews = (known: Position): boolean =>
    cancelRequested || (latest !== undefined && latest.version > known.version);

  return {
    opened: async () => {
      await Promise.resolve();
      await condition(() => busy === 0);
    },
    newest: (known) => (latest !== undefined && latest.version > known.version ? latest : known),
    newsWithin: (ms, known) =>
      ms <= 0 ? Promise.resolve(isNews(known)) : condition(() => isNews(known), ms),
    noticeWithin: async (ms, known) => {
      await condition(() => isNews(known) || noticed, ms);
      noticed = false;
    },
    news: async (known) => {
      await condition(() => isNews(known) || noticed);
      noticed = false;
    },
    takeCancelRequest: () => {
      const asked = cancelRequested;
      cancelRequested = false;
      return asked;
    },
  };
}

/** Synchronous and pure, as validators must be. An `ApplicationFailure` refuses the update; it never fails the workflow. */
function requireText(message: unknown, fields: readonly string[]): void {
  for (const field of fields) {
    const value: unknown =
      typeof message === 'object' && message !== null
        ? Object.getOwnPropertyDescriptor(message, field)?.value
        : undefined;
    // PostgreSQL stores no NUL: the activity would be tried for ever.
    if (typeof value !== 'string' || value.trim() === '' || value.includes('\0'))
      throw ApplicationFailure.nonRetryable(`${field} must be a text that is not empty`, 'invalid_input');
  }
}

/** Messages come from outside, whatever their type says; the ledger would refuse another verdict again and again. */
function requireVerdict({ verdict }: { readonly verdict: string }): void {
  if (verdict !== 'approved' && verdict !== 'refused')
    throw ApplicationFailure.nonRetryable("verdict must be 'approved' or 'refused'", 'invalid_input');
}
