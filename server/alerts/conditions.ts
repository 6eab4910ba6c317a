import { compareSeverity } from '../findings/track.js';
import type { Finding, Severity } from '../model/finding.js';
import { globMatcher } from '../model/text.js';
import type { Level } from './alert-state.js';
import { whenUnknown } from './alert-steps.js';
import type { ValueRange } from './columns.js';
import type { Memory } from './past.js';
import { forgetful, Past, type Watching } from './past.js';
import type {
  AbsentCondition,
  AlertRule,
  BaselineCondition,
  CompareCondition,
  FindingCondition,
  PredictedCondition,
  RateCondition,
  ShareCondition,
  SignalCondition,
} from './rule.js';

/** Test of whether a rule is about a finding: its code, its severity, and whom it is about. */
export function findingMatcher(
  { scope }: AlertRule,
  { code, leastSeverity }: FindingCondition,
): (finding: Finding) => boolean {
  const [isCode, isInstance, isQueue, isType] = [code, scope.instance, scope.queue, scope.type].map(
    globMatcher,
  );
  const least: Severity = leastSeverity;
  return (finding) =>
    (isCode?.(finding.code) ?? false) &&
    compareSeverity(finding.severity, least) <= 0 &&
    (isInstance?.(finding.instance) ?? false) &&
    isAbout(scope.queue, isQueue, finding.queue === null ? (finding.queues ?? []) : [finding.queue]) &&
    isAbout(scope.type, isType, finding.jobType === undefined ? [] : [finding.jobType]);
}

/** A rule about everything matches what is about nobody; one about some matches if any of them is meant. */
function isAbout(
  glob: string,
  matches: ((text: string) => boolean) | undefined,
  names: readonly string[],
): boolean {
  return glob === '*' || names.some((name) => matches?.(name) ?? false);
}

/** Of its window, before a baseline says anything. */
const WARM_RATIO = 0.5;
/** A value further out than this teaches the baseline no more than this: an incident must not become usual at once. */
const MAX_TAUGHT = 4;
/** A deviation below this share of the mean is none: a signal that never moves would alarm at its first step. */
const LEAST_DEVIATION_RATIO = 0.05;
const LEAST_DEVIATION = 1e-9;
const MAX_STEP_MS = 60_000;

/** Distance of a signal from its own mean, in its own mean deviations; both forget over the window. */
function watchBaseline(condition: BaselineCondition): Watching {
  const { signal, is, deviations, clearDeviations, windowSeconds } = condition;
  const sign = is === 'below' ? -1 : 1;
  return {
    gauge: {
      key: `${signal}|baseline|${is}|${windowSeconds}`,
      signal,
      second: null,
      remember: () => {
        const baseline = new Baseline(windowSeconds * 1000);
        return {
          next: (value, nowMs) => {
            const score = baseline.next(value, nowMs);
            return is === 'off' ? Math.abs(score) : sign * score;
          },
        };
      },
    },
    is: 'above',
    threshold: deviations,
    clear: clearDeviations ?? deviations / 2,
    whenUnknown: 'hold',
  };
}

