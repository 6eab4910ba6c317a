import type { Redis } from 'ioredis';
import type { RelayMemory } from '../model/memory.js';
import { ReadBatch, Refused } from './read-batch.js';

/** Keys that are measured; a namespace has two for each node and some of its own. */
const MAX_KEYS = 2_000;
/** Measured in one step. */
const MAX_A_STEP = 100;

/** Is it a key of BullMQ's Relay? Those are `<prefix>::relay:{<namespace>}:…` and `<prefix>::relay:namespaces`; no queue's name is empty. */
export function isRelayKey(key: string): boolean {
  const at = key.indexOf('::relay:');
  return at >= 0 && (key[at + 8] === '{' || key.endsWith('::relay:namespaces'));
}

/** What the Relay holds in one Redis process: each of its keys as the walk over all keys has met it. */
export class RelayKeys {
  readonly #known = new Map<string, { readonly bytes: number; readonly pass: number }>();
  #pass = 0;

  /**
   * @param met keys of the Relay that the walk has met in this step. @param endedPass it has met all keys.
   * @returns the commands that were sent.
   */
  async look(
    client: Redis,
    met: readonly string[],
    endedPass: boolean,
  ): Promise<ReadonlyMap<string, number>> {
    const batch = new ReadBatch();
    const asked = met.slice(0, MAX_A_STEP).map((key) => [key, batch.add('memory', 'USAGE', key)] as const);
    await batch.run(client);
    for (const [key, slot] of asked) {
      const bytes = batch.read((answers) => answers.number(slot));
      if (bytes instanceof Refused || this.#known.size >= MAX_KEYS) continue;
      this.#known.set(key, { bytes, pass: this.#pass });
    }
    if (endedPass) {
      for (const [key, { pass }] of this.#known) if (pass < this.#pass) this.#known.delete(key);
      this.#pass += 1;
    }
    return batch.calls;
  }

  /** null: none is known. */
  get memory(): RelayMemory | null {
    if (this.#known.size === 0) return null;
    let bytes = 0;
    const namespaces = new Set<string>();
    for (const [key, known] of this.#known) {
      bytes += known.bytes;
      const namespace = /::relay:\{([^}]*)\}/.exec(key)?.[1];
      if (namespace !== undefined) namespaces.add(namespace);
    }
    return { bytes, keys: this.#known.size, namespaces: namespaces.size };
  }
}
