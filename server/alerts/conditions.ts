import { compareSeverity } from '../findings/track.js';
import type { Alert } from '../model/alert.js';
import type { Finding, Severity } from '../model/finding.js';
import type { Level } from '../model/lifecycle.js';
import { globMatcher } from '../model/text.js';
import { signalNamed } from '../signals/index.js';
import type { Signal, SignalSubject } from '../signals/signal.js';
import { whenUnknown } from './alert-steps.js';
import { forgetful, Habit, Past, type WatchedCondition } from './gauge.js';
import type { GaugeColumn, WatchedSubject } from './readings.js';
import type { AlertRule, ConditionOf, SignalCondition } from './rule.js';

/** A rule as it is judged, with its alerts that are not over by subject or, over findings, by key of the finding. */
export interface JudgedRule {
  readonly rule: AlertRule;
  readonly active: Map<string, Alert>;
}
export interface JudgedSignalRule extends JudgedRule {
  readonly watching: WatchedCondition;
  readonly scope: Signal['scope'];
  readonly isMeant: (subject: SignalSubject) => boolean;
  /** Rows of those of `from` that the rule is about: each is matched once, when it is first seen. */
  readonly meant: { from: readonly WatchedSubject[]; count: number; rows: number[] };
}
export interface JudgedFindingRule extends JudgedRule {
  readonly matches: (finding: Finding) => boolean;
}

/** @returns null: it can't be judged by a signal. */
export function signalRuleOf(rule: AlertRule): JudgedSignalRule | null {
  const { condition } = rule;
  const signal = condition.kind === 'finding' ? null : signalNamed(condition.signal);
  if (condition.kind === 'finding' || signal === null) return null;
  const [isQueue, isType] = [globMatcher(rule.scope.queue), globMatcher(rule.scope.type)];
  return {
    rule,
    active: new Map(),
    watching: watchCondition(condition),
    scope: signal.scope,
    isMeant: (subject) =>
      scopeOf(subject) === signal.scope &&
      (subject.queue === null || isQueue(subject.queue)) &&
      (subject.type === null || isType(subject.type)),
    meant: { from: [], count: 0, rows: [] },
  };
}

function scopeOf({ node, queue, type }: SignalSubject): Signal['scope'] {
  if (type !== null) return 'job-type';
  if (queue !== null) return 'queue';
  return node === null ? 'instance' : 'node';
}

/** Rows of those that a rule is about. */
export function meantOf(
  { meant, isMeant }: JudgedSignalRule,
  all: readonly WatchedSubject[],
): readonly number[] {
  if (meant.from !== all) Object.assign(meant, { from: all, count: 0, rows: [] });
  for (const { row, subject } of all.slice(meant.count)) if (isMeant(subject)) meant.rows.push(row);
  meant.count = all.length;
  return meant.rows;
}

/** @returns null: it is over a signal. */
export function findingRuleOf(rule: AlertRule): JudgedFindingRule | null {
  const { condition } = rule;
  if (condition.kind !== 'finding') return null;
  return { rule, active: new Map(), matches: findingMatcher(rule, condition) };
}

/** Test of whether a rule is about a finding: its code, its severity, and whom it is about. */
function findingMatcher(
  { scope }: AlertRule,
  { code, leastSeverity }: ConditionOf<'finding'>,
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

/** Distance of a signal from its own mean, in its own mean deviations; both forget over the window. */
function watchBaseline(condition: ConditionOf<'baseline'>): WatchedCondition {
  const { signal, is, deviations, clearDeviations, windowSeconds } = condition;
  const sign = is === 'below' ? -1 : 1;
  return {
    gauge: {
      key: `${signal}|baseline|${is}|${windowSeconds}`,
      signal,
      second: null,
      remember: () => {
        const baseline = new Habit(windowSeconds * 1000);
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

/** Room above the threshold by which a forecast is over, as forecasts are restless. */
const CLEAR_TIMES = 1.25;

/** Seconds until a signal reaches a level at its present trend; Infinity: it does not get there; 0: it is there. */
function watchPredicted(condition: ConditionOf<'predicted'>): WatchedCondition {
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
function watchRate(condition: ConditionOf<'rate-of-change'>): WatchedCondition {
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
function watchAbsent({ signal, whileSignal, whileAbove }: ConditionOf<'absent'>): WatchedCondition {
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
function watchShare({ signal, aboveRatio, clearRatio }: ConditionOf<'share-of-limit'>): WatchedCondition {
  return {
    gauge: { key: `${signal}|share`, signal, second: null, remember: share },
    is: 'above',
    threshold: aboveRatio,
    clear: clearRatio ?? aboveRatio,
    whenUnknown: 'hold',
  };
}

/** A signal beyond a number. */
function watchCompare({ signal, is, threshold, clear }: ConditionOf<'compare'>): WatchedCondition {
  return {
    gauge: { key: signal, signal, second: null, remember: null },
    is,
    threshold,
    clear: clear ?? threshold,
    whenUnknown: whenUnknown(signal),
  };
}

/** What a condition over signals watches. A new kind is a function beside the others and a line here. */
export function watchCondition(condition: SignalCondition): WatchedCondition {
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

/** Can any number of a column be beyond the threshold? */
export function mayBreach({ is, threshold }: WatchedCondition, { lowest, highest }: GaugeColumn): boolean {
  return is === 'above' ? highest > threshold : lowest < threshold;
}

/** What a number says. */
export function levelOf({ is, threshold, clear, whenUnknown }: WatchedCondition, value: number): Level {
  if (Number.isNaN(value)) return whenUnknown === 'clear' ? 'clear' : 'unknown';
  if (is === 'above') return value > threshold ? 'breach' : value <= clear ? 'clear' : 'held';
  return value < threshold ? 'breach' : value >= clear ? 'clear' : 'held';
}
