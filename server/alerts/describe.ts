import type { Finding } from '../model/finding.js';
import { formatDuration, formatNumber, formatRatio, formatThings, formatValue } from '../model/format.js';
import type { TimelineEntry } from '../model/timeline-entry.js';
import { signalNamed } from '../signals/index.js';
import type { Signal, SignalSubject } from '../signals/signal.js';
import type { Alert, Transition } from './alert.js';
import type { AlertRule, Condition, SignalCondition } from './rule.js';

/** Longer names are cut in sentences: messages have to be short. */
const MAX_CHARS = 60;

/** Whom an alert is about, as people say it: `track of monitors`, `mail`, `10.0.0.1:6379`. */
export function subjectName({ instance, node, queue, type }: SignalSubject): string {
  if (type !== null) return `${cut(type)} of ${queueLabel(queue ?? '')}`;
  if (queue !== null) return queueLabel(queue);
  return node === null ? `Redis ${instance}` : `Redis ${instance} (${node})`;
}

/** What is wrong by a default rule that stands for several kinds of finding, by the finding's code. */
const KINDS: Readonly<Record<string, string>> = {
  'worker.crashed': 'Workers are gone',
  'worker.stuck': 'Workers are stuck',
  'worker.silent': 'Workers are silent',
  'worker.outlier': 'A worker drags the rest',
  'worker.blocked': 'Workers are refused by a full Redis',
};

/** Name of the default rule over all that is wrong with workers. */
export const WORKERS_RULE_NAME = 'Workers are in trouble';

/** What an alert is called: its rule's name, or the kind of trouble where the rule has the default's name for all kinds. */
export function alertTitle({ ruleName, cause }: Pick<Alert, 'ruleName' | 'cause'>): string {
  return (ruleName === WORKERS_RULE_NAME && KINDS[cause]) || ruleName;
}

/** The first remedy of a finding and what it does; null: none is known. */
export function remedyText(finding: Finding | null): string | null {
  const [remedy] = finding?.remedies ?? [];
  return remedy ? `${remedy.label}: ${remedy.effect}` : null;
}

/** A queue's id without the usual prefix. */
function queueLabel(id: string): string {
  return cut(id.startsWith('bull:') ? id.slice('bull:'.length) : id);
}

function cut(text: string): string {
  const line = text.toWellFormed().replace(/\p{Cc}+/gu, ' ');
  return line.length > MAX_CHARS ? `${line.slice(0, MAX_CHARS - 1)}…` : line;
}

/** The number that a condition compares, as text with its unit. */
export function formatMeasure(condition: SignalCondition, value: number): string {
  const unit = signalNamed(condition.signal)?.unit;
  switch (condition.kind) {
    case 'compare':
      return formatSignal(unit, value);
    case 'share-of-limit':
      return `${formatRatio(value)} of the memory limit`;
    case 'rate-of-change':
      return unit === 'bytes'
        ? formatValue(value, 'bytes/s')
        : `${formatNumber(value)} ${unit ?? ''} a second`;
    case 'predicted':
      return value === Number.POSITIVE_INFINITY ? 'not in sight' : `in ${formatDuration(value)}`;
    case 'absent':
      return 'none';
    case 'baseline':
      return `${formatNumber(value)} times its usual deviation`;
  }
}

function formatSignal(unit: Signal['unit'] | undefined, value: number): string {
  if (unit === 'bool') return value === 0 ? 'no' : 'yes';
  if (unit === undefined) return formatNumber(value);
  return value === Number.POSITIVE_INFINITY && unit !== 'seconds' ? 'without end' : formatValue(value, unit);
}

/** Signals whose name says little by itself. */
const WORDS: Readonly<Record<string, string>> = {
  redis_counted_bytes: 'redis memory',
  redis_used_ratio: 'redis share of the limit',
  redis_full_in_seconds: 'redis time until full',
};

/** What a condition is about: the signal's name as words, without its unit, which stands with the number. */
function measureName(signal: string): string {
  return WORDS[signal] ?? signal.replace(/_(bytes|seconds|jobs)$/, '').replaceAll('_', ' ');
}

/** The same where the subject follows, which says whether it is a Redis, a queue or a job type. */
function measureOf(signal: string): string {
  return measureName(signal).replace(/^(redis|queue|job type) /, '');
}

/** What is wrong, in one sentence with its numbers. */
export function describeBreach(rule: AlertRule, subject: SignalSubject, value: number | null): string {
  const { condition } = rule;
  const who = subjectName(subject);
  if (condition.kind === 'finding') return `${rule.name}: ${who}.`;
  const now = value === null ? 'not known' : formatMeasure(condition, value);
  const what = measureOf(condition.signal);
  switch (condition.kind) {
    case 'compare':
      return `${rule.name}: ${what} of ${who} is ${now}, ${condition.is} ${formatMeasure(condition, condition.threshold)}.`;
    case 'share-of-limit':
      return `${rule.name}: ${what} of ${who} is ${now}, above ${formatRatio(condition.aboveRatio)}.`;
    case 'rate-of-change':
      return `${rule.name}: ${what} of ${who} changes by ${now} over ${formatDuration(condition.windowSeconds)}, ${condition.is} ${formatMeasure(condition, condition.perSecond)}.`;
    case 'predicted':
      return `${rule.name}: ${what} of ${who} reaches ${reached(condition)} ${now} at its present trend.`;
    case 'absent':
      return `${rule.name}: there is no ${what} of ${who}${condition.whileSignal === null ? '' : ` while ${measureName(condition.whileSignal)} is above ${formatNumber(condition.whileAbove)}`}.`;
    case 'baseline':
      return `${rule.name}: ${what} of ${who} is ${now} ${condition.is === 'off' ? 'off' : condition.is} what it usually is.`;
  }
}

