/** Keyboard shortcuts outside of input fields: single keys such as `j` and `/`, and sequences such as `g q`. */
import { useEffect, useEffectEvent } from 'react';
import { shortcutsAreOn } from './preferences.js';

/** Milliseconds between the two keys of a sequence, at most. */
const SEQUENCE_MS = 1_500;

interface Press {
  readonly key: string;
  readonly at: number;
}

/** The key before the latest one. It may be the first of a sequence. */
let before: Press | null = null;
let latest: Press | null = null;
// In the capture phase, so that it runs before the listeners of `useShortcuts`.
document.addEventListener('keydown', remember, { capture: true });

function remember({ key }: KeyboardEvent): void {
  if (['Shift', 'Control', 'Alt', 'Meta'].includes(key)) return;
  before = latest;
  latest = { key, at: performance.now() };
}

/** Runs an action when its key is pressed. `keys`: actions by key, or by two keys separated by a space. */
export function useShortcuts(keys: Readonly<Record<string, () => void>>): void {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    if (!shortcutsAreOn() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest('input, textarea, select, dialog')) return;
    const both =
      before !== null && performance.now() - before.at < SEQUENCE_MS ? `${before.key} ${event.key}` : null;
    const action = (both === null ? undefined : keys[both]) ?? keys[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
  useEffect(() => {
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
}

/** Lets `j` and `k` move the focus between the rows of the page. Enter then follows the focused link. */
export function useRowKeys(): void {
  const move = (step: number) => () => {
    const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
    const at = rows.findIndex((row) => row === document.activeElement);
    rows[Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
  };
  useShortcuts({ j: move(1), k: move(-1) });
}
