/** A verdict that is worked out again only where what it was made from has changed. */
export class Memo<T> {
  #key: string | null = null;
  #value: T | null = null;

  /** @param key changes with everything that `make` looks at. */
  of(key: string, make: () => T): T {
    if (this.#key !== key) {
      this.#value = make();
      this.#key = key;
    }
    return this.#value as T;
  }
}
