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
  #isLoading = false;
  #loadedAtMs = Number.NEGATIVE_INFINITY;
  #loadedVersion: number | null = null;

  constructor(options: LoadedOptions<T>) {
    this.#options = options;
  }

  /** null: nothing has been read yet. What can't be read now leaves what was. */
  latest(): T | null {
    if (!this.#isLoading && this.#isDue()) void this.#load();
    return this.#last;
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
    this.#isLoading = true;
    // Before: what is written meanwhile is read the next time.
    this.#loadedAtMs = now();
    this.#loadedVersion = version?.() ?? null;
    try {
      this.#last = await load();
    } catch {
      // The page shows what was; that the store fails is told elsewhere, on every page.
    } finally {
      this.#isLoading = false;
    }
  }
}
