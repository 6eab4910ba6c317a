import type { Alert, Transition } from '../model/alert.js';
import { type Brief, briefOf, briefValue } from '../model/brief.js';
import { type Finding, type FindingKey, findingKey } from '../model/finding.js';
import type { Level } from '../model/lifecycle.js';
import type { SignalSubject } from '../signals/signal.js';
import { begin, transition } from '../timeline/lifecycle.js';
import { breachInWords, formatMeasure, remedyText } from './describe.js';
import type { AlertRule } from './rule.js';

/** What an alert says of its trouble. */
export type AlertFacts = Brief &
  Pick<Alert, 'severity' | 'code' | 'findingKey' | 'evidence' | 'firstRemedy' | 'value'>;

/** What an alert over a signal says. */
export function factsOfNumber(rule: AlertRule, subject: SignalSubject, value: number): AlertFacts {
  const { condition } = rule;
  if (condition.kind === 'finding') throw new Error('a rule over findings compares no number');
  return {
    severity: rule.severity === 'finding' ? 'warning' : rule.severity,
    code: `signal:${condition.signal}`,
    findingKey: null,
    value,
    ...breachInWords(rule, condition, subject, value),
    evidence: condition.kind === 'absent' ? null : formatMeasure(condition, value),
    firstRemedy: null,
  };
}

/** What an alert over a finding says: the finding's own words, which hold no job data. */
export function factsOfFinding(rule: AlertRule, finding: Finding): AlertFacts {
  const [evidence] = finding.evidence;
  return {
    severity: rule.severity === 'finding' ? finding.severity : rule.severity,
    code: finding.code,
    findingKey: finding.key,
    value: null,
    ...briefOf(finding),
    evidence: evidence ? `${evidence.label}: ${briefValue(evidence.value, evidence.unit)}` : null,
    firstRemedy: remedyText(finding),
  };
}

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
 * that has become worse is so all the more (a Redis that is full no longer fills, and nobody is to be notified that this is
 * over); one that another finding explains is there, under the other's name; one that is found by a trend is not over while no
 * trend is known; else it is over.
 * @param isSettling something was changed from here a moment ago.
 */
export function whenNotFound(
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

/** Firings further back say nothing about flapping now. */
export const FLAP_WINDOW_MS = 3_600_000;
/** So many firings in the window are not flapping yet. */
const CALM_FIRINGS = 2;
const MAX_KEEP_MS = 30 * 60_000;
/** What a rule that resolves at once gets when it flaps. */
const MIN_FLAP_KEEP_MS = 15_000;

/**
 * How long an alert must be over before it is resolved: what its rule says, doubled for every firing beyond the second
 * in the last hour, to at most half an hour. One that flaps becomes one long alert and not twenty messages.
 * @param firings when it fired before and this time, in any order.
 */
export function dampedKeepMs(keepFiringMs: number, firings: readonly number[], nowMs: number): number {
  const lately = firings.filter((atMs) => atMs > nowMs - FLAP_WINDOW_MS).length;
  if (lately <= CALM_FIRINGS) return keepFiringMs;
  const doubled = Math.max(keepFiringMs, MIN_FLAP_KEEP_MS) * 2 ** (lately - CALM_FIRINGS);
  return Math.max(keepFiringMs, Math.min(MAX_KEEP_MS, doubled));
}

/** A gap between looks that still counts as looking: some intervals of the poller. */
const MIN_GAP_MS = 15_000;
const GAP_INTERVALS = 4;
/** Subjects that fired lately are remembered at most so many, the latest. */
const MAX_FLAPPERS = 10_000;

/** Moves alerts along their life, and remembers for each subject how often it fired lately. */
export class AlertSteps {
  readonly #newId: () => string;
  readonly #warmUpMs: number;
  readonly #firings = new Map<string, readonly number[]>();
  /** Ids of alerts that are not this process' own. */
  readonly #restored = new Set<string>();
  #liveSinceMs: number | null = null;
  #nowMs = 0;
  #maxGapMs = MIN_GAP_MS;

  constructor(newId: () => string, warmUpMs: number) {
    this.#newId = newId;
    this.#warmUpMs = warmUpMs;
  }

  /** What holds for all steps of a tick. */
  beginTick(nowMs: number, pollIntervalMs: number, isLive: boolean): void {
    this.#nowMs = nowMs;
    this.#maxGapMs = Math.max(MIN_GAP_MS, GAP_INTERVALS * pollIntervalMs);
    if (isLive) this.#liveSinceMs ??= nowMs;
    for (const [key, firings] of this.#firings)
      if ((firings.at(-1) ?? 0) < nowMs - FLAP_WINDOW_MS) this.#firings.delete(key);
      else break;
  }

  /** @param firings when subjects fired lately, by key of their alerts. */
  restore(alerts: readonly Alert[], firings: ReadonlyMap<string, readonly number[]>): void {
    for (const { id } of alerts) this.#restored.add(id);
    for (const [key, times] of firings) this.#firings.set(key, times);
  }

  /** A breach where there was no alert. */
  start(rule: AlertRule, subject: SignalSubject, key: string, facts: AlertFacts): Alert {
    const life = begin(rule, this.#nowMs);
    if (life.state === 'firing') this.#fired(key);
    return {
      id: this.#newId(),
      key,
      ruleId: rule.id,
      ruleName: rule.name,
      subject,
      runbookUrl: rule.runbookUrl,
      inhibitedBy: null,
      acknowledged: null,
      notified: null,
      ...facts,
      ...life,
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
  ): { readonly kind: Transition['kind'] | null; readonly alert: Alert } {
    const known = level === 'clear' && measured === null && this.#isWarmingUp(alert) ? 'unknown' : level;
    const looked = transition(alert, known, this.#timing(rule, alert.key), this.#nowMs);
    if (looked === null || looked.state === 'resolved') this.#restored.delete(alert.id);
    if (looked === null) return { kind: 'dropped', alert };
    const { name: ruleName, runbookUrl } = rule;
    const now: Alert = { ...looked, ruleName, runbookUrl, value: measured ?? alert.value };
    if (now.state === alert.state) return { kind: null, alert: now };
    if (now.state === 'firing') this.#fired(alert.key);
    return { kind: now.state, alert: now };
  }

  /** Its rule is gone: over at once. */
  end(alert: Alert): Transition {
    if (alert.state === 'pending') return { kind: 'dropped', alert };
    return { kind: 'resolved', alert: { ...alert, state: 'resolved', resolvedAtMs: this.#nowMs } };
  }

  #isWarmingUp({ id }: Alert): boolean {
    return (
      this.#restored.has(id) &&
      (this.#liveSinceMs === null || this.#nowMs - this.#liveSinceMs < this.#warmUpMs)
    );
  }

  #timing({ forMs, keepFiringMs }: AlertRule, key: string) {
    const firings = this.#firings.get(key);
    return {
      forMs,
      keepFiringMs: firings ? dampedKeepMs(keepFiringMs, firings, this.#nowMs) : keepFiringMs,
      maxGapMs: this.#maxGapMs,
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
