/** Wrong tokens in a row before a pause. A token has 256 bits; this only keeps the log and the CPU quiet. */
const MOST_TRIES = 10;
const WINDOW_MS = 60_000;
const MOST_SOURCES = 1_000;

/** Counts wrong tries by source address, in bounded memory. */
export class SignInTries {
  readonly #tries = new Map<string, { count: number; sinceMs: number }>();

  isBlocked(source: string, nowMs: number): boolean {
    const tries = this.#tries.get(source);
    return tries !== undefined && nowMs - tries.sinceMs < WINDOW_MS && tries.count >= MOST_TRIES;
  }

  noteWrong(source: string, nowMs: number): void {
    const tries = this.#tries.get(source);
    if (!tries || nowMs - tries.sinceMs >= WINDOW_MS) {
      this.#tries.delete(source);
      this.#tries.set(source, { count: 1, sinceMs: nowMs });
    } else tries.count += 1;
    const [oldest] = this.#tries.keys();
    if (this.#tries.size > MOST_SOURCES && oldest !== undefined) this.#tries.delete(oldest);
  }

  noteRight(source: string): void {
    this.#tries.delete(source);
  }
}
