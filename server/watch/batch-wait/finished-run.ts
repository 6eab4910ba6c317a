/** One finished run. Times in ms on the clock of its own process. */
export interface FinishedRun {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly failed: boolean;
  /** Worker process or name; null where it is not known. */
  readonly process: string | null;
  readonly payloadBytes: number | null;
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
