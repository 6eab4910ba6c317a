import { workersOf } from '../model/queue-verdict.js';
import { freshnessOf } from '../model/sight.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { KEPT_SIGNALS } from '../signals/kept-signals.js';
import type { Signal } from '../signals/signal.js';
import { eachReading, type SignalSubject } from '../signals/signal.js';
import { type BlockColumn, encodeBlock } from './block.js';
import type { NewBlock } from './history-file.js';
import { noTicks, type Points, TICK_MS } from './points.js';
import type { SubjectEntry, Subjects } from './subjects.js';
import { TickWindow } from './tick-window.js';

/** What one row of ticks spans at most: so much is lost with a kill. */
const WINDOW_SECONDS = 30;
/** Two ticks further apart than this many poll intervals have a gap between them. */
const LATE_INTERVALS = 2.5;
/** With more queues than this, one that was not read since the last tick is looked at this often only. */
const FEW_QUEUES = 500;
const UNREAD_EVERY_SECONDS = 10;

export interface ClosedWindow {
  readonly entry: SubjectEntry;
  readonly startMs: number;
  /** What it takes of the memory until it is encoded, where there is time for it. */
  readonly heldBytes: number;
  readonly encode: () => Uint8Array;
}

/** Stretches in which an instance was seen without a gap, in seconds. */
interface SeenSpan {
  /** Of the last tick. */
  lastSecond: number;
  /** Of the first tick after the last gap, and of the last one before it. */
  fromSecond: number;
  beforeGap: number;
}

const OF_SCOPE: Readonly<Record<Signal['scope'], readonly Signal[]>> = {
  instance: KEPT_SIGNALS.filter(({ scope }) => scope === 'instance'),
  node: KEPT_SIGNALS.filter(({ scope }) => scope === 'node'),
  queue: KEPT_SIGNALS.filter(({ scope }) => scope === 'queue'),
  'job-type': KEPT_SIGNALS.filter(({ scope }) => scope === 'job-type'),
};
const COLUMNS: ReadonlyMap<Signal, number> = new Map(
  Object.values(OF_SCOPE).flatMap((signals) => signals.map((signal, i) => [signal, i] as const)),
);

/**
 * The last seconds of every series, in memory, a second a step. Windows of subjects end at different seconds, so that at
 * no tick all of them are to be written.
 */
export class Head {
  readonly #subjects: Subjects;
  readonly #signalIds: ReadonlyMap<string, number>;
  readonly #onClosed: (closed: ClosedWindow) => void;
  readonly #seenSpans = new Map<string, SeenSpan>();
  #carrySeconds = 2;
  #second = Number.NEGATIVE_INFINITY;

  /** @param onClosed is given each window that came to its end. */
  constructor(
    subjects: Subjects,
    signalIds: ReadonlyMap<string, number>,
    onClosed: (closed: ClosedWindow) => void,
  ) {
    this.#subjects = subjects;
    this.#signalIds = signalIds;
    this.#onClosed = onClosed;
  }

