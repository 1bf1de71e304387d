/** What people and the gateway say while a refund is under way, and the wish to stop it. */
import type { UpdateDefinition } from '@temporalio/common';
import { CancellationScope, condition, currentUpdateInfo, setHandler } from '@temporalio/workflow';
import type { Position } from '../../domain/refund/next-step.js';
import type { OperatorNote } from '../../domain/refund/people.js';
import {
  adoptUpdate,
  confirmUpdate,
  correctUpdate,
  decideUpdate,
  gatewayNotice,
  redirectUpdate,
  resolveUpdate,
  withdrawUpdate,
  type RefundInput,
} from './contract.js';
import type { Effects } from './effects.js';
import { checkCorrection, checkDecision, checkId, checkWord } from './messages.js';

export interface Desk {
  /** Lets messages that came with the start be heard before anything is sent. */
  readonly opened: () => Promise<void>;
  /** The later of what the workflow knows and what a message brought about. */
  readonly newest: (known: Position) => Position;
  /** Waits for `ms`, or until something else is known or a later version was reported; false when it was only time. */
  readonly newsWithin: (ms: number, known: Position) => Promise<boolean>;
  /** The same, and a notice of the gateway ends the wait too, also one that came while the workflow was busy elsewhere. */
  readonly noticeWithin: (ms: number, known: Position) => Promise<void>;
  /** Whether a notice since this was last asked was given about a later position than `known`. */
  readonly takeToldOfLater: (known: Position) => boolean;
  /** Whether `newest` or a request to cancel would have the run do something else than with `known`. */
  readonly hasNews: (known: Position) => boolean;
  /** Whether the gateway has given notice since the last wait that a notice ends. */
  readonly isNotified: () => boolean;
  /** Whether cancelling was asked for since this was last asked. A run is canceled once. */
  readonly takeCancelRequest: () => boolean;
}

export function openDesk({ refundId, plan }: RefundInput, effects: Effects): Desk {
  let latest: Position | undefined;
  let busy = 0;
  let noticed = false;
  let toldOf = 0;
  const run = CancellationScope.current();
  let isStopWeighed = false;
  const isStopAsked = (): boolean => run.consideredCancelled && !isStopWeighed;

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

  setHandler(gatewayNotice, (version = 0, about = 'gateway') => {
    if (about === 'gateway') noticed = true;
    if (version > toldOf) toldOf = version;
  });
  /**
   * One command of an operator: checked at the door, carried out by one activity, and what it brought about is heard. The update's id is the
   * command's: it stays the same where the activity is tried again, and where a reset has the update handled once more.
   */
  const listen = <Message, Result extends { readonly position: Position }>(
    update: UpdateDefinition<Result, [Message]>,
    carryOut: (said: Message & { readonly commandId: string | undefined }) => Promise<Result>,
    validator: (message: Message) => void,
  ): void =>
    setHandler(
      update,
      (message: Message) =>
        handle(async () => {
          const result = await carryOut({ ...message, commandId: currentUpdateInfo()?.id });
          hear(result.position);
          return result;
        }),
      { validator },
    );

  // Last in each order: whatever a message holds, it is about the refund of this run.
  const { ledger, gateway } = effects;
  listen(decideUpdate, (said) => ledger.decide({ ...said, refundId }), checkDecision);
  listen(confirmUpdate, (said) => gateway.confirm({ ...said, refundId, plan }), checkDecision);
  listen(
    withdrawUpdate,
    ({ by, reason, ticket, commandId }) => ledger.withdraw(refundId, by, reason, ticket, commandId),
    (message) => checkWord(message, []),
  );
  listen(
    adoptUpdate,
    (said) => gateway.adopt({ ...said, refundId, plan }),
    (message) => checkId(message, 'gatewayId'),
  );
  listen(correctUpdate, (said) => gateway.correct({ ...said, refundId, plan }), checkCorrection);
  listen(
    redirectUpdate,
    (said) => ledger.redirect({ ...said, refundId }),
    (message) => checkId(message, 'registrationId'),
  );
  setHandler(
    resolveUpdate,
    (word: OperatorNote | undefined) =>
      handle(async () => {
        const commandId = currentUpdateInfo()?.id;
        const position = await gateway.lookUp({
          refundId,
          plan,
          ...(word === undefined ? {} : { word: { ...word, commandId } }),
        });
        hear(position);
        return position;
      }),
    {
      validator: (word: OperatorNote | undefined) => {
        if (word !== undefined) checkWord(word, []);
      },
    },
  );
  const isNews = (known: Position): boolean =>
    isStopAsked() || (latest !== undefined && latest.version > known.version);
  /** What ends these waits reads the ledger, so that a later version is known afterwards. */
  const isTold = (known: Position): boolean => isNews(known) || noticed || toldOf > known.version;

  return {
    opened: async () => {
      await Promise.resolve();
      await condition(() => busy === 0);
    },
    newest: (known) => (latest !== undefined && latest.version > known.version ? latest : known),
    newsWithin: (ms, known) => {
      const isOver = (): boolean => isNews(known) || toldOf > known.version;
      return ms <= 0 ? Promise.resolve(isOver()) : condition(isOver, ms);
    },
    noticeWithin: async (ms, known) => {
      // Without any time the SDK would note a patch in the history.
      await condition(() => isTold(known), Math.max(ms, 1));
      noticed = false;
    },
    takeToldOfLater: (known) => {
      const isLater = toldOf > known.version;
      toldOf = 0;
      // Whoever asks looks at the ledger now, which answers the notice.
      if (isLater) noticed = false;
      return isLater;
    },
    takeCancelRequest: () => {
      const isAsked = isStopAsked();
      if (isAsked) isStopWeighed = true;
      return isAsked;
    },
    hasNews: isNews,
    isNotified: () => noticed,
  };
}
