import { freshnessOf } from '../model/sight.js';
import type { TimelineEntry, TimelineLog } from '../model/timeline-entry.js';
import type { Watch } from '../watch/watch.js';
import type { EpisodeLog } from './episode-log.js';
import { episodeInWords } from './record-episode.js';
import {
  type EpisodeEvent,
  type EpisodeStore,
  NO_SPELLS,
  resumedBook,
  stepEpisodes,
} from './step-episodes.js';

/** Worst numbers and the time at which a finding was last seen are kept this often: as much a kill loses of them. */
const SAVE_EVERY_MS = 10_000;

export interface EpisodeKeeperDeps {
  readonly watch: Pick<Watch, 'snapshot' | 'findings' | 'onTick'>;
  readonly episodes: EpisodeLog;
  readonly timeline: Pick<TimelineLog, 'append'>;
  /** Of several consoles on one store, is it this one that tells? */
  readonly isLeader: () => boolean;
  readonly now: () => number;
  readonly newId: () => string;
  readonly warn: (message: string) => void;
}

/**
 * Tells the timeline when findings begin, get worse and end, and keeps what was worst of each. Driven by the watcher's
 * ticks; what is open is in the store as well, so a console that restarts, or takes over from another one, does not begin
 * it twice.
 */
export class EpisodeKeeper {
  readonly #deps: EpisodeKeeperDeps;
  #book: EpisodeStore = NO_SPELLS;
  /** The book is ours, read from the store when it became so. */
  #isTelling = false;
  #isReading = false;
  #savedAtMs = 0;
  #stop: (() => void) | null = null;
  /** Writes go one after the other, so that an end never overtakes its beginning. */
  #writes: Promise<void> = Promise.resolve();

  constructor(deps: EpisodeKeeperDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    // First, so that a store that can't be read now is tried again at the next tick.
    this.#stop = this.#deps.watch.onTick((instance) => this.#look(instance), 'timeline of findings');
    if (this.#deps.isLeader()) await this.#takeOver();
  }

  /** Keeps what was last seen, and ends. */
  async stop(): Promise<void> {
    this.#stop?.();
    this.#stop = null;
    if (this.#isTelling) this.#saveAll();
    await this.#writes;
  }

  async #takeOver(): Promise<void> {
    this.#isReading = true;
    try {
      this.#book = resumedBook(await this.#deps.episodes.open());
      this.#isTelling = true;
    } finally {
      this.#isReading = false;
    }
  }

  #look(instance: string): void {
    const { watch, now, newId, isLeader } = this.#deps;
    if (!isLeader()) {
      this.#isTelling = false;
      return;
    }
    if (!this.#isTelling) {
      if (!this.#isReading) void this.#takeOver().catch((error: unknown) => this.#fail(error));
      return;
    }
    const snapshot = watch.snapshot(instance);
    if (!snapshot) return;
    const nowMs = now();
    const findings = watch.findings().filter((finding) => finding.instance === instance);
    const isLive = freshnessOf(snapshot, nowMs).isLive;
    const { book, told } = stepEpisodes(this.#book, { instance, findings, isLive, nowMs }, newId);
    this.#book = book;
    for (const event of told) {
      this.#write(() => this.#deps.episodes.save(event.episode));
      this.#write(() => this.#deps.timeline.append(entryOf(event)));
    }
    if (nowMs - this.#savedAtMs < SAVE_EVERY_MS) return;
    this.#savedAtMs = nowMs;
    this.#saveAll();
  }

  #saveAll(): void {
    for (const { episode, isUnconfirmed } of this.#book.open)
      if (!isUnconfirmed) this.#write(() => this.#deps.episodes.save(episode));
  }

  #write(what: () => Promise<void>): void {
    this.#writes = this.#writes
      // Another console goes on with it, and knows more by now.
      .then(() => (this.#deps.isLeader() ? what() : undefined))
      .catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : 'unknown reason';
    this.#deps.warn(`what became of a finding was not kept: ${reason}`);
  }
}

/** Ids are made from the episode's, so that a link to its beginning and its end can be built. */
function entryOf(event: EpisodeEvent): TimelineEntry {
  const { kind, episode, atMs } = event;
  const suffix = { began: '', worsened: '-worse', ended: '-end' }[kind];
  return {
    id: `${episode.id}${suffix}`,
    atMs,
    instance: episode.instance,
    kind: `finding.${kind}`,
    queue: episode.queue,
    worker: null,
    text: episodeInWords(event),
    actor: null,
    severity: kind === 'ended' ? 'info' : episode.severity,
    ref: episode.id,
  };
}
