import { EventHeap } from './event-heap.js';
import { type SeededRandom, seededRandom } from './seeded-random.js';

export interface SimulatedType {
  readonly name: string;
  readonly waiting: number;
  readonly arrivalsPerSecond: number;
  readonly runMs: number;
  /** Standard deviation of run times / mean. */
  readonly variation: number;
  readonly failureRatio: number;
  readonly attempts: number;
  readonly bytesPerJob: number;
  readonly keepsBytesWhenDone: number;
  readonly batch: { readonly flushTimeoutMs: number; readonly size: number } | null;
}

export interface SimulatedSettings {
  readonly slotsPerProcess: number;
  readonly globalConcurrency: number | null;
  readonly rateLimit: { readonly max: number; readonly durationMs: number } | null;
  readonly isPaused: boolean;
  readonly arrives: boolean;
}

export interface SimulatedWorld {
  readonly types: readonly SimulatedType[];
  readonly processes: number;
  readonly settings: SimulatedSettings;
}

interface Job {
  readonly type: SimulatedType;
  attemptsLeft: number;
}
interface Batch {
  jobs: Job[];
  isSent: boolean;
}
type Event =
  | { readonly kind: 'arrival'; readonly type: SimulatedType }
  | { readonly kind: 'finish'; readonly process: number; readonly jobs: readonly Job[] }
  | { readonly kind: 'flush'; readonly process: number; readonly batch: Batch; readonly type: SimulatedType }
  | { readonly kind: 'window' };

/**
 * A queue and its workers, event by event: Poisson arrivals, lognormal run times, first in first out, any process with a
 * free slot takes the next job, failed attempts go to the end. A batching job keeps its slot until its process has
 * `size` of them or `flushTimeoutMs` after the first; then all of the batch are done after one run. Rate limits are windows that
 * begin with their first start, as BullMQ's. The same seed is the same run.
 */
export class SimulatedQueue {
  nowMs = 0;
  arrived = 0;
  departed = 0;
  /** Run times of attempts that ended, by type; without waiting for a batch. */
  readonly runsMs = new Map<string, number[]>();
  bytes = 0;
  #settings: SimulatedSettings;
  readonly #random: SeededRandom;
  readonly #events = new EventHeap<Event>();
  readonly #queue: Job[];
  #head = 0;
  readonly #busy: number[];
  #running = 0;
  readonly #open: Map<SimulatedType, Batch>[];
  #window = { endsMs: 0, starts: 0, isAwaited: false };

  constructor(world: SimulatedWorld, seed: number) {
    this.#settings = world.settings;
    this.#random = seededRandom(seed);
    this.#busy = Array.from({ length: world.processes }, () => 0);
    this.#open = this.#busy.map(() => new Map());
    this.#queue = this.#shuffled(world.types);
    for (const { type } of this.#queue) this.bytes += type.bytesPerJob;
    for (const type of world.types) this.#scheduleArrival(type);
    this.#take();
  }

  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  waitingOf(type: SimulatedType): number {
    let count = 0;
    for (let i = this.#head; i < this.#queue.length; i++) if (this.#queue[i]?.type === type) count += 1;
    return count;
  }

  change(settings: Partial<SimulatedSettings>): void {
    this.#settings = { ...this.#settings, ...settings };
    if (settings.rateLimit !== undefined) this.#window = { endsMs: 0, starts: 0, isAwaited: false };
    this.#take();
  }

  runFor(seconds: number): void {
    const endMs = this.nowMs + seconds * 1000;
    while (this.#events.nextMs <= endMs) this.#step();
    this.nowMs = endMs;
  }

  /** Seconds until nothing waits; null: not within the time. */
  runUntilDrained(mostSeconds: number): number | null {
    const startMs = this.nowMs;
    while (this.waiting > 0) {
      if (this.#events.nextMs > startMs + mostSeconds * 1000) return null;
      this.#step();
    }
    return (this.nowMs - startMs) / 1000;
  }

  #step(): void {
    this.nowMs = this.#events.nextMs;
    const event = this.#events.pop();
    if (!event) return;
    if (event.kind === 'arrival') this.#arrive(event.type);
    else if (event.kind === 'flush') this.#send(event.process, event.type, event.batch);
    else if (event.kind === 'window') this.#window.isAwaited = false;
    else this.#finish(event.process, event.jobs);
    this.#take();
  }

  #arrive(type: SimulatedType): void {
    if (this.#settings.arrives) {
      this.arrived += 1;
      this.bytes += type.bytesPerJob;
      this.#queue.push({ type, attemptsLeft: type.attempts });
    }
    this.#scheduleArrival(type);
  }

  #scheduleArrival(type: SimulatedType): void {
    if (type.arrivalsPerSecond <= 0) return;
    const inMs = this.#random.exponential(1000 / type.arrivalsPerSecond);
    this.#events.push(this.nowMs + inMs, { kind: 'arrival', type });
  }

  #take(): void {
    while (this.waiting > 0 && this.#mayStart()) {
      const process = this.#freeProcess();
      const job = process === null ? undefined : this.#queue[this.#head];
      if (process === null || !job) return;
      this.#head += 1;
      if (this.#head > 50_000) {
        this.#queue.splice(0, this.#head);
        this.#head = 0;
      }
      this.#window.starts += 1;
      this.#start(process, job);
    }
  }

