import type { ChannelHealth } from '../model/console-health.js';
import { type HealthProblem, judgeHealth } from '../model/console-health.js';
import { freshnessOf } from '../model/sight.js';
import { every, reasonOf } from '../process/every.js';
import { type StoreTrouble, storeTroubleOf, troubleInWords } from '../store/store-trouble.js';
import type { Watch } from '../watch/watch.js';
import type { OutboxStore } from './outbox-store.js';

const EVERY_MS = 5_000;

/** `on disk`: it was written at the last look. `in memory`: it could not be opened at the start. */
export type StoreState = 'on disk' | 'in memory' | 'not written' | StoreTrouble;

/** The store, as far as its own health and messages go. */
export interface HealthStore {
  readonly outbox: OutboxStore;
  /** Writes a little. @throws what keeps the store from being written. */
  readonly probe: (nowMs: number) => Promise<void>;
  /** Why nothing is kept on disk; null while it is. */
  readonly problem: string | null;
}

export interface HealthDeps {
  readonly store: HealthStore;
  readonly watch: Pick<Watch, 'snapshots'>;
  /** Of those that are configured; what was configured once does not count. */
  readonly channelNames: readonly string[];
  readonly now: () => number;
}

/** Watches the console itself: does it read, write and deliver? Kept for pages, findings and the dead man's switch. */
export class HealthKeeper {
  readonly #deps: HealthDeps;
  readonly #startedAtMs: number;
  readonly #loop = every(
    EVERY_MS,
    () => this.#turn().catch((error: unknown) => this.#noteTrouble(error)),
    () => undefined,
  );
  #wroteAtMs: number | null = null;
  #writeError: string | null = null;
  #trouble: StoreState | null = null;
  #channels: readonly ChannelHealth[] = [];
  #dueSinceMs: number | null = null;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
    this.#startedAtMs = deps.now();
  }

  start(): void {
    this.#loop.start();
    void this.look();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** What is wrong now, by what is known: nothing is read for it. */
  problems(): readonly HealthProblem[] {
    const { watch, store, now } = this.#deps;
    const nowMs = now();
    return judgeHealth({
      nowMs,
      startedAtMs: this.#startedAtMs,
      blindInstances: watch
        .snapshots()
        .filter((snapshot) => !freshnessOf(snapshot, nowMs).isLive)
        .map(({ instance, link }) => ({ instance, lastReadAtMs: link.lastReadAtMs })),
      storeProblem: store.problem,
      wroteAtMs: this.#wroteAtMs,
      writeError: this.#writeError,
      channels: this.#channels,
      dueSinceMs: this.#dueSinceMs,
    });
  }

  /** How the store was at the last look, for /readyz. */
  storeState(): StoreState {
    return this.#deps.store.problem === null ? (this.#trouble ?? 'on disk') : 'in memory';
  }

  /** Has every instance been read, and the store been written, at least once? */
  isSettled(): boolean {
    const hasRead = this.#deps.watch.snapshots().every(({ link }) => link.lastReadAtMs !== null);
    return hasRead && this.#wroteAtMs !== null;
  }

  /** Tries the store and reads how channels do. Never throws; one at a time. */
  look(): Promise<void> {
    return this.#loop.run();
  }

  #noteTrouble(error: unknown): void {
    const trouble = storeTroubleOf(error);
    this.#trouble = trouble ?? 'not written';
    this.#writeError = trouble === null ? reasonOf(error) : troubleInWords(trouble);
  }

  async #turn(): Promise<void> {
    const { store, now, channelNames } = this.#deps;
    await store.probe(now());
    this.#wroteAtMs = now();
    this.#writeError = null;
    this.#trouble = null;
    this.#channels = (await store.outbox.health()).filter(({ channel }) => channelNames.includes(channel));
    this.#dueSinceMs = await store.outbox.dueSinceMs(channelNames, now());
  }
}
