import type { GuardBaseline, MovedOutcomes } from '../model/replay.js';

/** Jobs that go ahead of the others. */
export const CANARY_JOBS = 20;
/** The others don't wait longer for them: jobs may be long, or wait behind others. */
const CANARY_WAIT_MS = 20_000;
const MAX_FAILED_RATIO = 0.5;

type CanaryVerdict = 'wait' | 'go' | 'stop';

/**
 * Do the jobs that went ahead only fail again? `stop` when more than half of at least 20 that ended have failed (or of
 * all, where a replay has fewer and all have ended); it is asked all through the replay.
 * @param sinceMs since the last of the canary was moved; null: not all are moved yet.
 */
export function judgeCanary(outcomes: MovedOutcomes, sinceMs: number | null): CanaryVerdict {
  const ended = outcomes.succeeded + outcomes.failedAgain + outcomes.gone;
  if (ended >= CANARY_JOBS && outcomes.failedAgain > ended * MAX_FAILED_RATIO) return 'stop';
  if (sinceMs === null || ended >= CANARY_JOBS || sinceMs >= CANARY_WAIT_MS) return 'go';
  return 'wait';
}
/**
 * The guard of a replay: additive increase, multiplicative decrease (as TCP does; see Netflix concurrency-limits,
 * AIMDLimit.java) between nothing and the rate that a person has set. It looks at what live traffic would feel, not at
 * the replay: how long a job that is added now would wait, Redis' memory, its answer time, and whether what is replayed
 * only fails again.
 */

/** What the guard sees at one moment. Nothing known is null. */
export interface LoadSample {
  readonly atMs: number;
  /** The snapshot is too old, or Redis does not answer: nobody knows what a replay does. */
  readonly isBlind: boolean;
  readonly isFull: boolean;
  /** Worst of all nodes: memory used of the limit, 0..1. */
  readonly usedRatio: number | null;
  readonly fullInSeconds: number | null;
  /** Worst queue: how long a job that is added now would wait until it starts. Infinity: nothing leaves the queue. */
  readonly waitSeconds: number | null;
  /** The same for one that is added when a change of the rate begins to show, if the backlog grows on as it does. */
  readonly waitSoonSeconds: number | null;
  /** What it was there before the replay began; null: not known. */
  readonly normalWaitSeconds: number | null;
  /** Id of that queue. */
  readonly waitQueue: string | null;
  readonly roundTripMs: number | null;
}

export interface ReplayGuardState {
  readonly perSecond: number;
  /** Last time the rate was lowered, and raised. */
  readonly loweredAtMs: number;
  readonly raisedAtMs: number;
  /** It was lowered only a little the last time. */
  readonly isEased: boolean;
  /** Why the pace is what it is: one sentence for a person. */
  readonly reason: string;
  readonly isSlowed: boolean;
}

/** Above this share of memory a replay slows down, and above the second it stops until there is room. */
const MEMORY_SLOW_RATIO = 0.85;
const MEMORY_STOP_RATIO = 0.93;
const FULL_SOON_SECONDS = 30 * 60;
/** A forecast counts only where a good part is used: far from the limit it swings. */
const FORECAST_COUNTS_RATIO = 0.6;
/** Live wait time may be this many times the normal one. */
const WAIT_HARD = 2;
const WAIT_SOFT = 1.25;
/** A wait up to this is nobody's trouble, however small the normal one is. */
const WAIT_FLOOR_SECONDS = 1;
/** Above this, and above what was normal, a rate is not raised: what is added then would only wait. */
const WAIT_RAISE_SECONDS = 0.5;
const ROUND_TRIP_HARD = 3;
const ROUND_TRIP_FLOOR_MS = 20;
/** What was changed needs time to show. */
export const SHOWS_AFTER_SECONDS = 2;
const LOWER_EVERY_MS = 2_000;
const RAISE_EVERY_MS = 2_000;
const RAISE_RATIO = 0.05;
/** Below this share of the set rate a replay rests. */
const REST_RATIO = 0.01;

type Verdict =
  | { readonly kind: 'rest' | 'halve' | 'ease' | 'hold'; readonly why: string }
  | { readonly kind: 'well'; readonly why: string };

/** The guard at the start: full speed as it was set. */
export function startGuard(setPerSecond: number, nowMs: number): ReplayGuardState {
  return {
    perSecond: setPerSecond,
    loweredAtMs: 0,
    raisedAtMs: nowMs,
    isEased: false,
    reason: 'As set: it has just begun.',
    isSlowed: false,
  };
}

/** The rate to go on with, and why. `setPerSecond` is never exceeded; 0 is a rest. */
export function guardRate(
  state: ReplayGuardState,
  setPerSecond: number,
  sight: LoadSample,
  baseline: GuardBaseline,
): ReplayGuardState {
  const verdict = judge(sight, baseline);
  const capped = Math.min(state.perSecond, setPerSecond);
  if (verdict.kind === 'rest') return lowered(state, 0, sight.atMs, setPerSecond, verdict.why);
  if (verdict.kind === 'hold')
    return { ...state, perSecond: capped, ...shownAs(capped, setPerSecond, verdict.why) };
  if (verdict.kind === 'halve' || verdict.kind === 'ease') {
    // What was only eased a moment ago may be halved at once.
    const isDue =
      sight.atMs - state.loweredAtMs >= LOWER_EVERY_MS || (verdict.kind === 'halve' && state.isEased);
    const rate = isDue ? capped * (verdict.kind === 'halve' ? 0.5 : 0.9) : capped;
    const next = rate < setPerSecond * REST_RATIO ? 0 : rate;
    if (!isDue) return { ...state, perSecond: next, ...shownAs(next, setPerSecond, verdict.why) };
    const isEased = verdict.kind === 'ease';
    return { ...lowered(state, next, sight.atMs, setPerSecond, verdict.why), isEased };
  }
  return raised(state, capped, setPerSecond, sight.atMs, verdict.why);
}

