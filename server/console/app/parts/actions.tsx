/** Actions on a refund, each with its money effect, or the reason why it is not allowed. */
import { useState } from 'react';
import { useActions } from '../data/queries.js';
import type { Action, Refund } from '../data/shapes.js';
import { effectHere } from '../operator-need.js';
import { capital, shortId } from '../text.js';
import { ActionDialog } from './action-dialog.js';
import { VERBS } from './action-fields.js';
import { Button, Empty } from './basics.js';
import { Loaded } from './page.js';

export function Actions({ refund }: { readonly refund: Refund }) {
  const actions = useActions(refund.id);
  const [chosen, setChosen] = useState<Action | null>(null);
  const [done, setDone] = useState<string | null>(null);
  return (
    <>
      <div role="status">
        {done === null ? null : (
          <p className="m-4 mb-0 rounded-md bg-good-soft px-3 py-2 text-sm break-words text-good">{done}</p>
        )}
      </div>
      <Loaded query={actions}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty>No actions available.</Empty>
          ) : (
            <ul className="divide-y divide-line">
              {[...data]
                .sort((a, b) => Number(b.allowed) - Number(a.allowed))
                .map((action) => (
                  <ActionRow
                    key={action.action}
                    action={action}
                    effect={effectHere(action.effect, refund)}
                    onChoose={() => {
                      setDone(null);
                      setChosen(action);
                    }}
                  />
                ))}
            </ul>
          )
        }
      </Loaded>
      <ActionDialog
        refund={refund}
        action={chosen}
        onClose={() => setChosen(null)}
        onDone={(text) => {
          setChosen(null);
          setDone(text);
        }}
      />
    </>
  );
}

/** Shortens the ids in a text. The dialog shows them in full. */
const withShortIds = (text: string): string => text.replaceAll(/\b[a-f0-9]{32}\b/gu, shortId);

function ActionRow({
  action,
  effect,
  onChoose,
}: {
  readonly action: Action;
  readonly effect: string;
  readonly onChoose: () => void;
}) {
  const note = `action-${action.action}`;
  return (
    <li className="grid grid-cols-[10rem_minmax(0,1fr)] items-start gap-3 px-4 py-2.5 text-sm">
      <Button disabled={!action.allowed} aria-describedby={note} onClick={onChoose} className="w-full">
        {VERBS[action.action].verb}
      </Button>
      <p id={note} className="min-w-0 pt-1 break-words text-quiet">
        {action.allowed ? withShortIds(effect) : capital(action.why ?? 'Not available now.')}
        {action.allowed && action.needsApprover ? (
          <span className="font-medium text-warn"> Needs a second approver.</span>
        ) : null}
      </p>
    </li>
  );
}
