import { performance } from 'node:perf_hooks';
import type { Snapshot } from '../model/snapshot.js';
import { reasonOf, Yielder } from '../process/every.js';
import type { SeriesRef } from '../signals/signal.js';
import type { Watch } from '../watch/watch.js';
import { type ClosedWindow, Head, keptSignal, WaitingWindow } from './head.js';
import { HistoryFile, type Mark, type NewBlock } from './history-file.js';
import { type HistoryLog, type HistoryPoints, type HistoryQuery, readSeries } from './history-log.js';
import { type HistorySettings, type Tiers, tiersOf } from './points.js';
import { foldNext, isDue, Retention } from './retention.js';
import { type SubjectEntry, Subjects, scopeOfSubject } from './subjects.js';

/** Of one tick: folding goes on at the next one. */
const FOLD_BUDGET_MS = 10;
/** What could not be written waits for room, up to this; then the oldest goes. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
const TRY_AGAIN_MS = 5_000;
/** Who does not write looks this often for subjects that the writer has given numbers to. */
const LOOK_AGAIN_MS = 10_000;

interface HistoryOptions {
  readonly directory: string;
  readonly settings: HistorySettings;
  readonly now: () => number;
  readonly warn: (message: string) => void;
  /** Of several consoles on one file one writes, and the others read what it has written. Absent: this one writes. */
  readonly mayWrite?: () => boolean;
}

interface Opened {
  readonly file: HistoryFile;
  readonly head: Head;
  readonly signalIds: ReadonlyMap<string, number>;
  readonly retention: Retention;
}

/**
 * What signals were: the entry of this folder, which imports what is below it (signals, watch, store, process, model). Read
 * on in head.ts (the last seconds, in memory), block.ts (how a stretch is written), history-file.ts (the SQLite file),
 * retention.ts (folding into coarser tiers, and what goes) and history-log.ts (how a series is read).
 *
 * A tick goes to memory (`take`); what is due is written and folded beside it (`work`), a little at a
 * time. Where the disk can't be written the console goes on without: `problem` says why, and it is tried again.
 */
