import type { CountProgress, QueueMemory } from '../model/memory.js';
import { CountRefused } from '../model/memory.js';
import { jobsIn, type QueueState } from '../model/snapshot.js';
import type { NodeClient } from '../redis/connect.js';
import { countStructure, countWindow, WINDOW_JOBS } from '../redis/count-queue.js';
import { type StateKey, stateKeys } from '../redis/queue-keys.js';
import { addCalls } from '../redis/read-batch.js';
import type { QueueSamples } from './queue-samples.js';
import { changedRatio, type ExactResult, exactMemoryOf, isStillExact } from './queue-samples.js';
import { addJob, largerOf, newState, type SampledState } from './sampled-state.js';

/** Jobs counted in one tick: about 12 µs of Redis each. */
const FIRST_JOBS = 150;
const FEWEST_JOBS = 100;
const MAX_JOBS = 20_000;
/** Just below the 70% of the budget at which the poller slows down: sampling rests meanwhile and leaves it room. */
const AIM = 0.67;
/** A tick is given up when it takes too long: the count must leave it time. */
const MAX_TICK_MS = 300;
/** Ids kept in mind of one list: beyond, a job that moves while it is walked may count twice, which the end tells. */
const MAX_SEEN = 1_000_000;
/** A list that grows faster than it is walked has no end: so many times what it held is enough. */
const MAX_ROUNDS = 2;
const MAX_FAILURES = 5;

interface CountTick {
  readonly client: NodeClient;
  /** Of the process that holds the queue: another one may hold other data. */
  readonly runId: string;
  readonly queues: readonly QueueState[];
  readonly now: () => number;
}

interface Walk {
  readonly queueId: string;
  readonly runId: string;
  readonly keys: readonly StateKey[];
  readonly addedTotal: number;
  readonly states: Map<string, SampledState>;
  seen: Set<string>;
  at: number;
  offset: number;
  lockBytes: number;
  deduplicationBytes: number;
  largest: QueueMemory['largest'];
  failures: number;
}

/**
 * Counts one queue of an instance at a time, a few windows in every tick of the poller: so it has the poller's pace, its
 * connection and its end.
 *
 * running → done (all lists walked) | stopped (by a person) | failed (Redis refuses, is another process, or the queue is
 * gone). A tick that fails is tried again where it stood. What it found stands until a twentieth of the jobs has changed or
 * ten minutes have passed (exact-result.ts); then samples speak again.
 */
export class ExactCount {
  #jobsATick = FIRST_JOBS;
  #walk: Walk | null = null;
  #wanted: string | null = null;
  /** A tick that was given up may still wait for its answers: no second one goes on from the same place. */
  #isStepping = false;
  readonly #progress = new Map<string, CountProgress>();
  readonly #results = new Map<string, ExactResult>();

  progress(queueId: string): CountProgress | null {
    return this.#progress.get(queueId) ?? null;
  }

  get isRunning(): boolean {
    return this.#wanted !== null;
  }

