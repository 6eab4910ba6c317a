const WINDOW_MS = 5_000;

/** How many jobs a second a replay has moved, over the last seconds. */
export class MovedRate {
  readonly #points: { readonly atMs: number; readonly moved: number }[] = [];

  note(atMs: number, moved: number): void {
    this.#points.push({ atMs, moved });
    while (this.#points.length > 2 && (this.#points[1]?.atMs ?? 0) < atMs - WINDOW_MS) this.#points.shift();
  }

  /** 0 until two looks are known. */
  get perSecond(): number {
    const first = this.#points[0];
    const last = this.#points.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return 0;
    return Math.max(0, ((last.moved - first.moved) / (last.atMs - first.atMs)) * 1000);
  }
}