export class History implements HistoryLog {
  readonly #options: HistoryOptions;
  readonly #tiers: Tiers;
  #subjects: Subjects;
  #opened: Opened | null = null;
  #waiting: WaitingWindow[] = [];
  #waitingBytes = 0;
  #problem: string | null = null;
  #tryAgainAtMs = 0;
  #working: Promise<void> | null = null;
  #cursor = 0;
  #isWriter = true;
  #openedAtMs = 0;
  /** Read from until a moment ago, perhaps still; closed when the next one follows it. */
  #former: HistoryFile | null = null;
  #unfollow: () => unknown = () => undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#tiers = tiersOf(options.settings);
    this.#subjects = new Subjects(this.#tiers);
  }

  problem(): string | null {
    return this.#problem;
  }

  /** Keeps what signals are at this tick, in memory at first. */
  take(snapshot: Snapshot, nowMs: number): void {
    if (this.#isWriter) this.#opened?.head.take(snapshot, nowMs);
  }

  /** Keeps what signals are from now on, at every tick. */
  follow(watch: Pick<Watch, 'onTick' | 'snapshot'>): void {
    this.#unfollow = watch.onTick((instance) => {
      const snapshot = watch.snapshot(instance);
      if (snapshot) this.take(snapshot, this.#options.now());
      void this.work();
    }, 'history');
  }

  /** Does what is due. Never throws; one call at a time, those in between come to nothing. */
  work(): Promise<void> {
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  async read(query: HistoryQuery): Promise<HistoryPoints> {
    const { series } = query;
    const entry = this.#subjects.find(series);
    const signal = keptSignal(series.signal);
    const opened = this.#opened;
    const isOf = entry && signal && signal.scope === entry.scope && opened;
    return readSeries(query, this.#tiers, this.#options.now(), {
      entry: isOf ? entry : null,
      signalId: opened?.signalIds.get(series.signal) ?? -1,
      blocks: async (tier, fromMs, toMs) =>
        opened && entry ? await this.#blocks(opened, entry, tier, fromMs, toMs) : [],
      open: () => (isOf ? opened.head.open(entry, signal) : null),
    });
  }

  async series(query: Parameters<HistoryLog['series']>[0]): Promise<readonly SeriesRef[]> {
    const { signal, instance, sinceMs, limit } = query;
    const scope = keptSignal(signal)?.scope;
    const found: SeriesRef[] = [];
    for (const { subject, lastSecond } of this.#subjects.all) {
      if (found.length >= limit) break;
      if (scopeOfSubject(subject) !== scope || lastSecond * 1000 < sinceMs) continue;
      if (instance === undefined || subject.instance === instance) found.push({ signal, ...subject });
    }
    return found;
  }

  /** Writes what is held in memory, and closes the file. */
  async stop(): Promise<void> {
    this.#unfollow();
    await this.#working;
    this.#former?.close();
    this.#former = null;
    if (!this.#opened) return;
    this.#opened.head.closeAll();
    this.#tryAgainAtMs = 0;
    await this.work();
    this.#opened?.file.close();
    this.#opened = null;
  }

  async #blocks(opened: Opened, entry: SubjectEntry, tier: 0 | 1 | 2, fromMs: number, toMs: number) {
    const { name } = this.#tiers[tier];
    const stored = await opened.file.blocks(this.#tiers[tier], entry.id, fromMs, toMs);
    const known = new Set(stored.map(({ startMs }) => startMs));
    const waiting = this.#waiting.filter(
      (block) => block.entry === entry && block.tier === name && !known.has(block.startMs),
    );
    return [...stored, ...waiting];
  }

  async #work(): Promise<void> {
    const nowMs = this.#options.now();
    if (nowMs < this.#tryAgainAtMs) return;
    try {
      this.#changeRole(nowMs);
      const opened = this.#opened ?? (await this.#open(nowMs));
      if (!this.#isWriter) {
        this.#problem = null;
        return;
      }
      const marks: Mark[] = [];
      const folded: NewBlock[] = [];
      const yielder = new Yielder();
      await this.#encode(yielder);
      await this.#write(opened, [], []);
      await yielder.yieldToEventLoop();
      const isFolded = await this.#fold(opened, nowMs, folded, marks, yielder);
      await this.#write(opened, folded, marks);
      await yielder.yieldToEventLoop();
      await opened.retention.work(nowMs, isFolded, yielder);
      this.#problem = null;
    } catch (error) {
      this.#fail(error, nowMs);
    }
  }

  /** Numbers of subjects are the writer's to give: whoever begins to write, and who only reads, takes them from the file. */
  #changeRole(nowMs: number): void {
    const { mayWrite = () => true } = this.#options;
    const isWriter = mayWrite();
    const isOld = !isWriter && nowMs - this.#openedAtMs >= LOOK_AGAIN_MS;
    if (isWriter === this.#isWriter && !isOld) return;
    this.#isWriter = isWriter;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#former?.close();
    this.#former = this.#opened?.file ?? null;
    this.#opened = null;
  }

  async #open(nowMs: number): Promise<Opened> {
    this.#openedAtMs = nowMs;
    const { directory, settings, warn } = this.#options;
    const file = await HistoryFile.open(directory, settings.maxBytes, nowMs, warn);
    const subjects = new Subjects(this.#tiers);
    const signalIds = await file.signalIds();
    for (const entry of await file.subjects()) subjects.restore(entry);
    this.#subjects = subjects;
    const head = new Head(subjects, signalIds, (closed) => this.#wait(closed));
    const retention = new Retention(file, this.#tiers, subjects);
    this.#opened = { file, head, signalIds, retention };
    return this.#opened;
  }

  #wait(closed: ClosedWindow): void {
    const waiting = new WaitingWindow(closed);
    this.#waiting.push(waiting);
    this.#waitingBytes += waiting.heldBytes;
    while (this.#waitingBytes > MAX_WAITING_BYTES)
      this.#waitingBytes -= this.#waiting.shift()?.heldBytes ?? 0;
  }

  /** What waits, so that a write holds the event loop no longer than SQLite does. */
  async #encode(yielder: Yielder): Promise<void> {
    for (const waiting of [...this.#waiting]) {
      void waiting.body;
      await yielder.yieldToEventLoop();
    }
    this.#countWaiting();
  }

  #countWaiting(): void {
    this.#waitingBytes = this.#waiting.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** What waits, and what was folded with its marks. Where the file is as large as it may be, the oldest makes room. */
  async #write(
    { file, retention }: Opened,
    folded: readonly NewBlock[],
    marks: readonly Mark[],
  ): Promise<void> {
    const written = new Set<NewBlock>(this.#waiting);
    const blocks = [...written, ...folded];
    try {
      await file.write(blocks, marks);
    } catch (error) {
      if (!(await retention.makeRoom())) throw error;
      await file.write(blocks, marks);
    }
    retention.noteWritten(blocks.length);
    this.#waiting = this.#waiting.filter((block) => !written.has(block));
    this.#countWaiting();
    for (const { entry, tier, untilMs } of marks) entry.untilMs[tier === 'minute' ? 2 : 1] = untilMs;
  }

  /** @returns whether nothing is left to fold. */
  async #fold(
    { file }: Opened,
    nowMs: number,
    blocks: NewBlock[],
    marks: Mark[],
    yielder: Yielder,
  ): Promise<boolean> {
    const startedAt = performance.now();
    const entries = this.#subjects.all;
    for (let seen = 0; seen < entries.length; seen++) {
      const entry = entries[this.#cursor % entries.length];
      if (entry)
        for (const to of [1, 2] as const) {
          if (!isDue(entry, to, this.#tiers, nowMs)) continue;
          if (performance.now() - startedAt > FOLD_BUDGET_MS) return false;
          const { block, mark } = await foldNext(file, entry, to, this.#tiers);
          if (block) blocks.push(block);
          marks.push(mark);
          await yielder.yieldToEventLoop();
        }
      this.#cursor = (this.#cursor + 1) % entries.length;
    }
    return !marks.some(({ entry, tier }) => isDue(entry, tier === 'minute' ? 2 : 1, this.#tiers, nowMs));
  }

  #fail(error: unknown, nowMs: number): void {
    const problem = `what signals are can't be written to ${this.#options.directory} (${reasonOf(error)})`;
    if (problem !== this.#problem) this.#options.warn(problem);
    this.#problem = problem;
    this.#tryAgainAtMs = nowMs + TRY_AGAIN_MS;
  }
}

/**
 * Opens `history.db` in the data directory. A directory that can't be written does not stop the console: `problem` then
 * says why nothing is kept, and it is tried again every few seconds.
 */
export async function openHistory(options: HistoryOptions): Promise<History> {
  const history = new History(options);
  await history.work();
  return history;
}
