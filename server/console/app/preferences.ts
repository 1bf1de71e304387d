/** Preferences in this browser's local storage: color scheme and single-key shortcuts. Nothing secret is stored. */
import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

interface Preferences {
  readonly theme: Theme;
  /** Single-key shortcuts can interfere with speech input, so they can be turned off (WCAG 2.1.4). */
  readonly shortcuts: boolean;
}

let preferences: Preferences = {
  theme: THEMES.find((theme) => theme === localStorage.getItem('refunds.theme')) ?? 'system',
  shortcuts: localStorage.getItem('refunds.shortcuts') !== 'off',
};
const listeners = new Set<() => void>();
applyTheme();

export function prefer(changed: Partial<Preferences>): void {
  preferences = { ...preferences, ...changed };
  localStorage.setItem('refunds.theme', preferences.theme);
  localStorage.setItem('refunds.shortcuts', preferences.shortcuts ? 'on' : 'off');
  applyTheme();
  for (const listener of listeners) listener();
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => preferences);
}

export function shortcutsAreOn(): boolean {
  return preferences.shortcuts;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function applyTheme(): void {
  if (preferences.theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = preferences.theme;
}
