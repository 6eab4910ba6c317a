import type { Containment } from './contain.js';

/** A beat that has not come back after this was not received: one a second, so that is noticed within 2.2 s. */
const DEAF_AFTER_MS = 1_200;
/** The event loop stood still for so long: what has come back may not have been read yet. */
const LATE_MS = 400;

/** Listens for the agent's own beats: where one does not come back the subscriber is deaf, whatever its socket says. */
export class Echo {
  readonly #contain: Containment;
  readonly #onDeaf: () => void;
  /** Beats that were sent and not received yet. */
  readonly #unheard = new Set<number>();
  #timesDeaf = 0;

  constructor(contain: Containment, onDeaf: () => void) {
    this.#contain = contain;
    this.#onDeaf = onDeaf;
  }

  get timesDeaf(): number {
    return this.#timesDeaf;
  }

  sent(seq: number): void {
    this.#unheard.add(seq);
    this.#checkIn(seq);
  }

  /** This beat has come back; earlier ones are not waited for any more. */
  received(seq: number): void {
    for (const sent of this.#unheard) if (sent <= seq) this.#unheard.delete(sent);
  }

  /** The connection is another: what was sent by the old one does not come back. */
  forget(): void {
    this.#unheard.clear();
  }

  /** By a clock that is never set: one that jumps must not make the subscriber look deaf. */
  #checkIn(seq: number): void {
    const dueAt = performance.now() + DEAF_AFTER_MS;
    this.#contain.after(DEAF_AFTER_MS, 'listening for itself', () => this.#check(seq, dueAt));
  }

  #check(seq: number, dueAt: number): void {
    if (!this.#unheard.has(seq)) return;
    if (performance.now() - dueAt > LATE_MS) {
      this.#checkIn(seq);
      return;
    }
    this.#timesDeaf += 1;
    this.#unheard.clear();
    this.#onDeaf();
  }
}
