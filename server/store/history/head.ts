import { type BlockColumn, encodeBlock } from '../../model/history/block.js';
import { type Points, pointsOfTicks } from '../../model/history/points.js';
import { KEPT_SIGNALS, keptPrecision } from '../../signals/kept-signals.js';
import { eachReading, type Subject } from '../../signals/reading.js';
import type { Signal } from '../../signals/signal.js';
import type { Snapshot } from '../../watch/snapshot.js';
import { pack } from './pack.js';
import type { SubjectEntry, Window } from './subject-entry.js';
import type { Subjects } from './subjects.js';

/** What one row of ticks spans at most: so much is lost with a kill. */
export const WINDOW_SECONDS = 30;
/** Two ticks further apart than this many poll intervals have a gap between them. */
const LATE_INTERVALS = 2.5;

export interface ClosedWindow {
  readonly entry: SubjectEntry;
  readonly startMs: number;
  /** As it came; it is encoded where there is time for it. */
  readonly values: Float32Array;
  readonly encode: () => Uint8Array;
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
  #sweptSecond = Number.NEGATIVE_INFINITY;

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
    const carrySeconds = Math.max(2, Math.ceil((snapshot.poll.intervalMs * LATE_INTERVALS) / 1000));
    let last: Subject | null = null;
    let entry: SubjectEntry | null = null;
    eachReading(KEPT_SIGNALS, snapshot, nowMs, (signal, subject, value) => {
      if (value === null || !Number.isFinite(value)) return;
      if (subject !== last) entry = this.#subjects.find(subject) ?? this.#subjects.create(subject, nowMs);
      last = subject;
      if (!entry) return;
      if (entry.lastSecond !== second || (entry.window?.startSecond ?? -1) < 0)
        this.#advance(entry, second, carrySeconds);
      const { window } = entry;
      const column = COLUMNS.get(signal);
      if (window && column !== undefined)
        window.values[column * WINDOW_SECONDS + second - window.startSecond] = value;
    });
    if (second === this.#sweptSecond) return;
    this.#sweptSecond = second;
    for (const entry of this.#subjects.all) {
      const { window } = entry;
      if (window && window.startSecond >= 0 && (second >= window.endSecond || second < window.startSecond))
        this.#close(entry, window);
    }
  }

  /** Closes everything that is open. */
  closeAll(): void {
    for (const entry of this.#subjects.all)
      if (entry.window && entry.window.startSecond >= 0) this.#close(entry, entry.window);
  }

  /** What is not closed yet of one series; null: nothing. */
  open(entry: SubjectEntry, signal: Signal): Points | null {
    const { window } = entry;
    const column = COLUMNS.get(signal);
    if (!window || window.startSecond < 0 || column === undefined) return null;
    return pointsOfTicks(
      window.startSecond * 1000,
      1000,
      columnOf(window.values, column, lengthOf(entry, window)),
    );
  }

  #advance(entry: SubjectEntry, second: number, carrySeconds: number): void {
    const last = entry.lastSecond;
    if (second > last && second - last <= carrySeconds)
      for (let at = last + 1; at < second; at++) this.#repeatLast(entry, at);
    this.#ensure(entry, second);
    entry.lastSecond = second;
  }

  #repeatLast(entry: SubjectEntry, second: number): void {
    const { window } = entry;
    if (!window || window.startSecond < 0) return;
    const from = entry.lastSecond - window.startSecond;
    const width = OF_SCOPE[entry.scope].length;
    const values = Array.from({ length: width }, (_, i) => window.values[i * WINDOW_SECONDS + from]);
    const into = this.#ensure(entry, second);
    values.forEach((value, i) => {
      into.values[i * WINDOW_SECONDS + second - into.startSecond] = value ?? Number.NaN;
    });
    entry.lastSecond = second;
  }

  /** The window that the second falls into; one that it doesn't fall into is closed. */
  #ensure(entry: SubjectEntry, second: number): Window {
    const held = entry.window;
    if (held && held.startSecond >= 0) {
      if (second >= held.startSecond && second < held.endSecond) return held;
      this.#close(entry, held);
    }
    const window = held ?? {
      startSecond: -1,
      endSecond: -1,
      values: new Float32Array(OF_SCOPE[entry.scope].length * WINDOW_SECONDS).fill(Number.NaN),
    };
    window.startSecond = second;
    window.endSecond = second + WINDOW_SECONDS - ((second + entry.id) % WINDOW_SECONDS);
    entry.window = window;
    return window;
  }

  #close(entry: SubjectEntry, window: Window): void {
    const length = lengthOf(entry, window);
    const startMs = window.startSecond * 1000;
    const values = window.values.slice();
    window.values.fill(Number.NaN);
    window.startSecond = -1;
    if (values.every(Number.isNaN)) return;
    this.#onClosed({
      entry,
      startMs,
      values,
      encode: () => encodeWindow(OF_SCOPE[entry.scope], this.#signalIds, values, startMs, length),
    });
  }
}

function encodeWindow(
  signals: readonly Signal[],
  ids: ReadonlyMap<string, number>,
  all: Float32Array,
  startMs: number,
  length: number,
): Uint8Array {
  const columns: BlockColumn[] = [];
  signals.forEach((signal, i) => {
    const values = columnOf(all, i, length);
    const id = ids.get(signal.name);
    if (id === undefined || values.every(Number.isNaN)) return;
    columns.push({
      signal: id,
      precision: keptPrecision(signal),
      points: pointsOfTicks(startMs, 1000, values),
    });
  });
  return pack(encodeBlock(columns, 1), true);
}

function lengthOf(entry: SubjectEntry, { startSecond }: Window): number {
  return Math.min(WINDOW_SECONDS, Math.max(0, entry.lastSecond - startSecond + 1));
}

function columnOf(values: Float32Array, column: number, length: number): Float32Array {
  return values.subarray(column * WINDOW_SECONDS, column * WINDOW_SECONDS + length);
}

/** The kept signal of that name, or null. */
export function keptSignal(name: string): Signal | null {
  return KEPT_SIGNALS.find((signal) => signal.name === name) ?? null;
}
