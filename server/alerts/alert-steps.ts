import { type Finding, type FindingKey, findingKey } from '../model/finding.js';
import type { Subject } from '../signals/signal.js';
import type { Alert, Transition } from './alert.js';
import type { Facts } from './alert-facts.js';
import { advance, dampedKeepMs, FLAP_WINDOW_MS, type Level } from './alert-state.js';
import type { AlertRule } from './rule.js';

/** Keys of findings that are shown with another one and not by themselves. */
function explainedKeys(findings: readonly Finding[]): ReadonlySet<FindingKey> {
  const keys = new Set<FindingKey>();
  for (const { instance, explains } of findings)
    for (const { code, queue, jobType } of explains ?? [])
      keys.add(findingKey({ code, instance, queue, node: null, jobType }));
  return keys;
}

/** What a trouble was before it became this one: the console then says the worse one alone. All of them it inhibits. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  'redis.full': ['redis.filling'],
  'queue.no-workers': ['queue.stuck', 'queue.overloaded', 'queue.growing'],
  'queue.workers-paused': ['queue.stuck', 'queue.overloaded', 'queue.growing'],
  'queue.overloaded': ['queue.growing'],
};

/** Said by a trend, and no trend is known while things settle after a change. */
const BY_TREND: ReadonlySet<string> = new Set(['redis.filling']);

/**
 * What it says of a trouble that its finding is not among these: by its key and code. One
 * that has become worse is so all the more (a Redis that is full no longer fills, and nobody is to be told that this is
 * over); one that another finding explains is there, under the other's name; one that a trend tells of is not over while none
 * is known; else it is over.
 * @param isSettling something was changed from here a moment ago.
 */
export function whenNotTold(
  findings: readonly Finding[],
  isSettling: boolean,
): (key: FindingKey, code: string) => Level {
  const explained = explainedKeys(findings);
  const worse = worseKeys(findings);
  const isNotKnown = (code: string) => isSettling && BY_TREND.has(code);
  return (key, code) =>
    worse.has(key) ? 'breach' : explained.has(key) || isNotKnown(code) ? 'held' : 'clear';
}

function worseKeys(findings: readonly Finding[]): ReadonlySet<FindingKey> {
  const keys = new Set<FindingKey>();
  for (const { code, instance, queue, queues, node } of findings)
    for (const before of BEFORE[code] ?? [])
      for (const place of [queue, ...(queues ?? [])])
        keys.add(findingKey({ code: before, instance, queue: place, node }));
  return keys;
}

/** Signals that are not known where there is nothing to measure: nothing waits, nothing fills, nothing is set. */
const NOTHING_TO_MEASURE: ReadonlySet<string> = new Set([
  'redis_full_in_seconds',
  'queue_oldest_waiting_seconds',
  'queue_drain_seconds',
  'queue_concurrency_limit',
  'queue_rate_limit_per_second',
]);

/** Does a signal that is not known say that all is well, or nothing at all? */
export function whenUnknown(signal: string): 'hold' | 'clear' {
  return NOTHING_TO_MEASURE.has(signal) ? 'clear' : 'hold';
}

/** A gap between looks that still counts as looking: some intervals of the poller. */
const LEAST_GAP_MS = 15_000;
const GAP_INTERVALS = 4;
/** Subjects that fired lately are remembered at most so many, the latest. */
const MAX_FLAPPERS = 10_000;

type StepKind = Transition['kind'] | null;

