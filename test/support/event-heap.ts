/** What happens next: a binary heap by time. */
export class EventHeap<T> {
  readonly #events: { readonly atMs: number; readonly event: T }[] = [];

  push(atMs: number, event: T): void {
    const events = this.#events;
    let at = events.push({ atMs, event }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#timeOf(parent) <= atMs) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Time of the next event; Infinity: there is none. */
  get nextMs(): number {
    return this.#events[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  pop(): T | undefined {
    const first = this.#events[0];
    const last = this.#events.pop();
    if (!first || !last || this.#events.length === 0) return first?.event;
    this.#events[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const least = this.#timeOf(left + 1) < this.#timeOf(left) ? left + 1 : left;
      if (this.#timeOf(least) >= this.#timeOf(at)) return first.event;
      this.#swap(at, least);
      at = least;
    }
  }

  #timeOf(at: number): number {
    return this.#events[at]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#events[a], this.#events[b]];
    if (!one || !other) return;
    this.#events[a] = other;
    this.#events[b] = one;
  }
}
