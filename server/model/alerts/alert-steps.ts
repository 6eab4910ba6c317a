import type { Subject } from '../../signals/reading.js';
import type { Alert, Transition } from './alert.js';
import { advance, type Level } from './course.js';
import { dampedKeepMs, FLAP_WINDOW_MS } from './damping.js';
import type { AlertRule } from './rule.js';

/** A gap between looks that still counts as looking: some intervals of the poller. */
const LEAST_GAP_MS = 15_000;
const GAP_INTERVALS = 4;
/** Subjects that fired lately are remembered at most so many, the latest. */
const MOST_FLAPPERS = 10_000;

type StepKind = Transition['kind'] | null;
type Begun = Omit<
  Alert,
  | keyof ReturnType<typeof blank>
  | 'id'
  | 'ruleId'
  | 'ruleName'
  | 'subject'
  | 'runbookUrl'
  | 'state'
  | 'sinceMs'
>;

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

  /** A breach where there was no alert. */
  start(rule: AlertRule, subject: Subject, facts: Begun): Alert {
    const course = advance(null, 'breach', this.#timing(rule, facts.key), this.#nowMs);
    if (course === null) throw new Error('a breach always begins an alert');
    const { id, name, runbookUrl } = rule;
    const alert = {
      ...blank(),
      ...facts,
      ...course,
      id: this.#newId(),
      ruleId: id,
      ruleName: name,
      runbookUrl,
      subject,
    };
    if (alert.state === 'firing') this.#fired(alert.key);
    return alert;
  }

  /**
   * One look at an alert. `kind` null: nothing but its numbers changed.
   * @param isMeasured `level` is from a number that was read now, which counts also while a console warms up; what is
   * clear only because nothing was seen of it does not.
   */
  step(
    alert: Alert,
    level: Level,
    rule: AlertRule,
    isMeasured: boolean,
  ): { readonly kind: StepKind; readonly alert: Alert } {
    const known = level === 'clear' && !isMeasured && this.#isWarmingUp(alert) ? 'unknown' : level;
    const course = advance(alert, known, this.#timing(rule, alert.key), this.#nowMs);
    if (course === null) return { kind: 'dropped', alert };
    const now: Alert = { ...alert, ...course };
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
    const keep = dampedKeepMs(keepFiringMs, this.#firings.get(key) ?? [], this.#nowMs);
    return { forMs, keepFiringMs: keep, mostGapMs: this.#mostGapMs };
  }

  #fired(key: string): void {
    const lately = (this.#firings.get(key) ?? []).filter((atMs) => atMs > this.#nowMs - FLAP_WINDOW_MS);
    // Last written is last in order, so that the oldest are found at the front.
    this.#firings.delete(key);
    this.#firings.set(key, [...lately, this.#nowMs].slice(-20));
    if (this.#firings.size <= MOST_FLAPPERS) return;
    const [oldest] = this.#firings.keys();
    if (oldest !== undefined) this.#firings.delete(oldest);
  }
}

function blank() {
  return {
    heldMs: 0,
    clearMs: 0,
    firedAtMs: null,
    resolvedAtMs: null,
    seenAtMs: 0,
    seen: 'breach' as const,
    inhibitedBy: null,
    acknowledged: null,
    told: null,
  };
}
