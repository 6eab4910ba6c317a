import { formatDuration, isTooWide, tooWideInWords } from '../model/format.js';
import type { MemoryForecast } from '../model/snapshot.js';
import { fitRobustly, median, type RobustFit, SIGNIFICANT_Z, type TimedValue } from '../model/theil-sen.js';

/** A change this many median absolute deviations from the changes that follow it is a step, not growth. */
const STEP_MADS = 6;
/** A step stays: the level of so many samples after it is compared with that of as many before it. */
const SETTLED_SAMPLES = 3;
/** What follows a step is judged by at most so many changes. */
const FOLLOWING_CHANGES = 6;
/** From so many steps of one direction on they are how this Redis grows (a producer that adds in batches), not accidents. */
const USUAL_STEPS = 3;

/**
 * Index of the first sample after the last lasting step (a purge, a reclaim, a resync), or 0 where there is none: a fit
 * across it would hide the growth on either side.
 *
 * A change is a step when the changes after it are unlike it, when the level stays changed, and when it is rare. So
 * neither a spike, nor the onset of fast growth (the changes after it are alike), nor growth in bursts is one. A backlog that
 * is drained over some samples falls once, however many samples see it fall. A fall that is too fresh to tell whether it stays
 * is taken for a step until then: at worst a fit does without the last samples.
 * @param noise changes smaller than this many are never a step.
 */
function startAfterLastStep(samples: readonly TimedValue[], noise: number): number {
  const changes = samples.slice(1).map((sample, i) => sample.value - (samples[i]?.value ?? sample.value));
  const ordinary = median(changes);
  const overall = medianDeviation(changes, ordinary);
  const steps: { readonly at: number; readonly isUp: boolean }[] = [];
  for (let i = 0; i < changes.length; i++) {
    const isSettled = i + SETTLED_SAMPLES < samples.length;
    const following = isSettled ? changes.slice(i + 1, i + 1 + FOLLOWING_CHANGES) : [];
    const usual = isSettled ? median(following) : ordinary;
    const excess = (changes[i] ?? 0) - usual;
    // Perfectly steady growth deviates by nothing; then only a change that dwarfs the usual one is a step.
    const deviation = Math.max(
      overall,
      isSettled ? medianDeviation(following, usual) : 0,
      Math.abs(usual) / 2,
    );
    if (Math.abs(excess) <= Math.max(noise, STEP_MADS * deviation)) continue;
    if (isSettled ? !stays(samples, i, excess, usual) : excess > 0) continue;
    const step = { at: i + 1, isUp: excess > 0 };
    const last = steps.at(-1);
    // Levels this close can't be told apart: what goes on falling or rising is one step, over when the last of it is.
    if (last && last.isUp === step.isUp && step.at - last.at <= SETTLED_SAMPLES) steps.pop();
    steps.push(step);
  }
  const rare = steps.filter((step) => steps.filter((other) => other.isUp === step.isUp).length < USUAL_STEPS);
  return rare[rare.length - 1]?.at ?? 0;
}

function medianDeviation(values: readonly number[], center: number): number {
  return median(values.map((value) => Math.abs(value - center)));
}

/** Does the level after sample `i` keep more than half of the excess, growth as usual taken off? */
function stays(samples: readonly TimedValue[], i: number, excess: number, usual: number): boolean {
  const level = (from: number, to: number): number =>
    median(
      samples.slice(Math.max(0, from), to).map((sample, k) => sample.value - usual * (Math.max(0, from) + k)),
    );
  const moved = level(i + 1, i + 1 + SETTLED_SAMPLES) - level(i + 1 - SETTLED_SAMPLES, i + 1);
  return Math.sign(moved) === Math.sign(excess) && Math.abs(moved) > Math.abs(excess) / 2;
}

/** What Redis holds against its limit, at a time. */
export interface MemoryPoint {
  readonly atMs: number;
  readonly countedBytes: number;
}

/** Below this nothing can be said: a few samples look like a trend by chance. */
const MIN_POINTS = 6;
const MIN_WINDOW_MS = 4_000;
/** Pairwise fits are quadratic: 120 samples are 7,140 pairs. */
const MAX_POINTS = 120;
/** Slower than this is not growth that anyone would act on, and rounding noise of a quiet Redis is below it. */
const MIN_GROWTH_BYTES_PER_SECOND = 256;
/** Redis allocates clients and buffers by tens of kilobytes: less is never a step. */
const NOISE_BYTES = 384 * 1024;

