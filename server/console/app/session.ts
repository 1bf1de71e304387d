/** The API key of the signed-in operator. It is stored in this tab's session storage only. */
import { useSyncExternalStore } from 'react';

const STORED = 'refunds.key';

interface Session {
  readonly key: string | null;
  /** Why the session ended; null if the operator signed out or never signed in. */
  readonly ended: string | null;
}

let session: Session = { key: sessionStorage.getItem(STORED), ended: null };
const listeners = new Set<() => void>();

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

/** Starts a session with a key that the API has just accepted. */
export function signIn(key: string): void {
  sessionStorage.setItem(STORED, key);
  change({ key, ended: null });
}

export function signOut(ended: string | null = null): void {
  sessionStorage.removeItem(STORED);
  change({ key: null, ended });
}

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => session);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Returns the key, for components that are shown only while signed in. It is empty in the last render after signing out. */
export function useKey(): string {
  return useSession().key ?? '';
}