/** Moves alerts along their course, and remembers for each subject how often it fired lately. */
export class AlertSteps {
  readonly #newId: () => string;
  readonly #firings = new Map<string, readonly number[]>();
  #nowMs = 0;
  #mostGapMs = LEAST_GAP_MS;
  #isWarmingUp: (alert: Alert) => boolean = () => false;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** What holds for all steps of a tick. */
  beginTick(nowMs: number, pollIntervalMs: number, isWarmingUp: (alert: Alert) => boolean): void {
    this.#nowMs = nowMs;
    this.#mostGapMs = Math.max(LEAST_GAP_MS, GAP_INTERVALS * pollIntervalMs);
    this.#isWarmingUp = isWarmingUp;
    for (const [key, firings] of this.#firings)
      if ((firings.at(-1) ?? 0) < nowMs - FLAP_WINDOW_MS) this.#firings.delete(key);
      else break;
  }

  /** When subjects fired lately, by key of their alerts. */
  recall(firings: ReadonlyMap<string, readonly number[]>): void {
    for (const [key, times] of firings) this.#firings.set(key, times);
  }

  /**
   * A breach where there was no alert. Written out field by field, here and in `step`: thousands may begin in one tick,
   * and to spread several objects into one takes ten times as long.
   */
  start(rule: AlertRule, subject: Subject, key: string, facts: Facts): Alert {
    const course = advance(null, 'breach', this.#timing(rule, key), this.#nowMs);
    if (course === null) throw new Error('a breach always begins an alert');
    if (course.state === 'firing') this.#fired(key);
    return {
      id: this.#newId(),
      key,
      ruleId: rule.id,
      ruleName: rule.name,
      severity: facts.severity,
      subject,
      cause: facts.cause,
      findingKey: facts.findingKey,
      value: facts.value,
      summary: facts.summary,
      evidence: facts.evidence,
      firstRemedy: facts.firstRemedy,
      runbookUrl: rule.runbookUrl,
      inhibitedBy: null,
      acknowledged: null,
      told: null,
      state: course.state,
      sinceMs: course.sinceMs,
      heldMs: course.heldMs,
      clearMs: course.clearMs,
      firedAtMs: course.firedAtMs,
      resolvedAtMs: course.resolvedAtMs,
      seenAtMs: course.seenAtMs,
      seen: course.seen,
    };
  }

  /**
   * One look at an alert. `kind` null: nothing but its numbers changed.
   * @param measured the number that was read now, which counts also while a console warms up; null: `level` is from what
   * was not seen, or from a finding, and what is clear only for that does not count then.
   */
  step(
    alert: Alert,
    level: Level,
    rule: AlertRule,
    measured: number | null,
  ): { readonly kind: StepKind; readonly alert: Alert } {
    const known = level === 'clear' && measured === null && this.#isWarmingUp(alert) ? 'unknown' : level;
    const course = advance(alert, known, this.#timing(rule, alert.key), this.#nowMs);
    if (course === null) return { kind: 'dropped', alert };
    const now: Alert = {
      ...alert,
      ruleName: rule.name,
      runbookUrl: rule.runbookUrl,
      value: measured ?? alert.value,
      state: course.state,
      heldMs: course.heldMs,
      clearMs: course.clearMs,
      firedAtMs: course.firedAtMs,
      resolvedAtMs: course.resolvedAtMs,
      seenAtMs: course.seenAtMs,
      seen: course.seen,
    };
    if (course.state === alert.state) return { kind: null, alert: now };
    if (course.state === 'firing') this.#fired(alert.key);
    return { kind: course.state, alert: now };
  }

  /** Its rule is gone: over at once. */
  end(alert: Alert): Transition {
    if (alert.state === 'pending') return { kind: 'dropped', alert };
    return { kind: 'resolved', alert: { ...alert, state: 'resolved', resolvedAtMs: this.#nowMs } };
  }

  #timing({ forMs, keepFiringMs }: AlertRule, key: string) {
    const firings = this.#firings.get(key);
    return {
      forMs,
      keepFiringMs: firings ? dampedKeepMs(keepFiringMs, firings, this.#nowMs) : keepFiringMs,
      mostGapMs: this.#mostGapMs,
    };
  }

  #fired(key: string): void {
    const lately = (this.#firings.get(key) ?? []).filter((atMs) => atMs > this.#nowMs - FLAP_WINDOW_MS);
    // Last written is last in order, so that the oldest are found at the front.
    this.#firings.delete(key);
    this.#firings.set(key, [...lately, this.#nowMs].slice(-20));
    if (this.#firings.size <= MAX_FLAPPERS) return;
    const [oldest] = this.#firings.keys();
    if (oldest !== undefined) this.#firings.delete(oldest);
  }
}
