import type { FinishedRun } from '../../server/watch/batch-wait/bursts.js';
import type { BatchWaitInput } from '../../server/watch/batch-wait/verdict.js';
import { type SeededRandom, seededRandom } from './seeded-random.js';
import { type ClientKind, type SimulatedJob, simulateClient } from './simulated-client.js';

/** Worker processes that share a queue, and what their jobs do. */
export interface SimulatedWorld {
  readonly seed: number;
  readonly processes: number;
  readonly slotsPerProcess: number;
  readonly client: ClientKind;
  readonly arrivals:
    | { readonly kind: 'backlog' }
    | { readonly kind: 'steady'; readonly perSecond: number }
    /** The high rate for the first fifth of each period, the low one for the rest. */
    | {
        readonly kind: 'waves';
        readonly lowPerSecond: number;
        readonly highPerSecond: number;
        readonly periodMs: number;
      }
    | { readonly kind: 'cron'; readonly everyMs: number; readonly count: number };
  /** Processes begin to work within so many ms of each other. */
  readonly startsWithinMs: number;
  /** From a slot's end to its next start: 0 as BullMQ stamps it, more where the process itself looks at the clock. */
  readonly fetchMs: number;
  /** The window that is judged, and what ran before it. */
  readonly windowMs: number;
  readonly warmUpMs: number;
  readonly rateLimit?: { readonly max: number; readonly durationMs: number };
  /** Times in which nothing ends; what would have, ends when it is over. Of all processes, or of each its own. */
  readonly stalls?: readonly {
    readonly atMs: number;
    readonly ms: number;
    readonly process: number | null;
  }[];
  readonly knowsProcesses?: boolean;
  readonly knowsSlots?: boolean;
  /** Share of the runs that the console does not get to see. */
  readonly unseenRatio?: number;
}

/** The newest runs that a console keeps. */
const KEPT_RUNS = 2_000;

/** Runs the world, event by event, and returns what a console would know of it at the end of the window. */
export function simulateWorld(world: SimulatedWorld): BatchWaitInput {
  const random = seededRandom(world.seed);
  const until = world.warmUpMs + world.windowMs;
  const runs = runWorld(world, random, until);
  const inWindow = runs.filter((run) => run.endedAtMs <= until && run.endedAtMs > world.warmUpMs);
  const unseen = world.unseenRatio ?? 0;
  const seen = inWindow
    .filter(() => unseen === 0 || random.uniform() >= unseen)
    .sort((a, b) => a.endedAtMs - b.endedAtMs)
    .slice(-KEPT_RUNS);
  const knowsProcesses = world.knowsProcesses ?? true;
  const names = Array.from({ length: world.processes }, (_, i) => `worker-${i}`);
  return {
    runs: knowsProcesses ? seen : seen.map((run) => ({ ...run, process: null })),
    slotsByProcess:
      knowsProcesses && (world.knowsSlots ?? true)
        ? new Map(names.map((name) => [name, world.slotsPerProcess]))
        : null,
    isRateLimited: world.rateLimit !== undefined,
    skippedRuns: unseen === 0 ? 0 : inWindow.length - seen.length,
  };
}

