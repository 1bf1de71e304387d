/** Which keys do what, and the switch that turns them off. */
import { Modal } from '../parts/modal.js';
import { prefer, usePreferences } from '../preferences.js';

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [['j', 'k'], 'next and previous row'],
  [['Enter'], 'open the row'],
  [['/'], 'search by any id'],
  [['g', 'q'], 'to the queue'],
  [['g', 'r'], 'to the refunds'],
  [['?'], 'this help'],
  [['Esc'], 'close a dialog'],
];

export function Help({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const { shortcuts } = usePreferences();
  return (
    <Modal open={open} onClose={onClose} title="Keyboard">
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2 text-sm">
        {KEYS.map(([keys, does]) => (
          <div key={does} className="contents">
            <dt className="flex gap-1">
              {keys.map((key) => (
                <kbd
                  key={key}
                  className="rounded border border-edge bg-raised px-1.5 font-mono text-xs leading-5"
                >
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label className="mt-4 flex items-center gap-2 border-t border-line pt-4 text-sm">
        <input type="checkbox" checked={shortcuts} onChange={() => prefer({ shortcuts: !shortcuts })} />
        Use single-key shortcuts
      </label>
    </Modal>
  );
}
