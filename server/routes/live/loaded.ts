import { setTimeout as wait } from 'node:timers/promises';

/** How to read what a live view shows, where that takes a wait. */
interface LoadedOptions<T> {
  readonly load: () => Promise<T>;
  /** Read again no sooner than this after the last time. */
  readonly everyMs: number;
  /** Read again only where this has changed, or after `atLatestMs`; left out: each time. */
  readonly version?: () => number;
  readonly atLatestMs?: number;
  readonly now: () => number;
}

/**
 * What was read last, for views that are rendered without waiting: asking for it begins to read it anew, at most one at a
 * time, and the next rendering shows what came of it. Nothing is read where nobody looks.
 */
export class Loaded<T> {
  readonly #options: LoadedOptions<T>;
  #last: T | null = null;
  #loading: Promise<void> | null = null;
  #loadedAtMs = Number.NEGATIVE_INFINITY;
  #loadedVersion: number | null = null;

  constructor(options: LoadedOptions<T>) {
    this.#options = options;
  }

  /** null: nothing has been read yet. What can't be read now leaves what was. */
  latest(): T | null {
    this.#loadIfDue();
    return this.#last;
  }

  /** What is read now where that is due, else what was read last; where it takes longer than `withinMs`, the same. */
  async fresh(withinMs: number): Promise<T | null> {
    const loading = this.#loadIfDue();
    if (loading !== null) {
      const late = new AbortController();
      await Promise.race([
        loading,
        wait(withinMs, undefined, { signal: late.signal }).catch(() => undefined),
      ]);
      late.abort();
    }
    return this.#last;
  }

  #loadIfDue(): Promise<void> | null {
    if (this.#loading === null && this.#isDue())
      this.#loading = this.#load().finally(() => {
        this.#loading = null;
      });
    return this.#loading;
  }

  #isDue(): boolean {
    const { everyMs, version, atLatestMs = everyMs, now } = this.#options;
    const ageMs = now() - this.#loadedAtMs;
    // A clock that was set back must not stop it.
    if (ageMs < 0 || ageMs >= atLatestMs) return true;
    return ageMs >= everyMs && (version === undefined || version() !== this.#loadedVersion);
  }

  async #load(): Promise<void> {
    const { load, version, now } = this.#options;
    // Before: what is written meanwhile is read the next time.
    this.#loadedAtMs = now();
    this.#loadedVersion = version?.() ?? null;
    try {
      this.#last = await load();
    } catch {
      // The page shows what was; that the store fails is shown elsewhere, on every page.
    }
  }
}
