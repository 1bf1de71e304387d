/** Keys that work anywhere but in a field: `j`, `/`, and two in a row such as `g q`. */
import { useEffect, useEffectEvent } from 'react';
import { shortcutsAreOn } from './preferences.js';

/** How long the second key of two may take, in milliseconds. */
const TOGETHER = 1_500;

let first: { readonly key: string; readonly at: number } | null = null;
document.addEventListener('keydown', remember);

/** Runs after all listeners of a key press: the next one may be its second half. */
function remember(event: KeyboardEvent): void {
  const key = event.key;
  queueMicrotask(() => {
    first = ['Shift', 'Control', 'Alt', 'Meta'].includes(key) ? first : { key, at: performance.now() };
  });
}

/** `keys`: what each key, or two keys with a space between, does. */
export function useShortcuts(keys: Readonly<Record<string, () => void>>): void {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    if (!shortcutsAreOn() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest('input, textarea, select, dialog')) return;
    const both =
      first !== null && performance.now() - first.at < TOGETHER ? `${first.key} ${event.key}` : null;
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
