/** Whose key the console speaks with. It lives in this tab's session storage and nowhere else. */
import { useSyncExternalStore } from 'react';

const STORED = 'refunds.key';

interface Session {
  readonly key: string | null;
  /** Why somebody who was signed in is not any more. */
  readonly ended: string | null;
}

let session: Session = { key: sessionStorage.getItem(STORED), ended: null };
const listeners = new Set<() => void>();

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

/** `key`: one that the service has just accepted. */
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

/** For components that are shown only to somebody who is signed in; a last render after signing out sends an empty key. */
export function useKey(): string {
  return useSession().key ?? '';
}