  /** Takes what signals are at this tick. A value lasts until the next tick, unless that comes too late. */
  take(snapshot: Snapshot, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    this.#carrySeconds = Math.max(2, Math.ceil((snapshot.poll.intervalMs * LATE_INTERVALS) / 1000));
    if (freshnessOf(snapshot, nowMs).isLive) this.#noteSeen(snapshot.instance, second);
    let last: SignalSubject | null = null;
    let entry: SubjectEntry | null = null;
    const wants = (queue: QueueState): boolean => this.#wants(snapshot, queue, second);
    const visit = (signal: Signal, subject: SignalSubject, value: number | null): void => {
      if (subject !== last) {
        last = subject;
        entry = this.#subjects.find(subject);
        // What is not known now is a gap, also where none of it is known.
        if (entry && entry.lastSecond !== second) this.#advance(entry, second);
      }
      if (value === null || !Number.isFinite(value)) return;
      if (!entry) {
        entry = this.#subjects.create(subject, nowMs);
        if (!entry) return;
      }
      if (entry.window === null) this.#advance(entry, second);
      const column = COLUMNS.get(signal);
      if (column !== undefined) entry.window?.set(column, value);
    };
    eachReading(KEPT_SIGNALS, snapshot, nowMs, visit, wants);
    if (second !== this.#second) this.#sweep(second);
  }

  /** Closes everything that is open. */
  closeAll(): void {
    for (const entry of this.#subjects.all)
      if (entry.window) this.#close(entry, entry.window, this.#heldUntil(entry, this.#second + 1));
  }

  /** What is not closed yet of one series; null: nothing. */
  open(entry: SubjectEntry, signal: Signal): Points | null {
    const { window } = entry;
    const column = COLUMNS.get(signal);
    if (!window || column === undefined) return null;
    const until = Math.min(window.endSecond, this.#heldUntil(entry, this.#second + 1));
    return window.points(column, until);
  }

  #noteSeen(instance: string, second: number): void {
    const seen = this.#seenSpans.get(instance);
    if (!seen) {
      this.#seenSpans.set(instance, { lastSecond: second, fromSecond: second, beforeGap: second - 1 });
      return;
    }
    const isGap = second - seen.lastSecond > this.#carrySeconds || second < seen.lastSecond;
    if (isGap) seen.beforeGap = seen.lastSecond;
    if (isGap) seen.fromSecond = second;
    seen.lastSecond = second;
  }

  /** Of thousands of queues those that were read: the others are as they were, and their values hold. */
  #wants(snapshot: Snapshot, queue: QueueState, second: number): boolean {
    if (snapshot.queues.length <= FEW_QUEUES) return true;
    const entry = this.#subjects.queue(snapshot.instance, queue.id);
    if (!entry) return true;
    const isSeen = entry.seen === queue && second - entry.lastSecond < UNREAD_EVERY_SECONDS;
    entry.seen = queue;
    // What workers do is not in the state of their queue.
    return !isSeen || workersOf(snapshot, queue.id).length > 0;
  }

  /** The second up to which the last values of a subject hold. */
  #heldUntil(entry: SubjectEntry, second: number): number {
    const last = entry.lastSecond;
    const isOfMany = entry.scope === 'queue' || entry.scope === 'job-type';
    const most = this.#carrySeconds + (isOfMany ? UNREAD_EVERY_SECONDS : 0);
    const seen = entry.scope === 'instance' ? null : this.#seenSpans.get(entry.subject.instance);
    // Nothing holds longer than its instance was seen.
    const seenUntil = seen ? (last < seen.fromSecond ? seen.beforeGap : seen.lastSecond) + 1 : second;
    const until = Math.min(second, seenUntil);
    return until <= last || until - last > most ? last + 1 : until;
  }

  /** Begins a row of values at that second. */
  #advance(entry: SubjectEntry, second: number): void {
    const until = this.#heldUntil(entry, second);
    this.#roll(entry, second, until);
    if (entry.window && until < second && until >= entry.window.startSecond) entry.window.begin(until);
    entry.window ??= new TickWindow(
      OF_SCOPE[entry.scope].length,
      second,
      second + WINDOW_SECONDS - ((second + entry.id) % WINDOW_SECONDS),
    );
    entry.window.begin(second);
    entry.lastSecond = second;
  }

  /** Closes the windows that have come to their end; what still holds then goes on in the next one. */
  #roll(entry: SubjectEntry, second: number, until: number): void {
    let { window } = entry;
    if (window && second < Math.max(window.startSecond, entry.lastSecond)) {
      this.#close(entry, window, entry.lastSecond + 1);
      return;
    }
    while (window && second >= window.endSecond) {
      this.#close(entry, window, until);
      window = until >= window.endSecond ? window.next(window.endSecond + WINDOW_SECONDS) : null;
      entry.window = window;
    }
  }

  #sweep(second: number): void {
    this.#second = second;
    for (const entry of this.#subjects.all) {
      const { window } = entry;
      if (window && (second >= window.endSecond || second < window.startSecond))
        this.#roll(entry, second, this.#heldUntil(entry, second));
    }
  }

  #close(entry: SubjectEntry, window: TickWindow, untilSecond: number): void {
    entry.window = null;
    const until = Math.min(window.endSecond, untilSecond);
    if (until <= window.startSecond || window.isBlank) return;
    this.#onClosed({
      entry,
      startMs: window.startSecond * 1000,
      heldBytes: window.heldBytes,
      encode: () => encodeWindow(entry.scope, this.#signalIds, window, until),
    });
  }
}

/** Used again: hundreds of windows are encoded a second, nearly all of them of one length. */
let scratch = noTicks(0, WINDOW_SECONDS);

function encodeWindow(
  scope: Signal['scope'],
  ids: ReadonlyMap<string, number>,
  window: TickWindow,
  untilSecond: number,
): Uint8Array {
  const length = untilSecond - window.startSecond;
  if (scratch.count.length !== length) scratch = noTicks(0, length);
  function* columns(): Generator<BlockColumn> {
    for (const [i, { name }] of OF_SCOPE[scope].entries()) {
      const signal = ids.get(name);
      if (signal === undefined || window.isBlankColumn(i)) continue;
      yield { signal, points: window.points(i, untilSecond, scratch) };
    }
  }
  return encodeBlock({ scope, stepMs: TICK_MS, length }, columns());
}

/** The kept signal of that name, or null. */
export function keptSignal(name: string): Signal | null {
  return KEPT_SIGNALS.find((signal) => signal.name === name) ?? null;
}

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
