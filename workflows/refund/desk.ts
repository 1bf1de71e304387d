/** What people and the gateway say while a refund is under way, and the wish to stop it. */
import type { UpdateDefinition } from '@temporalio/common';
import { CancellationScope, condition, currentUpdateInfo, setHandler } from '@temporalio/workflow';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import {
  linkUpdate,
  confirmUpdate,
  correctUpdate,
  decideUpdate,
  gatewayNotification,
  changeDestinationUpdate,
  syncUpdate,
  withdrawUpdate,
  type RefundInput,
} from './contract.js';
import type { Effects } from './effects.js';
import { checkCorrection, checkDecision, checkId, checkNote } from './messages.js';

export interface MessageHandlers {
  /** Lets messages that came with the start be heard before anything is sent. */
  readonly opened: () => Promise<void>;
  /** The later of what the workflow knows and what a message brought about. */
  readonly newest: (known: RefundSnapshot) => RefundSnapshot;
  /** Waits for `ms`, or until something else is known or a later version was reported; false when it was only time. */
  readonly updatesWithin: (ms: number, known: RefundSnapshot) => Promise<boolean>;
  /** The same, and a notice of the gateway ends the wait too, also one that came while the workflow was busy elsewhere. */
  readonly notificationWithin: (ms: number, known: RefundSnapshot) => Promise<void>;
  /** Whether a notice since this was last asked was given about a later position than `known`. */
  readonly takeToldOfLater: (known: RefundSnapshot) => boolean;
  /** Whether `newest` or a request to cancel would have the run do something else than with `known`. */
  readonly hasUpdates: (known: RefundSnapshot) => boolean;
  /** Whether the gateway has given notice since the last wait that a notice ends. */
  readonly isNotified: () => boolean;
  /** Whether cancelling was asked for since this was last asked. A run is canceled once. */
  readonly takeCancelRequest: () => boolean;
}

export function handleMessages({ refundId, config }: RefundInput, effects: Effects): MessageHandlers {
  let latest: RefundSnapshot | undefined;
  let busy = 0;
  let noticed = false;
  let notifiedOf = 0;
  const run = CancellationScope.current();
  let isStopWeighed = false;
  const isStopAsked = (): boolean => run.consideredCancelled && !isStopWeighed;

  const hear = (snapshot: RefundSnapshot): void => {
    if (latest === undefined || snapshot.version > latest.version) latest = snapshot;
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

  setHandler(gatewayNotification, (version = 0, about = 'gateway') => {
    if (about === 'gateway') noticed = true;
    if (version > notifiedOf) notifiedOf = version;
  });
  /**
   * One command of an operator: checked at the door, carried out by one activity, and what it brought about is heard. The update's id is the
   * command's: it stays the same where the activity is tried again, and where a reset has the update handled once more.
   */
  const listen = <Message, Result extends { readonly snapshot: RefundSnapshot }>(
    update: UpdateDefinition<Result, [Message]>,
    carryOut: (operatorCommand: Message & { readonly commandId: string | undefined }) => Promise<Result>,
    validator: (message: Message) => void,
  ): void =>
    setHandler(
      update,
      (message: Message) =>
        handle(async () => {
          const result = await carryOut({ ...message, commandId: currentUpdateInfo()?.id });
          hear(result.snapshot);
          return result;
        }),
      { validator },
    );

  // Last in each order: whatever a message holds, it is about the refund of this run.
  const { ledger, gateway } = effects;
  listen(decideUpdate, (operatorCommand) => ledger.decide({ ...operatorCommand, refundId }), checkDecision);
  listen(
    confirmUpdate,
    (operatorCommand) => gateway.confirm({ ...operatorCommand, refundId, config }),
    checkDecision,
  );
  listen(
    withdrawUpdate,
    ({ by, reason, ticket, commandId }) => ledger.withdraw(refundId, by, reason, ticket, commandId),
    (message) => checkNote(message, []),
  );
  listen(
    linkUpdate,
    (operatorCommand) => gateway.link({ ...operatorCommand, refundId, config }),
    (message) => checkId(message, 'gatewayId'),
  );
  listen(
    correctUpdate,
    (operatorCommand) => gateway.correct({ ...operatorCommand, refundId, config }),
    checkCorrection,
  );
  listen(
    changeDestinationUpdate,
    (operatorCommand) => ledger.changeDestination({ ...operatorCommand, refundId }),
    (message) => checkId(message, 'registrationId'),
  );
  setHandler(
    syncUpdate,
    (note: OperatorNote | undefined) =>
      handle(async () => {
        const commandId = currentUpdateInfo()?.id;
        const snapshot = await gateway.query({
          refundId,
          config,
          ...(note === undefined ? {} : { note: { ...note, commandId } }),
        });
        hear(snapshot);
        return snapshot;
      }),
    {
      validator: (note: OperatorNote | undefined) => {
        if (note !== undefined) checkNote(note, []);
      },
    },
  );
  const isUpdate = (known: RefundSnapshot): boolean =>
    isStopAsked() || (latest !== undefined && latest.version > known.version);
  /** What ends these waits reads the ledger, so that a later version is known afterwards. */
  const isReported = (known: RefundSnapshot): boolean =>
    isUpdate(known) || noticed || notifiedOf > known.version;

  return {
    opened: async () => {
      await Promise.resolve();
      await condition(() => busy === 0);
    },
    newest: (known) => (latest !== undefined && latest.version > known.version ? latest : known),
    updatesWithin: (ms, known) => {
      const isOver = (): boolean => isUpdate(known) || notifiedOf > known.version;
      return ms <= 0 ? Promise.resolve(isOver()) : condition(isOver, ms);
    },
    notificationWithin: async (ms, known) => {
      // Without any time the SDK would note a patch in the history.
      await condition(() => isReported(known), Math.max(ms, 1));
      noticed = false;
    },
    takeToldOfLater: (known) => {
      const isLater = notifiedOf > known.version;
      notifiedOf = 0;
      // Whoever asks looks at the ledger now, which answers the notice.
      if (isLater) noticed = false;
      return isLater;
    },
    takeCancelRequest: () => {
      const isAsked = isStopAsked();
      if (isAsked) isStopWeighed = true;
      return isAsked;
    },
    hasUpdates: isUpdate,
    isNotified: () => noticed,
  };
}
