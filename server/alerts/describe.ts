import { type Alert, cut, subjectName, type Transition } from '../model/alert.js';
import { type Brief, briefDuration, briefOf, briefRatio, briefValue, headlineOf } from '../model/brief.js';
import type { Finding, Severity } from '../model/finding.js';
import { formatDuration, formatNumber, formatRatio, formatThings, formatValue } from '../model/format.js';
import type { TimelineEntry } from '../model/timeline-entry.js';
import { capitalized } from '../model/words.js';
import { signalNamed } from '../signals/index.js';
import type { Signal, SignalSubject } from '../signals/signal.js';
import type { AlertRule, Condition, SignalCondition } from './rule.js';

/** The first remedy of a finding and what it does; null: none is known. */
export function remedyText(finding: Finding | null): string | null {
  const [remedy] = finding?.remedies ?? [];
  return remedy ? `${remedy.label}: ${remedy.effect}` : null;
}

/** The number that a condition compares, as text with its unit. */
export function formatMeasure(
  condition: SignalCondition,
  value: number,
  format: typeof formatValue = formatValue,
): string {
  const unit = signalNamed(condition.signal)?.unit;
  switch (condition.kind) {
    case 'compare':
      return formatSignal(unit, value, format);
    case 'share-of-limit':
      return `${format(value, 'ratio')} of the memory limit`;
    case 'rate-of-change':
      return unit === 'bytes' ? format(value, 'bytes/s') : `${format(value)} ${unit ?? ''} a second`;
    case 'predicted':
      return value === Number.POSITIVE_INFINITY ? 'not in sight' : `in ${format(value, 'seconds')}`;
    case 'absent':
      return 'none';
    case 'baseline':
      return `${format(value)} times its usual deviation`;
  }
}

