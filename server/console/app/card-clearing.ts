/** Clears card data that was typed and not sent: when the page is left, and after five minutes without input. */
import { useEffect, useEffectEvent, type RefObject } from 'react';
import { clearFields } from './card-entry.js';

/** Milliseconds without input after which card data is cleared. */
const IDLE_MS = 5 * 60_000;

/** Clears the card fields in `box`. `onIdle` runs after they were cleared because of the time without input. */
export function useClearing(box: RefObject<Element | null>, onIdle: () => void): void {
  const idle = useEffectEvent(onIdle);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let deadline = Infinity;
    const clear = (): void => clearFields(element);
    const expire = (): void => {
      if (Date.now() < deadline) return;
      deadline = Infinity;
      clear();
      idle();
    };
    const restart = (): void => {
      clearTimeout(timer);
      deadline = Date.now() + IDLE_MS;
      timer = setTimeout(expire, IDLE_MS);
    };
    element.addEventListener('input', restart);
    // Timers stand still while a computer sleeps.
    document.addEventListener('visibilitychange', expire);
    // The browser may keep a page that was left, to show it again on "Back".
    addEventListener('pagehide', clear);
    return () => {
      clearTimeout(timer);
      element.removeEventListener('input', restart);
      document.removeEventListener('visibilitychange', expire);
      removeEventListener('pagehide', clear);
      clear();
    };
  }, [box]);
}