function lowered(
  state: ReplayGuardState,
  perSecond: number,
  nowMs: number,
  set: number,
  why: string,
): ReplayGuardState {
  return { ...state, perSecond, loweredAtMs: nowMs, raisedAtMs: nowMs, ...shownAs(perSecond, set, why) };
}

function raised(
  state: ReplayGuardState,
  rate: number,
  set: number,
  nowMs: number,
  why: string,
): ReplayGuardState {
  if (rate >= set) return { ...state, perSecond: set, ...shownAs(set, set, why) };
  if (nowMs - state.raisedAtMs < RAISE_EVERY_MS)
    return { ...state, perSecond: rate, ...shownAs(rate, set, why) };
  const perSecond = Math.min(set, rate + Math.max(Math.min(1, set), set * RAISE_RATIO));
  return { ...state, perSecond, raisedAtMs: nowMs, ...shownAs(perSecond, set, why) };
}

function shownAs(perSecond: number, set: number, why: string): Pick<ReplayGuardState, 'reason' | 'isSlowed'> {
  const isSlowed = perSecond < set;
  if (perSecond === 0) return { reason: `Resting: ${why}.`, isSlowed };
  return { reason: isSlowed ? `Slowed to ${shown(perSecond)}/s: ${why}.` : `As set: ${why}.`, isSlowed };
}

/** First rule that speaks counts: not to see comes before all, then what can stop Redis, then what live traffic feels. */
function judge(sight: LoadSample, baseline: GuardBaseline): Verdict {
  if (sight.isBlind) return { kind: 'rest', why: 'the console does not see this Redis now' };
  return (
    judgeMemory(sight) ??
    judgeWait(sight) ??
    judgeRoundTrip(sight, baseline) ?? { kind: 'well', why: wellBecause(sight) }
  );
}

function judgeMemory({ isFull, usedRatio, fullInSeconds }: LoadSample): Verdict | null {
  if (isFull) return { kind: 'rest', why: 'Redis is full' };
  if (usedRatio === null) return null;
  const used = `Redis memory is at ${Math.round(usedRatio * 100)}%`;
  if (usedRatio >= MEMORY_STOP_RATIO) return { kind: 'rest', why: used };
  if (usedRatio >= MEMORY_SLOW_RATIO) return { kind: 'halve', why: used };
  if (usedRatio >= FORECAST_COUNTS_RATIO && fullInSeconds !== null && fullInSeconds < FULL_SOON_SECONDS)
    return { kind: 'ease', why: `${used} and full in ${Math.max(1, Math.round(fullInSeconds / 60))} min` };
  return null;
}

/**
 * A backlog that grows is answered before it hurts: until the answer shows it grows on. Proportional and derivative
 * control; by the wait of now alone the rate swings, and live jobs wait longest just after capacity was lost.
 */
function judgeWait(sight: LoadSample): Verdict | null {
  const { waitSeconds, waitSoonSeconds, waitQueue, normalWaitSeconds: before } = sight;
  if (waitSeconds === null) return null;
  const felt = Math.max(waitSeconds, waitSoonSeconds ?? 0);
  const normal = Math.max(WAIT_FLOOR_SECONDS, before ?? 0);
  const wait =
    waitSeconds === Infinity
      ? `nothing leaves ${waitQueue ?? 'the queue'}`
      : `a job added to ${waitQueue ?? 'the queue'} ${felt > waitSeconds ? `in ${SHOWS_AFTER_SECONDS} s` : 'now'} would wait ${shown(felt)} s, before it was ${shown(before ?? 0)} s`;
  if (felt > normal * WAIT_HARD) return { kind: 'halve', why: wait };
  if (felt > normal * WAIT_SOFT) return { kind: 'ease', why: wait };
  if (felt > Math.max(WAIT_RAISE_SECONDS, before ?? 0)) return { kind: 'hold', why: wait };
  return null;
}

function judgeRoundTrip({ roundTripMs }: LoadSample, { roundTripMs: before }: GuardBaseline): Verdict | null {
  if (roundTripMs === null || before === null) return null;
  if (roundTripMs <= before * ROUND_TRIP_HARD + ROUND_TRIP_FLOOR_MS) return null;
  return {
    kind: 'ease',
    why: `Redis answers in ${shown(roundTripMs)} ms, before it was ${shown(before)} ms`,
  };
}

function wellBecause({ waitSeconds, normalWaitSeconds: before }: LoadSample): string {
  if (waitSeconds === null) return 'nothing suffers that is known';
  return `live jobs wait ${shown(waitSeconds)} s, before it was ${shown(before ?? 0)} s`;
}

function shown(value: number): string {
  if (!Number.isFinite(value)) return 'for ever';
  return value >= 10 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}