function reached(condition: Extract<SignalCondition, { kind: 'predicted' }>): string {
  return condition.reaches === 'limit'
    ? 'the memory limit'
    : formatValue(condition.reaches, formatUnit(signalNamed(condition.signal)?.unit));
}

function formatUnit(unit: Signal['unit'] | undefined) {
  return unit === 'bool' ? undefined : unit;
}

/** A condition in a few words, for lists of rules. */
export function describeCondition(condition: Condition): string {
  if (condition.kind === 'finding')
    return `finding ${condition.code}, at least ${condition.leastSeverity === 'info' ? 'a note' : condition.leastSeverity}`;
  const what = measureName(condition.signal);
  switch (condition.kind) {
    case 'compare':
      return `${what} ${condition.is} ${formatMeasure(condition, condition.threshold)}`;
    case 'share-of-limit':
      return `${what} above ${formatRatio(condition.aboveRatio)} of the memory limit`;
    case 'rate-of-change':
      return `${what} changes by ${condition.is} ${formatMeasure(condition, condition.perSecond)}`;
    case 'predicted':
      return `${what} reaches ${reached(condition)} within ${formatDuration(condition.withinSeconds)}`;
    case 'absent':
      return `no ${what}${condition.whileSignal === null ? '' : ` while ${measureName(condition.whileSignal)} above ${formatNumber(condition.whileAbove)}`}`;
    case 'baseline':
      return `${what} ${formatNumber(condition.deviations)} deviations ${condition.is === 'off' ? 'off' : condition.is} its usual`;
  }
}

/** From so many alerts of one rule in one tick on the timeline has their number and not each. */
const MIN_TOGETHER = 6;

/** What the timeline says of a tick: what fired and what is over. What never fired is left out. */
export function transitionEntries(
  transitions: readonly Transition[],
  nowMs: number,
): readonly Omit<TimelineEntry, 'id'>[] {
  const groups = new Map<string, Transition[]>();
  for (const transition of transitions) {
    const { kind, alert } = transition;
    if (kind !== 'firing' && kind !== 'resolved') continue;
    const key = JSON.stringify([kind, alert.ruleId, alert.subject.instance]);
    groups.set(key, [...(groups.get(key) ?? []), transition]);
  }
  return [...groups.values()].flatMap((group) =>
    group.length < MIN_TOGETHER ? group.map((one) => entryOf(one, nowMs)) : [together(group, nowMs)],
  );
}

function entryOf({ kind, alert }: Transition, atMs: number): Omit<TimelineEntry, 'id'> {
  const { subject, summary, severity, firedAtMs, inhibitedBy } = alert;
  const why =
    inhibitedBy === null ? '' : ` It follows from "${inhibitedBy}", so nobody is notified of it by itself.`;
  const lasted = firedAtMs === null ? '' : ` after ${formatDuration((atMs - firedAtMs) / 1000)}`;
  return {
    atMs,
    instance: subject.instance,
    kind: kind === 'firing' ? 'alert.firing' : 'alert.resolved',
    queue: subject.queue,
    worker: null,
    ref: alert.id,
    ...severityOf(kind, alert),
    text:
      kind === 'firing'
        ? `Alert "${alertTitle(alert)}" fires (${severity}): ${summary}${why}`
        : `Alert "${alertTitle(alert)}" about ${subjectName(subject)} is over${lasted}.`,
  };
}

/** What follows from another is kept and not marked: the other is. */
function severityOf(
  kind: Transition['kind'],
  { severity, inhibitedBy }: Alert,
): Pick<TimelineEntry, 'severity'> {
  return kind === 'firing' ? { severity: inhibitedBy === null ? severity : 'info' } : {};
}

function together(group: readonly Transition[], atMs: number): Omit<TimelineEntry, 'id'> {
  const [first] = group;
  if (!first) throw new Error('a group holds at least one');
  const { kind, alert } = first;
  const names = group.slice(0, 3).map((one) => subjectName(one.alert.subject));
  const whom = `${formatThings(group.length, 'subject')}, such as ${names.join(', ')}`;
  return {
    atMs,
    instance: alert.subject.instance,
    kind: kind === 'firing' ? 'alert.firing' : 'alert.resolved',
    queue: null,
    worker: null,
    ...severityOf(kind, alert),
    text:
      kind === 'firing'
        ? `Alert "${alert.ruleName}" fires (${alert.severity}) for ${whom}.`
        : `Alert "${alert.ruleName}" is over for ${whom}.`,
  };
}
