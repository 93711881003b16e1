import { useCallback, useSyncExternalStore } from 'react';

const changed = 'hilum:address';

/**
 * One parameter of the address: what is open and filtered can be bookmarked, sent to a colleague and left
 * with the back button. Only ids and states go there, never a part of a message.
 */
export function useAddress(
  name: string,
): [string | undefined, (value: string | undefined) => void] {
  const value = useSyncExternalStore(subscribe, () => read(name));
  const set = useCallback((next: string | undefined) => write(name, next), [name]);
  return [value, set];
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(changed, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(changed, listener);
  };
}

function read(name: string): string | undefined {
  return new URLSearchParams(window.location.search).get(name) ?? undefined;
}

function write(name: string, value: string | undefined): void {
  const url = new URL(window.location.href);
  if (value === undefined) url.searchParams.delete(name);
  else url.searchParams.set(name, value);
  window.history.pushState(undefined, '', url);
  window.dispatchEvent(new Event(changed));
}
