import { median } from '../../model/theil-sen.js';

/** One finished run. Times in ms on the clock of its own process. */
export interface FinishedRun {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly failed: boolean;
  /** Worker process or name; null where it is not known. */
  readonly process: string | null;
}

/** A run that went well, with what the judgement asks of it again and again. */
export interface Run {
  readonly process: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly durationMs: number;
}

/** Next to the ordinary long runs, one this short can't have waited for anything: quick other work of the same type. */
const SHORT_RATIO = 0.05;

/**
 * The runs that may say something about a wait, in an order of their own so that the order given does not matter: those
 * that failed tell of a time-out rather than of a batch, and those whose clock ran backwards tell nothing.
 */
export function completedRuns(runs: readonly FinishedRun[]): readonly Run[] {
  return runs
    .filter((run) => !run.failed && Number.isFinite(run.startedAtMs) && run.endedAtMs >= run.startedAtMs)
    .filter((run) => Number.isFinite(run.endedAtMs))
    .map((run) => ({
      // Names are never empty: runs whose process is not known are looked at as one process.
      process: run.process ?? '',
      startMs: run.startedAtMs,
      endMs: run.endedAtMs,
      durationMs: run.endedAtMs - run.startedAtMs,
    }))
    .sort(
      (a, b) =>
        (a.process < b.process ? -1 : a.process > b.process ? 1 : 0) ||
        a.startMs - b.startMs ||
        a.endMs - b.endMs,
    );
}

/** Those that are not much shorter than the long ones. */
export function longRuns(runs: readonly Run[]): readonly Run[] {
  const durations = runs.map((run) => run.durationMs).sort((a, b) => a - b);
  const usualLongMs = durations[Math.floor(0.9 * (durations.length - 1))] ?? 0;
  return runs.filter((run) => run.durationMs >= SHORT_RATIO * usualLongMs);
}

/** Runs of one process that ended together. */
export interface Burst {
  readonly process: string;
  /** In the order of their ends. */
  readonly runs: readonly Run[];
  readonly firstEndMs: number;
  readonly lastEndMs: number;
  /** Of the run that waited longest: the one that opened the batch, if it is one. */
  readonly longestMs: number;
}

/** What resolves in one tick is stamped within a few ms, on a busy event loop within some tens. */
const MIN_GAP_MS = 10;
const MAX_GAP_MS = 50;
const GAP_RATIO = 0.002;

/** Ends closer than this many ms are one burst, for work whose long runs take so long. */
export function burstGapMs(runs: readonly Run[]): number {
  const usualMs = median(runs.map((run) => run.durationMs));
  return Math.min(MAX_GAP_MS, Math.max(MIN_GAP_MS, GAP_RATIO * usualMs));
}

/** Groups of two and more whose ends follow each other within `gapMs`, by process. */
export function findBursts(runs: readonly Run[], gapMs: number): readonly Burst[] {
  return [...byProcess(runs).values()].flatMap((own) => {
    const sorted = [...own].sort((a, b) => a.endMs - b.endMs || a.startMs - b.startMs);
    const groups: Run[][] = [];
    for (const run of sorted) {
      const group = groups[groups.length - 1];
      const last = group?.[group.length - 1];
      if (group && last && run.endMs - last.endMs <= gapMs) group.push(run);
      else groups.push([run]);
    }
    return groups.filter((group) => group.length > 1).map(toBurst);
  });
}

function toBurst(runs: readonly Run[]): Burst {
  return {
    process: runs[0]?.process ?? '',
    runs,
    firstEndMs: runs[0]?.endMs ?? 0,
    lastEndMs: runs[runs.length - 1]?.endMs ?? 0,
    longestMs: runs.reduce((most, run) => Math.max(most, run.durationMs), 0),
  };
}

export function runsIn(bursts: readonly Burst[]): number {
  return bursts.reduce((sum, burst) => sum + burst.runs.length, 0);
}

export function byProcess(runs: readonly Run[]): ReadonlyMap<string, readonly Run[]> {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const group = groups.get(run.process);
    if (group) group.push(run);
    else groups.set(run.process, [run]);
  }
  return groups;
}

/** From the first to the last of some moments, ms. */
export function spreadMs(moments: readonly number[]): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const moment of moments) {
    low = Math.min(low, moment);
    high = Math.max(high, moment);
  }
  return moments.length === 0 ? 0 : high - low;
}

/**
 * Share of the time, from a process's first end to its last, that lies within or next to bursts, 0..1: what ended at any
 * odd moment would be in a burst so often.
 */
export function burstCoverageOf(bursts: readonly Burst[], runs: readonly Run[], gapMs: number): number {
  let observedMs = 0;
  for (const own of byProcess(runs).values()) observedMs += spreadMs(own.map((run) => run.endMs)) + 2 * gapMs;
  const coveredMs = bursts.reduce((sum, burst) => sum + burst.lastEndMs - burst.firstEndMs + 2 * gapMs, 0);
  return observedMs > 0 ? Math.min(1, coveredMs / observedMs) : 1;
}

