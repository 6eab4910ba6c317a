import type { Signal } from './signal.js';

type FaultListener = (signal: string, error: unknown) => void;
const listeners = new Set<FaultListener>();

/** Told of signals that throw, with their names. Returns the unsubscribe. */
export function onSignalFault(listener: FaultListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * A signal whose `read` never throws: odd data that it was not written for make its value unknown, wherever it is read,
 * and hide no other signal.
 */
export function contained(signal: Signal): Signal {
  const guarded = <Args extends readonly unknown[]>(read: (...args: Args) => number | null) => {
    return (...args: Args): number | null => {
      try {
        return read(...args);
      } catch (error) {
        for (const listener of listeners) listener(signal.name, error);
        return null;
      }
    };
  };
  switch (signal.scope) {
    case 'instance':
      return { ...signal, read: guarded(signal.read) };
    case 'node':
      return { ...signal, read: guarded(signal.read) };
    case 'queue':
      return { ...signal, read: guarded(signal.read) };
    case 'job-type':
      return { ...signal, read: guarded(signal.read) };
  }
}
