import type { MemoryForecast } from '../watch/snapshot.js';
import { fitRobustly, median, SIGNIFICANT_Z, type TimedValue } from './theil-sen.js';

/** What Redis holds against its limit, at a time. */
export interface MemoryPoint {
  readonly atMs: number;
  readonly countedBytes: number;
}

/** Below this nothing can be said: three samples look like a trend one time in three. */
const MIN_POINTS = 6;
const MIN_WINDOW_MS = 4_000;
/** Pairwise fits are quadratic: 120 samples are 7,140 pairs. */
const MAX_POINTS = 120;
/** Slower than this is not growth that anyone would act on, and rounding noise of a quiet Redis is below it. */
const MIN_GROWTH_BYTES_PER_SECOND = 256;

/**
 * Growth of memory by a Theil–Sen fit, and when it meets the limit: (limit − median of the last 5) / slope.
 * Samples before the last step (a purge, a reclaim) are left out: they would hide the growth that came after.
 * @returns null while there are too few samples; `growthBytesPerSecond` 0 and no time where no trend is significant;
 * `fullInSeconds` 0 at or over the limit, null when not filling or without a limit.
 */
export function forecastMemory(
  points: readonly MemoryPoint[],
  limitBytes: number | null,
): MemoryForecast | null {
  const samples = afterLastStep(thin(valid(points), MAX_POINTS));
  const first = samples[0];
  const last = samples[samples.length - 1];
  if (!first || !last || samples.length < MIN_POINTS) return null;
  const windowMs = last.atMs - first.atMs;
  if (windowMs < MIN_WINDOW_MS) return null;
  const fit = fitRobustly(samples);
  if (!fit) return null;
  const level = median(samples.slice(-5).map((sample) => sample.value));
  const isTrend =
    Math.abs(fit.kendallZ) > SIGNIFICANT_Z && Math.abs(fit.slopePerSecond) >= MIN_GROWTH_BYTES_PER_SECOND;
  const growth = isTrend ? fit.slopePerSecond : 0;
  return {
    growthBytesPerSecond: growth,
    growthRange: fit.slopeRange,
    fullInSeconds: secondsUntil(limitBytes, level, growth),
    fullInRange: fullRange(limitBytes, level, growth, fit.slopeRange),
    windowMs,
  };
}

function secondsUntil(limitBytes: number | null, level: number, growth: number): number | null {
  if (limitBytes === null || !Number.isFinite(limitBytes) || limitBytes <= 0) return null;
  if (level >= limitBytes) return 0;
  return growth > 0 ? (limitBytes - level) / growth : null;
}

/** Earliest and latest: the steep end of the band is the early one. A band that reaches zero has no latest, so none is given. */
function fullRange(
  limitBytes: number | null,
  level: number,
  growth: number,
  [low, high]: readonly [number, number],
): readonly [number, number] | null {
  if (growth <= 0 || low <= 0) return null;
  const earliest = secondsUntil(limitBytes, level, high);
  const latest = secondsUntil(limitBytes, level, low);
  return earliest === null || latest === null ? null : [earliest, latest];
}

function valid(points: readonly MemoryPoint[]): TimedValue[] {
  const kept: TimedValue[] = [];
  for (const point of points) {
    const before = kept[kept.length - 1];
    if (!Number.isFinite(point.atMs) || !Number.isFinite(point.countedBytes)) continue;
    if (before && point.atMs <= before.atMs) continue;
    kept.push({ atMs: point.atMs, value: point.countedBytes });
  }
  return kept;
}

/** At most `most` samples, evenly picked, the newest always among them. */
export function thin<T>(samples: readonly T[], most: number): readonly T[] {
  if (samples.length <= most) return samples;
  const picked: T[] = [];
  for (let i = 0; i < most; i++) {
    const sample = samples[Math.round((i * (samples.length - 1)) / (most - 1))];
    if (sample !== undefined) picked.push(sample);
  }
  return picked;
}

/** A change between two samples this many median absolute deviations from the usual change is a step, not growth. */
const STEP_MADS = 6;
/** A step stays: this many samples after it must keep to the new level, else it was a spike, which the fit bears. */
const SETTLED_SAMPLES = 3;

/** Samples after the last lasting step; all of them where there is none. */
function afterLastStep(samples: readonly TimedValue[]): readonly TimedValue[] {
  if (samples.length < MIN_POINTS) return samples;
  const changes = samples.slice(1).map((sample, i) => sample.value - (samples[i]?.value ?? sample.value));
  const usual = median(changes);
  const mad = median(changes.map((change) => Math.abs(change - usual)));
  // Perfectly steady growth has a MAD of 0; then only a change that dwarfs the usual one is a step.
  const bound = STEP_MADS * Math.max(mad, Math.abs(usual) / 2, 64 * 1024);
  for (let i = changes.length - SETTLED_SAMPLES; i >= 0; i--) {
    const change = (changes[i] ?? 0) - usual;
    if (Math.abs(change) > bound && staysAfter(samples, i, change)) return samples.slice(i + 1);
  }
  return samples;
}

/** Does the level after sample `i` keep more than half of the change, against the level before it? */
function staysAfter(samples: readonly TimedValue[], i: number, change: number): boolean {
  const before = median(
    samples.slice(Math.max(0, i - SETTLED_SAMPLES + 1), i + 1).map((sample) => sample.value),
  );
  const after = median(samples.slice(i + 1, i + 1 + SETTLED_SAMPLES).map((sample) => sample.value));
  return Math.sign(after - before) === Math.sign(change) && Math.abs(after - before) > Math.abs(change) / 2;
}