/** Around a burst of one tick it is quiet; a piece of a wider cluster has neighbours. */
const FEW_NEAR_RATIO = 0.34;

/** Share of `bursts` with few other ends of their process within `nearMs` before and after, 0..1. */
export function isolatedRatioOf(bursts: readonly Burst[], runs: readonly Run[], nearMs: number): number {
  const processes = byProcess(runs);
  const isolated = bursts.filter((burst) => {
    const near = (processes.get(burst.process) ?? []).filter(
      (run) => run.endMs >= burst.firstEndMs - nearMs && run.endMs <= burst.lastEndMs + nearMs,
    );
    return near.length - burst.runs.length <= FEW_NEAR_RATIO * burst.runs.length;
  });
  return isolated.length / Math.max(1, bursts.length);
}

/** The time at which bursts end, counted from their first start, when it is the same again and again. */
export interface FlushTimeout {
  readonly ms: number;
  /** Bursts whose longest run took just that. */
  readonly bursts: readonly Burst[];
  /** Median deviation of the longest runs of bursts that did not end sooner, as a share of the flush timeout. */
  readonly spreadRatio: number;
  /** Share of the runs in bursts that are in those at the flush timeout, 0..1; batches that were sent full are left out. */
  readonly burstShare: number;
  /** How many different moments the bursts tell of: what releases all processes at once is one moment. */
  readonly moments: number;
}

/** So far from the flush timeout a burst's longest run still counts as having reached it: the far side answers now sooner, now later. */
const AT_FLUSH_RATIO = 0.12;
/** Batches that fill end before the flush timeout: it is looked for among the longer bursts. */
const FLUSH_QUANTILE = 0.7;
/** Bursts closer together than this share of the flush timeout may have one cause (an upstream that comes back). */
const MOMENT_RATIO = 0.3;
/** Full batches are of one size, and larger than what waits; pairs that met by chance are not. */
const SAME_SIZE_RATIO = 0.8;
const MIN_SIZE = 5;
const MAX_OF_THEM = 0.7;

/**
 * Looks for one longest duration that most bursts share.
 * @returns null where there are no bursts.
 */
export function findFlushTimeout(bursts: readonly Burst[]): FlushTimeout | null {
  const middleMs = weightedQuantile(bursts, FLUSH_QUANTILE);
  const atFlush = (burst: Burst): boolean =>
    Math.abs(burst.longestMs - middleMs) <= AT_FLUSH_RATIO * middleMs;
  const own = bursts.filter(atFlush);
  if (own.length === 0 || !(middleMs > 0)) return null;
  const ms = median(own.map((burst) => burst.longestMs));
  const notSooner = bursts.filter((burst) => burst.longestMs >= ms * (1 - AT_FLUSH_RATIO));
  return {
    ms,
    bursts: own,
    spreadRatio: median(notSooner.map((burst) => Math.abs(burst.longestMs - ms))) / ms,
    burstShare: runsIn(own) / (runsIn(bursts) - runsIn(fullBursts(bursts, own, ms))),
    moments: countMoments(own, MOMENT_RATIO * ms),
  };
}

function weightedQuantile(bursts: readonly Burst[], q: number): number {
  const sorted = [...bursts].sort((a, b) => a.longestMs - b.longestMs);
  const half = q * runsIn(sorted);
  let sum = 0;
  for (const burst of sorted) {
    sum += burst.runs.length;
    if (sum >= half) return burst.longestMs;
  }
  return 0;
}

function countMoments(bursts: readonly Burst[], apartMs: number): number {
  const ends = bursts.map((burst) => burst.firstEndMs).sort((a, b) => a - b);
  let count = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const end of ends)
    if (end - last >= apartMs) {
      count += 1;
      last = end;
    }
  return count;
}

/** Those that ended before the flush timeout, most of one size that is more than what waits for it as a rule. */
function fullBursts(
  bursts: readonly Burst[],
  atFlush: readonly Burst[],
  flushTimeoutMs: number,
): readonly Burst[] {
  const sooner = bursts.filter((burst) => burst.longestMs < flushTimeoutMs * (1 - AT_FLUSH_RATIO));
  const size = sooner.reduce((most, burst) => Math.max(most, burst.runs.length), 0);
  // Short runs are not looked at here, so a few may be missing.
  const full = sooner.filter((burst) => burst.runs.length >= SAME_SIZE_RATIO * size);
  const isMore = size >= MIN_SIZE && size > median(atFlush.map((burst) => burst.runs.length));
  return isMore && runsIn(full) >= MAX_OF_THEM * runsIn(sooner) ? full : [];
}