/**
 * Growth of memory by a Theil–Sen fit, and when it meets the limit: (limit − median of the last 5) / slope.
 * Samples before the last step (a purge, a reclaim) are left out of the fit; right after one, the growth before it is
 * taken to go on. Growth that began a moment ago counts as soon as it is beyond doubt, without waiting for the window.
 * @param points oldest first; any number, at most 120 are used.
 * @returns null while there are too few samples; `growthBytesPerSecond` 0 and no time where no trend is significant;
 * `fullInSeconds` 0 at or over the limit, null when not filling, without a limit, or where the range is too wide to name one
 * number (`notKnown` says so).
 */
export function forecastMemory(
  points: readonly MemoryPoint[],
  limitBytes: number | null,
): MemoryForecast | null {
  const samples = thin(valid(points), MAX_POINTS);
  const first = samples[0];
  const last = samples[samples.length - 1];
  if (!first || !last || samples.length < MIN_POINTS || last.atMs - first.atMs < MIN_WINDOW_MS) return null;
  const start = startAfterLastStep(samples, NOISE_BYTES);
  const isFresh = samples.length - start < MIN_POINTS;
  const fitted = isFresh ? samples.slice(0, start) : samples.slice(start);
  const chosen = presentFit(fitted);
  if (!chosen) return null;
  const { fit, windowMs } = chosen;
  const middle = median(samples.slice(Math.max(start, samples.length - 5)).map((sample) => sample.value));
  // After what freed memory little by little the middle is of before: a Redis that is below its limit now is not full.
  const level = limitBytes !== null && last.value < limitBytes ? Math.min(middle, last.value) : middle;
  const growth = isTrend(fit, SIGNIFICANT_Z) ? fit.slopePerSecond : 0;
  const range = fullRange(limitBytes, level, growth, fit.slopeRange);
  const isKnown = range === null || !isTooWide(range);
  return {
    growthBytesPerSecond: growth,
    growthRange: fit.slopeRange,
    fullInSeconds: isKnown ? secondsUntil(limitBytes, level, growth) : null,
    fullInRange: range,
    notKnown: isKnown
      ? null
      : `the trend of the last ${formatDuration(windowMs / 1000)} allows ${tooWideInWords(range)}`,
    windowMs,
  };
}

/**
 * Kendall's test takes samples for independent, which those of memory are not: a wave of work that comes and goes passes
 * it. So the slope must also have kept its sign in nearly all blocks of the window.
 */
function isTrend(fit: RobustFit, z: number): boolean {
  const [low, high] = fit.slopeRange;
  const keepsSign = fit.slopePerSecond > 0 ? low > 0 : high < 0;
  return (
    keepsSign && Math.abs(fit.kendallZ) > z && Math.abs(fit.slopePerSecond) >= MIN_GROWTH_BYTES_PER_SECOND
  );
}

/** The newest samples, which show growth that has just begun: a median over the whole window needs a third of it. */
const RECENT_POINTS = 15;
/** Two-sided 99.9 %: a short window is asked every tick, so chance must be ruled out more strictly. */
const BEYOND_DOUBT_Z = 3.29;
/** The rise over the recent window must be this many times the usual wobble. */
const WOBBLES = 6;

function presentFit(samples: readonly TimedValue[]): { fit: RobustFit; windowMs: number } | null {
  const whole = fitRobustly(samples);
  if (!whole) return null;
  const recentSamples = samples.slice(-RECENT_POINTS);
  const recent = samples.length > RECENT_POINTS ? fitRobustly(recentSamples) : null;
  if (recent && isOnset(recent, recentSamples, whole, samples)) {
    return { fit: recent, windowMs: windowOf(recentSamples) };
  }
  return { fit: whole, windowMs: windowOf(samples) };
}

/** Is the recent growth clearly steeper than that of the window as a whole, and no wobble? */
function isOnset(
  recent: RobustFit,
  recentSamples: readonly TimedValue[],
  whole: RobustFit,
  samples: readonly TimedValue[],
): boolean {
  if (recent.slopePerSecond <= 0 || !isTrend(recent, BEYOND_DOUBT_Z)) return false;
  if (recent.slopeRange[0] <= Math.max(0, whole.slopePerSecond) * 1.5) return false;
  const before = samples.slice(0, -RECENT_POINTS).map((sample) => sample.value);
  const center = median(before);
  const wobble = median(before.map((value) => Math.abs(value - center)));
  return (recent.slopePerSecond * windowOf(recentSamples)) / 1000 > WOBBLES * wobble;
}

function windowOf(samples: readonly TimedValue[]): number {
  return (samples[samples.length - 1]?.atMs ?? 0) - (samples[0]?.atMs ?? 0);
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
function thin<T>(samples: readonly T[], most: number): readonly T[] {
  if (samples.length <= most) return samples;
  const picked: T[] = [];
  for (let i = 0; i < most; i++) {
    const sample = samples[Math.round((i * (samples.length - 1)) / (most - 1))];
    if (sample !== undefined) picked.push(sample);
  }
  return picked;
}
