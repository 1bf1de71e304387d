/** Message handlers of the refund workflow: operators' updates, the gateway's notifications, and waiting for either of them. */
import type { UpdateDefinition } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  currentUpdateInfo,
  setHandler,
} from '@temporalio/workflow';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import { isFinal } from '../../domain/refund/states.js';
import type { GatewayActivities, LedgerActivities } from './activities.js';
import type { Cancellation } from './cancellation.js';
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
import {
  validateCorrection,
  validateDecision,
  validateDestination,
  validateNote,
  validateNoteAndId,
} from './validators.js';

/** `known`: the newest snapshot that the workflow has. Times in milliseconds. */
export interface Messages {
  /** Handles what arrived with the start, a cancellation included, before any money is submitted. */
  readonly handleEarly: () => Promise<void>;
  /** Returns the newest snapshot after all messages so far, a reported later version and a cancellation included. */
  readonly latest: (known: RefundSnapshot) => Promise<RefundSnapshot>;
  /** Waits for `ms`. Returns false, and ends early, when a later version is known or reported, or the run is canceled. */
  readonly noneWithin: (ms: number, known: RefundSnapshot) => Promise<boolean>;
  /** Waits like `noneWithin`; a notification of the gateway ends the wait too, also one that arrived before the wait. */
  readonly notificationWithin: (ms: number, known: RefundSnapshot) => Promise<void>;
  /** True if no update has returned a later version than `known`. */
  readonly isLatest: (known: RefundSnapshot) => boolean;
  /** True if no handler is running and no later version than `known` is known or reported. */
  readonly areDone: (known: RefundSnapshot) => boolean;
  /** True if an update has returned a later version than `known`, or an unhandled cancellation is waiting. */
  readonly hasUpdates: (known: RefundSnapshot) => boolean;
  /** True if a notification of the gateway has arrived and no wait has reacted to it yet. */
  readonly isNotified: () => boolean;
}

export function handleMessages(
  input: RefundInput,
  activities: {
    readonly gateway: GatewayActivities;
    readonly ledger: LedgerActivities;
    readonly cancellation: Cancellation;
  },
): Messages {
  const { ledger, cancellation } = activities;
  /** The newest snapshot that an update has returned. */
  let updated: RefundSnapshot | undefined;
  let isNotified = false;
  /** The latest version of the refund in the ledger that a signal has reported. */
  let reportedVersion = 0;

  setHandler(gatewayNotification, (version = 0, about = 'gateway') => {
    if (about === 'gateway') isNotified = true;
    if (version > reportedVersion) reportedVersion = version;
  });
  handleUpdates(input, activities, (snapshot) => {
    if (updated === undefined || snapshot.version > updated.version) updated = snapshot;
  });

  const isLatest = (known: RefundSnapshot): boolean =>
    updated === undefined || updated.version <= known.version;
  const isLaterReported = (known: RefundSnapshot): boolean => reportedVersion > known.version;
  const hasUpdates = (known: RefundSnapshot): boolean => cancellation.isRequested() || !isLatest(known);

  return {
    async handleEarly() {
      // The SDK delivers messages of the first activation after the workflow function has begun.
      await Promise.resolve();
      await condition(allHandlersFinished);
      if (cancellation.isRequested()) await cancellation.withdraw();
    },
    async latest(known) {
      let snapshot = updated === undefined || isLatest(known) ? known : updated;
      const isLater = isLaterReported(snapshot);
      reportedVersion = 0;
      if (isLater) {
        // The ledger's answer covers the notification as well.
        isNotified = false;
        snapshot = await ledger.readSnapshot(input.refundId);
      }
      return !isFinal(snapshot.state) && cancellation.isRequested() ? cancellation.withdraw() : snapshot;
    },
    async noneWithin(ms, known) {
      const isOver = (): boolean => hasUpdates(known) || isLaterReported(known);
      return !(ms <= 0 ? isOver() : await condition(isOver, ms));
    },
    async notificationWithin(ms, known) {
      // At least 1 ms: for a condition with a time of 0 the SDK adds a patch marker to the history.
      await condition(() => isNotified || hasUpdates(known) || isLaterReported(known), Math.max(ms, 1));
      isNotified = false;
    },
    isLatest,
    areDone: (known) => allHandlersFinished() && isLatest(known) && !isLaterReported(known),
    hasUpdates,
    isNotified: () => isNotified,
  };
}

/** Registers a handler for each update: validated, then carried out by one activity. `onSnapshot` receives the snapshot after each of them. */
function handleUpdates(
  { refundId, config }: RefundInput,
  { gateway, ledger }: { readonly gateway: GatewayActivities; readonly ledger: LedgerActivities },
  onSnapshot: (snapshot: RefundSnapshot) => void,
): void {
  /** The update's id is the command's id: it stays the same when the activity is retried or a reset has the update handled again. */
  const handle = <Message, Result extends { readonly snapshot: RefundSnapshot }>(
    update: UpdateDefinition<Result, [Message]>,
    carryOut: (command: Message & { readonly commandId: string | undefined }) => Promise<Result>,
    validator: (message: Message) => void,
  ): void =>
    setHandler(
      update,
      (message: Message) =>
        // A handler outlives the workflow's cancellation: the operator's command is carried out.
        CancellationScope.nonCancellable(async () => {
          const result = await carryOut({ ...message, commandId: currentUpdateInfo()?.id });
          onSnapshot(result.snapshot);
          return result;
        }),
      { validator },
    );

  // `refundId` and `config` come last in each object: a message cannot name another refund than this run's.
  handle(decideUpdate, (command) => ledger.decideApproval({ ...command, refundId }), validateDecision);
  handle(
    confirmUpdate,
    (command) => gateway.confirmCorrection({ ...command, refundId, config }),
    validateDecision,
  );
  handle(
    withdrawUpdate,
    ({ by, reason, ticket, commandId }) => ledger.withdrawRefund(refundId, by, reason, ticket, commandId),
    validateNote,
  );
  handle(
    linkUpdate,
    (command) => gateway.linkTransaction({ ...command, refundId, config }),
    validateNoteAndId,
  );
  handle(
    correctUpdate,
    (command) => gateway.correctRefund({ ...command, refundId, config }),
    validateCorrection,
  );
  handle(
    changeDestinationUpdate,
    (command) => ledger.changeDestination({ ...command, refundId }),
    validateDestination,
  );
  setHandler(
    syncUpdate,
    (note: OperatorNote | undefined) =>
      CancellationScope.nonCancellable(async () => {
        const commandId = currentUpdateInfo()?.id;
        const snapshot = await gateway.queryOutcome({
          refundId,
          config,
          ...(note === undefined ? {} : { note: { ...note, commandId } }),
        });
        onSnapshot(snapshot);
        return snapshot;
      }),
    {
      validator: (note: OperatorNote | undefined) => {
        if (note !== undefined) validateNote(note);
      },
    },
  );
}