  #mayStart(): boolean {
    const { isPaused, globalConcurrency, rateLimit } = this.#settings;
    if (isPaused || (globalConcurrency !== null && this.#running >= globalConcurrency)) return false;
    if (!rateLimit) return true;
    if (this.nowMs >= this.#window.endsMs) {
      this.#window = { endsMs: this.nowMs + rateLimit.durationMs, starts: 0, isAwaited: false };
    }
    if (this.#window.starts < rateLimit.max) return true;
    if (!this.#window.isAwaited) this.#events.push(this.#window.endsMs, { kind: 'window' });
    this.#window.isAwaited = true;
    return false;
  }

  #freeProcess(): number | null {
    const from = Math.floor(this.#random.uniform() * this.#busy.length);
    for (let i = 0; i < this.#busy.length; i++) {
      const process = (from + i) % this.#busy.length;
      if ((this.#busy[process] ?? 0) < this.#settings.slotsPerProcess) return process;
    }
    return null;
  }

  #start(process: number, job: Job): void {
    this.#busy[process] = (this.#busy[process] ?? 0) + 1;
    this.#running += 1;
    const { type } = job;
    if (!type.batch) {
      this.#finishAfterRun(process, type, [job]);
      return;
    }
    const open = this.#open[process]?.get(type);
    const batch = open ?? { jobs: [], isSent: false };
    if (!open) {
      this.#open[process]?.set(type, batch);
      this.#events.push(this.nowMs + type.batch.flushTimeoutMs, { kind: 'flush', process, batch, type });
    }
    batch.jobs.push(job);
    if (batch.jobs.length >= type.batch.size) this.#send(process, type, batch);
  }

  #send(process: number, type: SimulatedType, batch: Batch): void {
    if (batch.isSent) return;
    batch.isSent = true;
    this.#open[process]?.delete(type);
    this.#finishAfterRun(process, type, batch.jobs);
  }

  #finishAfterRun(process: number, type: SimulatedType, jobs: readonly Job[]): void {
    const runMs = this.#random.logNormalAround(type.runMs, type.variation);
    const runs = this.runsMs.get(type.name) ?? [];
    runs.push(runMs);
    this.runsMs.set(type.name, runs);
    this.#events.push(this.nowMs + runMs, { kind: 'finish', process, jobs });
  }

  #finish(process: number, jobs: readonly Job[]): void {
    this.#busy[process] = (this.#busy[process] ?? 0) - jobs.length;
    this.#running -= jobs.length;
    for (const job of jobs) {
      job.attemptsLeft -= 1;
      if (job.attemptsLeft > 0 && this.#random.uniform() < job.type.failureRatio) {
        this.#queue.push(job);
        continue;
      }
      this.departed += 1;
      this.bytes -= job.type.bytesPerJob - job.type.keepsBytesWhenDone;
    }
  }

  #shuffled(types: readonly SimulatedType[]): Job[] {
    const jobs = types.flatMap((type) =>
      Array.from({ length: type.waiting }, () => ({ type, attemptsLeft: type.attempts })),
    );
    for (let i = jobs.length - 1; i > 0; i--) {
      const j = Math.floor(this.#random.uniform() * (i + 1));
      const [one, other] = [jobs[i], jobs[j]];
      if (one && other) {
        jobs[i] = other;
        jobs[j] = one;
      }
    }
    return jobs;
  }
}
