import type { ClosedWindow } from './head.js';
import type { NewBlock } from './history-file.js';
import type { SubjectEntry } from './subject-entry.js';

/** A window that is closed and not written yet. It is encoded when somebody asks for its body first, and once. */
export class WaitingWindow implements NewBlock {
  readonly entry: SubjectEntry;
  readonly tier = 'tick';
  readonly startMs: number;
  #closed: ClosedWindow | null;
  #body: Uint8Array | null = null;

  constructor(closed: ClosedWindow) {
    this.entry = closed.entry;
    this.startMs = closed.startMs;
    this.#closed = closed;
  }

  get body(): Uint8Array {
    if (this.#body === null) {
      this.#body = this.#closed?.encode() ?? new Uint8Array();
      this.#closed = null;
    }
    return this.#body;
  }

  /** What it takes of the memory. */
  get heldBytes(): number {
    return this.#body?.length ?? this.#closed?.heldBytes ?? 0;
  }
}
