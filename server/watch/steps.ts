import { median, type TimedValue } from '../model/theil-sen.js';

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
export function startAfterLastStep(samples: readonly TimedValue[], noise: number): number {
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