class Baseline implements Memory {
  readonly #windowMs: number;
  #mean = Number.NaN;
  #deviation = 0;
  #knownMs = 0;
  #lastMs = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  next(value: number, nowMs: number): number {
    if (!Number.isFinite(value)) return Number.NaN;
    if (Number.isNaN(this.#mean)) {
      this.#mean = value;
      this.#lastMs = nowMs;
      return Number.NaN;
    }
    const stepMs = Math.min(MAX_STEP_MS, Math.max(0, nowMs - this.#lastMs));
    this.#lastMs = nowMs;
    const isWarm = this.#knownMs >= this.#windowMs * WARM_RATIO;
    const floor = Math.max(LEAST_DEVIATION, LEAST_DEVIATION_RATIO * Math.abs(this.#mean));
    const usual = Math.max(this.#deviation, floor);
    const off = value - this.#mean;
    const score = isWarm ? off / usual : Number.NaN;
    this.#knownMs += stepMs;
    // While it is young it is the plain mean of what was seen; later it forgets at the pace of its window.
    const weight = stepMs / Math.max(stepMs, Math.min(this.#knownMs, this.#windowMs));
    const taught = isWarm ? Math.max(-MAX_TAUGHT * usual, Math.min(MAX_TAUGHT * usual, off)) : off;
    this.#mean += weight * taught;
    this.#deviation += weight * (Math.abs(taught) - this.#deviation);
    return score;
  }
}

/** Room above the threshold by which a forecast is over, as forecasts are restless. */
const CLEAR_TIMES = 1.25;

/** Seconds until a signal reaches a level at its present trend; Infinity: it does not get there; 0: it is there. */
function watchPredicted(condition: PredictedCondition): Watching {
  const { signal, reaches, withinSeconds, clearSeconds, windowSeconds } = condition;
  return {
    gauge: {
      key: `${signal}|predicted|${reaches}|${windowSeconds}`,
      signal,
      second: null,
      remember: () => {
        const past = new Past(windowSeconds);
        return {
          next: (value, nowMs, { limitBytes }) =>
            secondsUntil(reaches === 'limit' ? limitBytes : reaches, value, past.slope(value, nowMs)),
        };
      },
    },
    is: 'below',
    threshold: withinSeconds,
    clear: clearSeconds ?? withinSeconds * CLEAR_TIMES,
    whenUnknown: 'hold',
  };
}

function secondsUntil(level: number, value: number, perSecond: number): number {
  if (Number.isNaN(level) || Number.isNaN(perSecond)) return Number.NaN;
  const distance = level - value;
  if (distance === 0) return 0;
  const seconds = distance / perSecond;
  return seconds > 0 ? seconds : Number.POSITIVE_INFINITY;
}

/** How fast a signal changes, per second. */
function watchRate(condition: RateCondition): Watching {
  const { signal, is, perSecond, clearPerSecond, windowSeconds } = condition;
  return {
    gauge: {
      key: `${signal}|rate|${windowSeconds}`,
      signal,
      second: null,
      remember: () => {
        const past = new Past(windowSeconds);
        return { next: (value, nowMs) => past.slope(value, nowMs) };
      },
    },
    is,
    threshold: perSecond,
    clear: clearPerSecond ?? perSecond,
    whenUnknown: 'hold',
  };
}

/** 1 while nothing comes although it should, else 0. Its clear level is its own: something came. */
function watchAbsent({ signal, whileSignal, whileAbove }: AbsentCondition): Watching {
  const isAbsent = (value: number): boolean => Number.isNaN(value) || value === 0;
  return {
    gauge: {
      key: `${signal}|absent|${whileSignal ?? ''}|${whileAbove}`,
      signal,
      second: whileSignal,
      remember: forgetful((value, { second }) => {
        if (!isAbsent(value)) return 0;
        if (whileSignal === null) return 1;
        return Number.isNaN(second) ? Number.NaN : second > whileAbove ? 1 : 0;
      }),
    },
    is: 'above',
    threshold: 0.5,
    clear: 0.5,
    whenUnknown: 'hold',
  };
}

const share = forgetful((value, { limitBytes }) => (limitBytes > 0 ? value / limitBytes : Number.NaN));

/** Bytes as a share of what Redis may hold. */
function watchShare({ signal, aboveRatio, clearRatio }: ShareCondition): Watching {
  return {
    gauge: { key: `${signal}|share`, signal, second: null, remember: share },
    is: 'above',
    threshold: aboveRatio,
    clear: clearRatio ?? aboveRatio,
    whenUnknown: 'hold',
  };
}

/** A signal beyond a number. */
function watchCompare({ signal, is, threshold, clear }: CompareCondition): Watching {
  return {
    gauge: { key: signal, signal, second: null, remember: null },
    is,
    threshold,
    clear: clear ?? threshold,
    whenUnknown: whenUnknown(signal),
  };
}

/** What a condition over signals watches. A new kind is one file beside the others and one line here. */
export function watchCondition(condition: SignalCondition): Watching {
  switch (condition.kind) {
    case 'compare':
      return watchCompare(condition);
    case 'share-of-limit':
      return watchShare(condition);
    case 'rate-of-change':
      return watchRate(condition);
    case 'predicted':
      return watchPredicted(condition);
    case 'absent':
      return watchAbsent(condition);
    case 'baseline':
      return watchBaseline(condition);
  }
}

/** Can any number of this range be beyond the threshold? A thousand rules look at each subject only where it can. */
export function mayBreach({ is, threshold }: Watching, { lowest, highest }: ValueRange): boolean {
  return is === 'above' ? highest > threshold : lowest < threshold;
}

/** What a number says. */
export function levelOf({ is, threshold, clear, whenUnknown }: Watching, value: number): Level {
  if (Number.isNaN(value)) return whenUnknown === 'clear' ? 'clear' : 'unknown';
  if (is === 'above') return value > threshold ? 'breach' : value <= clear ? 'clear' : 'held';
  return value < threshold ? 'breach' : value >= clear ? 'clear' : 'held';
}
