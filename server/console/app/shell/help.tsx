/** Dialog with the keyboard shortcuts, and the switch that turns them off. */
import { Modal } from '../parts/modal.js';
import { prefer, usePreferences } from '../preferences.js';

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [['j', 'k'], 'Next / previous row'],
  [['Enter'], 'Open row'],
  [['/'], 'Search'],
  [['g', 'q'], 'Go to queue'],
  [['g', 'r'], 'Go to refunds'],
  [['g', 'c'], 'Go to new credit'],
  [['?'], 'Show shortcuts'],
  [['Esc'], 'Close dialog'],
];

export function Help({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const { shortcuts } = usePreferences();
  return (
    <Modal open={open} onClose={onClose} title="Keyboard shortcuts">
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
        Enable single-key shortcuts
      </label>
    </Modal>
  );
}