function runWorld(world: SimulatedWorld, random: SeededRandom, untilMs: number): FinishedRun[] {
  const agenda = new Agenda();
  const runJob = simulateClient(world.client, random, (atMs, what) => agenda.add(atMs, what));
  const runs: FinishedRun[] = [];
  const free: { process: number }[] = [];
  let waiting = world.arrivals.kind === 'backlog' ? Number.POSITIVE_INFINITY : 0;
  let budget = world.rateLimit?.max ?? Number.POSITIVE_INFINITY;

  const released = (atMs: number, process: number): number => {
    let ends = atMs;
    for (const stall of world.stalls ?? [])
      if (
        (stall.process === null || stall.process === process) &&
        ends > stall.atMs &&
        ends < stall.atMs + stall.ms
      )
        ends = stall.atMs + stall.ms + random.exponential(1);
    return ends;
  };
  const start = (process: number, atMs: number): void => {
    const payloadBytes = Math.round(random.logNormal(2_000, 0.8));
    const job: SimulatedJob = {
      process,
      payloadBytes,
      end: (wouldEndAtMs, failed) => {
        const endsAtMs = released(wouldEndAtMs, process);
        runs.push({
          startedAtMs: Math.round(atMs),
          endedAtMs: Math.round(endsAtMs),
          failed,
          process: `worker-${process}`,
        });
        agenda.add(endsAtMs + (world.fetchMs > 0 ? random.exponential(world.fetchMs) : 0), (nowMs) => {
          free.push({ process });
          fill(nowMs);
        });
      },
    };
    runJob(job, atMs);
  };
  const fill = (nowMs: number): void => {
    while (waiting > 0 && budget > 0 && free.length > 0) {
      // Any idle slot may be the one that the queue wakes.
      const [slot] = free.splice(Math.floor(random.uniform() * free.length), 1);
      if (!slot) return;
      waiting -= 1;
      budget -= 1;
      start(slot.process, nowMs);
    }
  };

  for (let process = 0; process < world.processes; process++) {
    const comesAtMs = random.between(0, world.startsWithinMs);
    for (let slot = 0; slot < world.slotsPerProcess; slot++)
      agenda.add(comesAtMs + slot * 0.4, (nowMs) => {
        free.push({ process });
        fill(nowMs);
      });
  }
  const { arrivals, rateLimit } = world;
  if (arrivals.kind === 'steady') {
    for (let atMs = 0; atMs < untilMs; atMs += random.exponential(1000 / arrivals.perSecond))
      agenda.add(atMs, (nowMs) => {
        waiting += 1;
        fill(nowMs);
      });
  }
  if (arrivals.kind === 'waves') {
    const perSecondAt = (atMs: number): number =>
      atMs % arrivals.periodMs < arrivals.periodMs / 5 ? arrivals.highPerSecond : arrivals.lowPerSecond;
    for (let atMs = 0; atMs < untilMs; atMs += random.exponential(1000 / perSecondAt(atMs)))
      agenda.add(atMs, (nowMs) => {
        waiting += 1;
        fill(nowMs);
      });
  }
  if (arrivals.kind === 'cron') {
    for (let atMs = 0; atMs < untilMs; atMs += arrivals.everyMs)
      for (let i = 0; i < arrivals.count; i++)
        agenda.add(atMs + i * 0.2, (nowMs) => {
          waiting += 1;
          fill(nowMs);
        });
  }
  if (rateLimit) {
    for (let atMs = rateLimit.durationMs; atMs < untilMs; atMs += rateLimit.durationMs)
      agenda.add(atMs, (nowMs) => {
        budget = rateLimit.max;
        fill(nowMs);
      });
  }
  agenda.runUntil(untilMs);
  return runs;
}

/** What is to happen, earliest first; a binary heap. */
class Agenda {
  readonly #heap: { readonly atMs: number; readonly what: (nowMs: number) => void }[] = [];

  add(atMs: number, what: (nowMs: number) => void): void {
    const heap = this.#heap;
    heap.push({ atMs, what });
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (this.#at(parent) <= this.#at(i)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  runUntil(untilMs: number): void {
    while (this.#heap.length > 0 && this.#at(0) <= untilMs) {
      const next = this.#takeFirst();
      next?.what(next.atMs);
    }
  }

  #takeFirst(): { readonly atMs: number; readonly what: (nowMs: number) => void } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || !last) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      const least = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(least) >= this.#at(i)) return first;
      this.#swap(i, least);
      i = least;
    }
  }

  #at(i: number): number {
    return this.#heap[i]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(i: number, k: number): void {
    const a = this.#heap[i];
    const b = this.#heap[k];
    if (!a || !b) return;
    this.#heap[i] = b;
    this.#heap[k] = a;
  }
}
