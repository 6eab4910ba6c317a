import type { Part } from './part.js';

/** What all viewers of one view in one role share: rendered once, however many there are. */
export class Channel {
  readonly #render: () => readonly Part[];
  readonly #parts = new Map<string, { readonly message: string; readonly version: number }>();
  /** Messages by the version a viewer has: nearly all viewers have the same. */
  readonly #since = new Map<number, string>();
  readonly #waiting = new Set<() => void>();
  #version = 0;

  constructor(render: () => readonly Part[]) {
    this.#render = render;
    this.refresh();
  }

  /** Grows with every rendering. */
  get version(): number {
    return this.#version;
  }

  /** Renders anew and wakes those who wait. */
  refresh(): void {
    const parts = this.#render();
    this.#version += 1;
    this.#since.clear();
    const seen = new Set<string>();
    for (const { key, message } of parts) {
      seen.add(key);
      if (this.#parts.get(key)?.message === message) continue;
      // Deleted first: a Map keeps the place of a key that is set again, and rows must come before their order.
      this.#parts.delete(key);
      this.#parts.set(key, { message, version: this.#version });
    }
    for (const key of this.#parts.keys()) if (!seen.has(key)) this.#parts.delete(key);
    this.wake();
  }

  /** Everything that has changed after that version, in one text; a viewer that was slow gets only the last of each. */
  since(version: number): string {
    const known = this.#since.get(version);
    if (known !== undefined) return known;
    let text = '';
    for (const part of this.#parts.values()) if (part.version > version) text += part.message;
    this.#since.set(version, text);
    return text;
  }

  /** Calls back once, at the next rendering. Returns the way to call that off. */
  onNext(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }
}
