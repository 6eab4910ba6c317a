import type { Watch } from '../../watch/watch.js';
import { Channel } from './channel.js';
import type { Part } from './part.js';
import { type LiveStream, openStream } from './stream.js';

/** Ticks of several Redises that come close together are one rendering. */
const TOGETHER_MS = 40;
const SHORTEST_GAP_MS = 400;
/** Ages go on counting while no tick comes. */
const LONGEST_GAP_MS = 2_000;
const MOST_STREAMS = 1_000;

export interface LiveView {
  /** Everything that the rendering depends on, the role too: viewers with the same key share it. */
  readonly key: string;
  readonly render: () => readonly Part[];
}

interface Shared {
  readonly channel: Channel;
  readonly streams: Set<LiveStream>;
}

/** All live views: one rendering per view, role and tick, shared by its viewers; none where nobody looks. */
export class LiveHub {
  readonly #shared = new Map<string, Shared>();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | null = null;
  #isTickDue = false;
  #lastAtMs = 0;
  #streams = 0;
  #isClosed = false;

  constructor(watch: Watch) {
    this.#unsubscribe = watch.onTick(() => this.#schedule(TOGETHER_MS));
  }

  /** A stream of that view; null while the console stops, or where there are too many. */
  open(view: LiveView): ReadableStream<Uint8Array> | null {
    if (this.#isClosed || this.#streams >= MOST_STREAMS) return null;
    const shared = this.#shared.get(view.key) ?? this.#share(view);
    const stream = openStream(shared.channel, () => {
      this.#streams -= 1;
      shared.streams.delete(stream);
      if (shared.streams.size === 0) this.#shared.delete(view.key);
    });
    this.#streams += 1;
    shared.streams.add(stream);
    this.#schedule(LONGEST_GAP_MS);
    return stream.body;
  }

  /** Ends every stream; later ones are refused. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    if (this.#timer) clearTimeout(this.#timer);
    for (const { streams } of this.#shared.values()) for (const stream of [...streams]) stream.close();
  }

  #share(view: LiveView): Shared {
    const shared = { channel: new Channel(view.render), streams: new Set<LiveStream>() };
    this.#shared.set(view.key, shared);
    return shared;
  }

  #schedule(withinMs: number): void {
    if (this.#isClosed || this.#shared.size === 0) return;
    const isTick = withinMs <= TOGETHER_MS;
    // A tick brings the next rendering forward, but no second one puts it off again.
    if (this.#timer && (this.#isTickDue || !isTick)) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#isTickDue = isTick;
    const earliest = this.#lastAtMs + SHORTEST_GAP_MS - Date.now();
    this.#timer = setTimeout(() => this.#refresh(), Math.max(withinMs, earliest));
    this.#timer.unref();
  }

  #refresh(): void {
    this.#timer = null;
    this.#isTickDue = false;
    this.#lastAtMs = Date.now();
    for (const { channel, streams } of this.#shared.values()) {
      try {
        channel.refresh();
      } catch {
        // A view that can't be made now must not stop the others; its pages come back and are told.
        for (const stream of [...streams]) stream.close();
      }
    }
    this.#schedule(LONGEST_GAP_MS);
  }
}
