/** Keys that work anywhere but in a field: `j`, `/`, and two in a row such as `g q`. */
import { useEffect, useEffectEvent } from 'react';
import { shortcutsAreOn } from './preferences.js';

/** How long the second key of two may take, in milliseconds. */
const TOGETHER = 1_500;

interface Press {
  readonly key: string;
  readonly at: number;
}

/** The key before the one that is pressed now: it may be the first half of two. */
let before: Press | null = null;
let latest: Press | null = null;
// Captured: this comes before every listener that wants to know.
document.addEventListener('keydown', remember, { capture: true });

function remember({ key }: KeyboardEvent): void {
  if (['Shift', 'Control', 'Alt', 'Meta'].includes(key)) return;
  before = latest;
  latest = { key, at: performance.now() };
}

/** `keys`: what each key, or two keys with a space between, does. */
export function useShortcuts(keys: Readonly<Record<string, () => void>>): void {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    if (!shortcutsAreOn() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest('input, textarea, select, dialog')) return;
    const both =
      before !== null && performance.now() - before.at < TOGETHER ? `${before.key} ${event.key}` : null;
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

/** `j` and `k` move the focus along the rows of the page; Enter then follows the link, as everywhere. */
export function useRowKeys(): void {
  const move = (step: number) => () => {
    const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
    const at = rows.findIndex((row) => row === document.activeElement);
    rows[Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
  };
  useShortcuts({ j: move(1), k: move(-1) });
}
