import type { Watch } from '../../watch/watch.js';

/** One thing on a page that changes by itself. A viewer is sent it again only when `message` has changed. */
export interface Part {
  readonly key: string;
  /** Ready for the wire. */
  readonly message: string;
}

/** HTML that replaces the element `id` by morphing, so that focus and what was typed stay. */
export function swapPart(id: string, html: string): Part {
  // Unnamed messages are swapped by the client, named ones are not.
  return {
    key: id,
    message: sseMessage(null, `<hx-partial hx-target="#${id}" hx-swap="outerMorph">${html}</hx-partial>`),
  };
}

/** Data for the page's own script. */
export function eventPart(key: string, event: string, data: unknown): Part {
  return { key, message: sseMessage(event, JSON.stringify(data)) };
}

/** A list whose rows change and move: each row by itself, then their order, so that the page can hold the order back. */
export function listParts(
  list: string,
  items: readonly { readonly id: string; readonly html: string }[],
): readonly Part[] {
  return [
    ...items.map(({ id, html }) => eventPart(`${list}/${id}`, 'item', { list, id, html })),
    eventPart(`${list}/`, 'order', { list, ids: items.map(({ id }) => id) }),
  ];
}

/** One message of an event stream; line breaks of any kind in the data can't end it early. */
export function sseMessage(event: string | null, data: string): string {
  const head = event === null ? '' : `event: ${event}\n`;
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `${head}${lines.join('')}\n`;
}

/** Components here hold no promises, so that a rendering is a string at once. */
export function html(element: { toString(): string | Promise<string> }): string {
  const text = element.toString();
  if (typeof text !== 'string') throw new Error('a live part must not wait for anything');
  return text;
}

/** What all viewers of one view in one role share: rendered once, however many there are. */
export class LiveChannel {
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

/** Proxies and half-open connections are told apart from quiet ones by a comment this often. */
const HEARTBEAT_MS = 15_000;
/** A stream ends after this, and the page comes back: so a session that is over does not go on seeing. */
const LONGEST_MS = 30 * 60_000;

interface LiveStream {
  readonly body: ReadableStream<Uint8Array>;
  close(): void;
}

/**
 * One viewer's stream. It is pulled: nothing is made for a viewer that has not taken what it was sent, so a slow one
 * skips renderings and nothing piles up for it.
 */
function openStream(channel: LiveChannel, onEnd: () => void): LiveStream {
  const encoder = new TextEncoder();
  const endsAtMs = Date.now() + LONGEST_MS;
  let sentVersion = 0;
  let isOver = false;
  let release: (() => void) | null = null;

  const end = (): void => {
    if (isOver) return;
    isOver = true;
    release?.();
    onEnd();
  };

  /** What to send next; null at the end. */
  const next = async (): Promise<string | null> => {
    if (!isOver && channel.version <= sentVersion) await nextVersionOrHeartbeat();
    if (isOver || Date.now() > endsAtMs) return null;
    if (channel.version <= sentVersion) return ': still here\n\n';
    const text = channel.since(sentVersion);
    sentVersion = channel.version;
    return text === '' ? ': nothing new\n\n' : text;
  };

  const nextVersionOrHeartbeat = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => release?.(), HEARTBEAT_MS);
      const callOff = channel.onNext(() => release?.());
      release = () => {
        clearTimeout(timer);
        callOff();
        release = null;
        resolve();
      };
    });

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = await next();
        if (text === null) {
          end();
          controller.close();
        } else controller.enqueue(encoder.encode(text));
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
  return { body, close: end };
}

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
  readonly channel: LiveChannel;
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

  /** @param onFault called with what a view throws. */
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
    const shared = { channel: new LiveChannel(view.render), streams: new Map<LiveStream, Viewer>() };
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
        // A view that can't be made now must not stop the others; its pages come back and say so.
        for (const stream of [...streams.keys()]) stream.close();
      }
    }
    this.#schedule(LONGEST_GAP_MS);
  }
}
