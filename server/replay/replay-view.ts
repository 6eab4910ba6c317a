import type { ReplayRecord } from '../model/replay.js';
import { accountOf, type ReplayView } from '../model/replay.js';
import { every, reasonOf, type WorkHealth } from '../process/every.js';
import type { ReplayStore } from './replay-store.js';

/** @param movedPerSecond measured; what a replay that does not run moves is 0. */
export function viewOfReplay(
  record: ReplayRecord,
  movedPerSecond: number,
  pacePerSecond: number,
  paceReason: string,
): ReplayView {
  const account = accountOf(record.counts, record.isSwept);
  const isKnown = account.isCounted && movedPerSecond > 0;
  const remainingSeconds = isKnown ? account.remaining / movedPerSecond : null;
  return { record, account, pacePerSecond, paceReason, movedPerSecond, remainingSeconds };
}

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

const REFRESH_EVERY_MS = 1_000;

interface StoredReplaysDeps {
  readonly store: Pick<ReplayStore, 'list'>;
  readonly now: () => number;
  /** Who runs them, as a part of a sentence. */
  readonly runBy: () => string;
  readonly warn: (message: string) => void;
}

/** Replays that another console runs, as the store has them: read once a second. */
export class StoredReplays {
  readonly #deps: StoredReplaysDeps;
  #records: readonly ReplayRecord[] = [];
  readonly #rates = new Map<string, MovedRate>();
  readonly #loop = every(
    REFRESH_EVERY_MS,
    () => this.#read(),
    (error) => this.#deps.warn(`replays could not be read: ${reasonOf(error)}`),
  );

  constructor(deps: StoredReplaysDeps) {
    this.#deps = deps;
  }

  get health(): WorkHealth {
    return this.#loop.health();
  }

  /** Reads them from now on. @param known what they were just now, where that is known. */
  follow(known = this.#records): Promise<void> {
    this.#records = known;
    this.#rates.clear();
    this.#loop.start();
    return this.refresh();
  }

  stop(): void {
    void this.#loop.stop();
  }

  /** Newest first. */
  list(): readonly ReplayView[] {
    return this.#records.map((record) => this.#viewOf(record));
  }

  get(id: string): ReplayView | null {
    const record = this.#records.find((one) => one.id === id);
    return record ? this.#viewOf(record) : null;
  }

  /** Never throws: what was read before is shown until the store can be read again. */
  refresh(): Promise<void> {
    return this.#loop.run();
  }

  async #read(): Promise<void> {
    const { store, now } = this.#deps;
    this.#records = await store.list();
    const nowMs = now();
    for (const { id, state, counts } of this.#records) {
      if (state !== 'running') this.#rates.delete(id);
      else this.#rateOf(id).note(nowMs, counts.moved);
    }
  }

  #viewOf(record: ReplayRecord): ReplayView {
    if (record.state !== 'running') return viewOfReplay(record, 0, 0, record.reason);
    const perSecond = this.#rateOf(record.id).perSecond;
    return viewOfReplay(record, perSecond, perSecond, `Run by ${this.#deps.runBy()}.`);
  }

  #rateOf(id: string): MovedRate {
    const rate = this.#rates.get(id) ?? new MovedRate();
    this.#rates.set(id, rate);
    return rate;
  }
}
