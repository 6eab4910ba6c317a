import type { Subject } from '../signals/reading.js';
import type { Alert, Transition } from './alert.js';
import type { Facts } from './alert-facts.js';
import { advance, type Level } from './course.js';
import { dampedKeepMs, FLAP_WINDOW_MS } from './damping.js';
import type { AlertRule } from './rule.js';

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
