import { median } from '../../model/theil-sen.js';
import type { Run } from './finished-run.js';

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
export function coverageOf(bursts: readonly Burst[], runs: readonly Run[], gapMs: number): number {
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