  /** @param isDryRun only checks. @throws CountRefused while one runs. */
  start(queue: QueueState, nowMs: number, isDryRun = false): CountProgress {
    if (this.#wanted !== null) throw new CountRefused('running', this.#runningProblem(queue.id));
    const progress: CountProgress = {
      queue: queue.id,
      state: 'running',
      countedJobs: 0,
      totalJobs: jobsIn(queue.counts),
      startedAtMs: nowMs,
      endedAtMs: null,
      remainingSeconds: null,
      problem: null,
    };
    if (isDryRun) return progress;
    this.#wanted = queue.id;
    this.#walk = null;
    this.#jobsATick = FIRST_JOBS;
    return this.#note(progress);
  }

  /** Ends a count that runs; else it changes nothing. null: none was ever asked for. */
  stop(queueId: string, nowMs: number): CountProgress | null {
    if (this.#wanted === queueId) this.#end('stopped', nowMs, null);
    return this.progress(queueId);
  }

  pace(ownCpuRatio: number, budgetRatio: number): void {
    const step = ownCpuRatio > budgetRatio * AIM ? 0.7 : 1.3;
    this.#jobsATick = Math.round(Math.min(MAX_JOBS, Math.max(FEWEST_JOBS, this.#jobsATick * step)));
  }

  /** What a queue holds by its count; null where there is none or too much has changed. */
  memory(queue: QueueState, samples: QueueSamples | null, nowMs: number): QueueMemory | null {
    const result = this.#results.get(queue.id);
    if (!result) return null;
    if (isStillExact(result, queue, nowMs)) return exactMemoryOf(result, queue, samples, nowMs);
    this.#results.delete(queue.id);
    return null;
  }

  /** What the count has found in one list; null: there is none, or too much has changed since. */
  stateOf(queue: QueueState, key: string, nowMs: number): SampledState | null {
    const result = this.#results.get(queue.id);
    return result && isStillExact(result, queue, nowMs) ? (result.states.get(key) ?? null) : null;
  }

  forgetAllBut(ids: { has(id: string): boolean }, nowMs: number): void {
    if (this.#wanted !== null && !ids.has(this.#wanted))
      this.#end('failed', nowMs, 'the queue is gone: all its keys were deleted');
    for (const id of this.#progress.keys()) if (!ids.has(id)) this.#progress.delete(id);
    for (const id of this.#results.keys()) if (!ids.has(id)) this.#results.delete(id);
  }

  /** After a restart or failover the keys may be others. */
  forgetResults(): void {
    this.#results.clear();
  }

  /**
   * Counts on, where the queue lies on this master.
   * @returns the commands that were sent.
   * @throws when the connection fails; the count goes on in the next tick.
   */
  async step(tick: CountTick): Promise<ReadonlyMap<string, number>> {
    const calls = new Map<string, number>();
    const queue = tick.queues.find(({ id }) => id === this.#wanted);
    if (!queue || this.#isStepping) return calls;
    this.#walk ??= newWalk(queue, tick.runId);
    const walk = this.#walk;
    if (walk.runId !== tick.runId) {
      const problem =
        'Redis is another process now (a restart or a failover), so it was not counted to the end';
      this.#end('failed', tick.now(), problem);
      return calls;
    }
    this.#isStepping = true;
    try {
      const isWalked = await this.#walkOn(walk, tick, calls);
      if (this.#walk !== walk) return calls;
      if (isWalked) await this.#finish(walk, queue, tick, calls);
      else this.#notePace(walk, tick.now());
      walk.failures = 0;
    } catch (error) {
      this.#noteFailure(walk, error, tick.now());
    } finally {
      this.#isStepping = false;
    }
    return calls;
  }

  /** @returns whether all lists are walked. */
  async #walkOn(walk: Walk, tick: CountTick, calls: Map<string, number>): Promise<boolean> {
    const endsAtMs = tick.now() + MAX_TICK_MS;
    let left = this.#jobsATick;
    while (left > 0 && tick.now() < endsAtMs && this.#walk === walk) {
      const key = walk.keys[walk.at];
      if (!key) return true;
      const size = Math.min(WINDOW_JOBS, left);
      const window = await countWindow(tick.client, walk.queueId, key, walk.offset, size, walk.seen);
      addCalls(calls, window.calls);
      this.#take(walk, key, window);
      walk.offset += window.entries;
      left -= Math.max(1, window.entries);
      const isEnd = window.entries < size || walk.offset >= MAX_ROUNDS * key.count + WINDOW_JOBS;
      if (isEnd) {
        walk.at += 1;
        walk.offset = 0;
        walk.seen = new Set();
      } else if (walk.seen.size > MAX_SEEN) walk.seen.clear();
    }
    return walk.at >= walk.keys.length;
  }

  #take(walk: Walk, key: StateKey, window: Awaited<ReturnType<typeof countWindow>>): void {
    const state = walk.states.get(key.key) ?? { ...newState(key.state), isCensus: true };
    for (const job of window.jobs) {
      addJob(state, job);
      walk.largest = largerOf(walk.largest, job);
    }
    walk.states.set(key.key, state);
    walk.lockBytes += window.lockBytes;
    walk.deduplicationBytes += window.deduplicationBytes;
  }

  async #finish(walk: Walk, queue: QueueState, tick: CountTick, calls: Map<string, number>): Promise<void> {
    const counted = await countStructure(tick.client, walk.queueId, stateKeys(queue.id, queue.counts));
    addCalls(calls, counted.calls);
    if (this.#walk !== walk) return;
    const nowMs = tick.now();
    const result: ExactResult = {
      states: walk.states,
      structure: {
        ...counted.structure,
        settingsBytes: counted.structure.settingsBytes + walk.deduplicationBytes,
        locksBytes: walk.lockBytes,
      },
      structureErrorBytes: counted.errorBytes,
      largest: walk.largest,
      jobs: countedJobs(walk),
      addedTotal: walk.addedTotal,
      endedAtMs: nowMs,
    };
    const isUsable = isStillExact(result, queue, nowMs);
    if (isUsable) this.#results.set(walk.queueId, result);
    this.#notePace(walk, nowMs);
    this.#end('done', nowMs, isUsable ? null : changedProblem(changedRatio(result, queue)));
  }

  #noteFailure(walk: Walk, error: unknown, nowMs: number): void {
    if (this.#walk !== walk) return;
    walk.failures += 1;
    const problem = error instanceof Error ? error.message : String(error);
    if (walk.failures >= MAX_FAILURES || isRefusal(problem)) this.#end('failed', nowMs, problem);
    else {
      const before = this.progress(walk.queueId);
      if (before) this.#note({ ...before, problem: `${problem}; it is tried again` });
      throw error;
    }
  }

  #notePace(walk: Walk, nowMs: number): void {
    const before = this.progress(walk.queueId);
    if (!before) return;
    const counted = countedJobs(walk);
    const perSecond = counted / Math.max(0.001, (nowMs - before.startedAtMs) / 1000);
    const totalJobs = Math.max(before.totalJobs, counted);
    this.#note({
      ...before,
      countedJobs: counted,
      totalJobs,
      remainingSeconds: perSecond > 0 ? (totalJobs - counted) / perSecond : null,
      problem: null,
    });
  }

  #end(state: 'done' | 'stopped' | 'failed', nowMs: number, problem: string | null): void {
    const before = this.#wanted === null ? null : this.progress(this.#wanted);
    this.#wanted = null;
    this.#walk = null;
    if (before) this.#note({ ...before, state, endedAtMs: nowMs, remainingSeconds: null, problem });
  }

  #note(progress: CountProgress): CountProgress {
    this.#progress.set(progress.queue, progress);
    return progress;
  }

  #runningProblem(queueId: string): string {
    return this.#wanted === queueId
      ? `${queueId} is being counted already`
      : `${this.#wanted} is being counted: one queue of a Redis at a time; stop that count or wait for its end`;
  }
}

function newWalk(queue: QueueState, runId: string): Walk {
  return {
    queueId: queue.id,
    runId,
    keys: stateKeys(queue.id, queue.counts),
    addedTotal: queue.addedTotal,
    states: new Map(),
    seen: new Set(),
    at: 0,
    offset: 0,
    lockBytes: 0,
    deduplicationBytes: 0,
    largest: null,
    failures: 0,
  };
}

function countedJobs(walk: Walk): number {
  return [...walk.states.values()].reduce((sum, { all }) => sum + all.weight, 0);
}

function changedProblem(ratio: number): string {
  return `${Math.min(100, Math.round(ratio * 100))}% of its jobs changed while they were counted, so samples are shown`;
}

/** Trying again does not help. */
function isRefusal(problem: string): boolean {
  return /^(NOPERM|ERR|WRONGTYPE)/.test(problem);
}