function formatSignal(unit: Signal['unit'] | undefined, value: number, format: typeof formatValue): string {
  if (unit === 'bool') return value === 0 ? 'no' : 'yes';
  if (unit === undefined) return format(value);
  return value === Number.POSITIVE_INFINITY && unit !== 'seconds' ? 'without end' : format(value, unit);
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

/** What an alert over a signal says. */
export function breachInWords(
  rule: Pick<AlertRule, 'name' | 'runbookUrl'>,
  condition: SignalCondition,
  subject: SignalSubject,
  value: number | null,
): Brief {
  const who = subjectName(subject);
  return {
    headline: headlineOf(who, `: ${cutName(rule.name)}`),
    cause: `${capitalized(breachOf(condition, value))}.`,
    effect: EFFECTS.find(([signals]) => signals.test(condition.signal))?.[1] ?? UNKNOWN_EFFECT,
    action:
      rule.runbookUrl === null
        ? `Look at ${who} in the console for why.`
        : 'Follow the runbook of this rule.',
  };
}

const MAX_RULE_CHARS = 40;

function cutName(name: string): string {
  const line = cut(name);
  return line.length > MAX_RULE_CHARS ? `${line.slice(0, MAX_RULE_CHARS - 1).toWellFormed()}…` : line;
}

/** What breached the condition: "backlog is 101 jobs, above 100 jobs". */
function breachOf(condition: SignalCondition, value: number | null): string {
  const now = value === null ? 'not known' : formatMeasure(condition, value, briefValue);
  const what = measureOf(condition.signal);
  switch (condition.kind) {
    case 'compare':
      return `${what} is ${now}, ${condition.is} ${formatMeasure(condition, condition.threshold, briefValue)}`;
    case 'share-of-limit':
      return `${what} is ${now}, above ${briefRatio(condition.aboveRatio)}`;
    case 'rate-of-change':
      return `${what} changes by ${now} over ${briefDuration(condition.windowSeconds)}, ${condition.is} ${formatMeasure(condition, condition.perSecond, briefValue)}`;
    case 'predicted':
      return `${what} reaches ${reached(condition)} ${now} at its present trend`;
    case 'absent':
      return `there is no ${what}${condition.whileSignal === null ? '' : ` while ${measureName(condition.whileSignal)} is above ${briefValue(condition.whileAbove)}`}`;
    case 'baseline':
      return `${what} is ${now} ${condition.is === 'off' ? 'off' : condition.is} what it usually is`;
  }
}

/** What a signal that is out of bounds does, as far as its name says it; the first that fits. */
const EFFECTS: readonly (readonly [signals: RegExp, effect: string])[] = [
  [/^redis_up$/, 'Nothing of this Redis is seen, and nothing can be done there from here.'],
  [/evict/, 'Keys vanish, and jobs may be among them.'],
  [/refused|^redis_full$/, 'Writes are rejected: producers fail, and idle workers take no jobs.'],
  [/memory|bytes|used_ratio|full_in/, 'Once Redis is full, writes are rejected and idle workers stop.'],
  [/^redis_/, 'Redis may answer workers and producers late.'],
  [/fail/, 'Jobs fail, and are to retry once it is fixed.'],
  [/worker|slots|heartbeat|loop|event/, 'Fewer jobs are done, or later.'],
  [/silent|departures|completed|processed/, 'Jobs may not be done at all.'],
  [
    /waiting|backlog|oldest|drain|growth|arrivals|delayed|unfinished|run_|waited|active|prioritized|added/,
    'Jobs wait longer than they should.',
  ],
  [/^queues|unread/, 'Some queues may be in no list and no sum.'],
  [/slow_threshold/, 'It decides which runs count as slow.'],
  [/paused|concurrency|rate_limit/, 'Its jobs are held back on purpose, and wait.'],
  [/^agents/, 'Workers are seen less well than before.'],
  [/^console_/, 'The console may see and notify late.'],
];
const UNKNOWN_EFFECT = 'What it does is not known: this rule is over a number alone.';

function reached(condition: Extract<SignalCondition, { kind: 'predicted' }>): string {
  return condition.reaches === 'limit'
    ? 'the memory limit'
    : formatValue(condition.reaches, formatUnit(signalNamed(condition.signal)?.unit));
}

function formatUnit(unit: Signal['unit'] | undefined) {
  return unit === 'bool' ? undefined : unit;
}

/** Families of findings, as people call them. */
const FAMILIES: Readonly<Record<string, string>> = {
  redis: 'Redis',
  queue: 'queue',
  jobtype: 'job type',
  memory: 'memory',
  worker: 'worker',
  host: 'worker host',
  console: 'Spillway',
};
const SIGNS = { above: '>', below: '<', off: '≠' } as const;

/** When a rule fires, in a few words: "queue backlog > 1,000 jobs for 60 s". */
export function ruleInWords({ condition, forMs }: Pick<AlertRule, 'condition' | 'forMs'>): string {
  const holds = forMs === 0 ? 'at once' : `for ${formatDuration(forMs / 1000)}`;
  return `${conditionInWords(condition)} ${holds}`;
}

function conditionInWords(condition: Condition): string {
  if (condition.kind === 'finding') return findingInWords(condition.code, condition.leastSeverity);
  const what = measureName(condition.signal);
  switch (condition.kind) {
    case 'compare':
      return `${what} ${SIGNS[condition.is]} ${formatMeasure(condition, condition.threshold)}`;
    case 'share-of-limit':
      return `${what} > ${formatRatio(condition.aboveRatio)} of the memory limit`;
    case 'rate-of-change':
      return `${what} changes ${SIGNS[condition.is]} ${formatMeasure(condition, condition.perSecond)}`;
    case 'predicted':
      return `${what} reaches ${reached(condition)} within ${formatDuration(condition.withinSeconds)}`;
    case 'absent':
      return `no ${what}${condition.whileSignal === null ? '' : ` while ${measureName(condition.whileSignal)} > ${formatNumber(condition.whileAbove)}`}`;
    case 'baseline':
      return `${what} ${SIGNS[condition.is]} usual by ${formatNumber(condition.deviations)} deviations`;
  }
}

/** "queue: no workers", "any problem of workers"; the severity where not every warning counts. */
function findingInWords(code: string, least: Severity): string {
  const [family = '', ...rest] = code.split('.');
  const about = FAMILIES[family] ?? family;
  const kind = rest.join('.').replaceAll('-', ' ');
  const what = kind === '*' ? `any ${about} problem` : kind === '' ? code : `${about}: ${kind}`;
  return least === 'critical' ? `${what}, critical` : least === 'info' ? `${what}, also as info` : what;
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
  const { subject, headline, ruleName, severity, firedAtMs, inhibitedBy } = alert;
  const why = inhibitedBy === null ? '' : ` It follows from "${inhibitedBy}": nobody is notified of it.`;
  const lasted = firedAtMs === null ? '' : ` after ${briefDuration((atMs - firedAtMs) / 1000)}`;
  return {
    atMs,
    instance: subject.instance,
    kind: kind === 'firing' ? 'alert.firing' : 'alert.resolved',
    queue: subject.queue,
    worker: null,
    ref: alert.id,
    ...severityOf(kind, alert),
    ...(kind === 'firing' ? { brief: briefOf(alert) } : {}),
    text:
      kind === 'firing'
        ? `Alert "${ruleName}" fires (${severity}): ${headline}.${why}`
        : `Alert "${ruleName}" resolved${lasted}: ${headline}.`,
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
        : `Alert "${alert.ruleName}" resolved for ${whom}.`,
  };
}
