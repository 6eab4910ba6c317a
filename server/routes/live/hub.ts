import type { Watch } from '../../watch/watch.js';
import { Channel } from './channel.js';
import type { Part } from './part.js';
import { type LiveStream, openStream } from './stream.js';

/** Ticks of several Redises that come close together are one rendering. */
const TOGETHER_MS = 40;
const SHORTEST_GAP_MS = 400;
/** Ages go on counting while no tick comes. */
const LONGEST_GAP_MS = 2_000;
const MAX_STREAMS = 1_000;
/** So that others still see when somebody's pages, or a program, open more and more. */
const MAX_STREAMS_OF_VIEWER = 200;

export interface LiveView {
  /** Everything that the rendering depends on, the role too: viewers with the same key share it. */
  readonly key: string;
  readonly render: () => readonly Part[];
}

export interface Viewer {
  /** All streams of one token count together, however often its holder signs in. */
  readonly name: string;
  /** The session is over: nothing more may be seen by it. */
  readonly isOver: () => boolean;
}

interface Shared {
  readonly channel: Channel;
  readonly streams: Map<LiveStream, Viewer>;
}

/** All live views: one rendering per view, role and tick, shared by its viewers; none where nobody looks. */
export class LiveHub {
  readonly #shared = new Map<string, Shared>();
  readonly #onFault: (error: unknown) => void;
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | null = null;
  #isTickDue = false;
  #lastAtMs = 0;
  readonly #byViewer = new Map<string, number>();
  #streams = 0;
  #isClosed = false;

  /** @param onFault told what a view throws. */
  constructor(watch: Watch, onFault: (error: unknown) => void) {
    this.#onFault = onFault;
    this.#unsubscribe = watch.onTick(() => this.#schedule(TOGETHER_MS), 'live pages');
  }

  /** A stream of that view; or why there is none: the console stops, or has too many, or this viewer has. */
  open(view: LiveView, viewer: Viewer): ReadableStream<Uint8Array> | 'no-more' | 'too-many' {
    if (this.#isClosed || this.#streams >= MAX_STREAMS) return 'no-more';
    const own = this.#byViewer.get(viewer.name) ?? 0;
    if (own >= MAX_STREAMS_OF_VIEWER) return 'too-many';
    const shared = this.#shared.get(view.key) ?? this.#share(view);
    const stream = openStream(shared.channel, () => {
      this.#streams -= 1;
      const left = (this.#byViewer.get(viewer.name) ?? 1) - 1;
      if (left > 0) this.#byViewer.set(viewer.name, left);
      else this.#byViewer.delete(viewer.name);
      shared.streams.delete(stream);
      if (shared.streams.size === 0) this.#shared.delete(view.key);
    });
    this.#streams += 1;
    this.#byViewer.set(viewer.name, own + 1);
    shared.streams.set(stream, viewer);
    this.#schedule(LONGEST_GAP_MS);
    return stream.body;
  }

  /** Ends every stream; later ones are refused. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    if (this.#timer) clearTimeout(this.#timer);
    for (const { streams } of this.#shared.values()) for (const stream of [...streams.keys()]) stream.close();
  }

  #share(view: LiveView): Shared {
    const shared = { channel: new Channel(view.render), streams: new Map<LiveStream, Viewer>() };
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
      for (const [stream, viewer] of [...streams]) if (viewer.isOver()) stream.close();
      try {
        channel.refresh();
      } catch (error) {
        this.#onFault(error);
        // A view that can't be made now must not stop the others; its pages come back and are told.
        for (const stream of [...streams.keys()]) stream.close();
      }
    }
    this.#schedule(LONGEST_GAP_MS);
  }
}
