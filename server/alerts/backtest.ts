import { z } from 'zod';
import { OTHER_TYPES } from '../../agent/protocol.js';
import type { HistoryLog, HistoryPoints } from '../history/history-log.js';
import { SubjectSchema } from '../model/alert.js';
import { formatDuration, formatThings } from '../model/format.js';
import { type ModelOf, TimeSchema } from '../model/json.js';
import type { Lifecycle } from '../model/lifecycle.js';
import { globMatcher } from '../model/text.js';
import { firstOf } from '../model/words.js';
import { signalNamed } from '../signals/index.js';
import { KEPT_SIGNALS } from '../signals/kept-signals.js';
import type { SeriesRef, SignalSubject } from '../signals/signal.js';
import { transition } from '../timeline/lifecycle.js';
import type { Watch } from '../watch/watch.js';
import { dampedKeepMs } from './alert-steps.js';
import { levelOf, watchCondition } from './conditions.js';
import { Judge } from './judge.js';
import type { AlertRule, SignalCondition } from './rule.js';

/** One series of the past at even steps. */
interface Recorded {
  readonly atMs: readonly number[];
  /** null: a gap, or there was nothing to measure. */
  readonly values: readonly (number | null)[];
  /** Whether the console ran and saw the instance at all: what was not looked at is no evidence. */
  readonly isSeen: readonly boolean[];
  /** Of the condition's second signal at the same times; null: it has none. */
  readonly second: readonly (number | null)[] | null;
  readonly stepMs: number;
  /** NaN: not known. */
  readonly limitBytes: number;
}

interface WouldHaveFired {
  readonly firedAtMs: number;
  /** null: it would fire still. */
  readonly resolvedAtMs: number | null;
}

/** Steps that may be missing between two points before time stops counting. */
const GAP_STEPS = 2.5;

/**
 * When a rule would have fired for one series of the past, by the same life by which it is judged now. What a step
 * says holds from its beginning to its end, as ticks would have found it.
 */
function backtest(
  rule: AlertRule & { readonly condition: SignalCondition },
  { atMs, values, isSeen, second, stepMs, limitBytes }: Recorded,
): readonly WouldHaveFired[] {
  const watching = watchCondition(rule.condition);
  const memory = watching.gauge.remember?.() ?? null;
  const fired: WouldHaveFired[] = [];
  let life: Lifecycle | null = null;
  atMs.forEach((nowMs, i) => {
    const value = values[i] ?? Number.NaN;
    const beside = { limitBytes, second: second?.[i] ?? Number.NaN };
    const number = memory ? memory.next(value, nowMs, beside) : value;
    const keepFiringMs = dampedKeepMs(
      rule.keepFiringMs,
      fired.map(({ firedAtMs }) => firedAtMs),
      nowMs,
    );
    const timing = { forMs: rule.forMs, keepFiringMs, maxGapMs: stepMs * GAP_STEPS };
    // Not seen: nothing is known, whatever the signal says elsewhere by being unknown.
    const isUnknown = isSeen[i] !== true || (Number.isNaN(value) && watching.whenUnknown === 'hold');
    const level = isUnknown ? 'unknown' : levelOf(watching, number);
    for (const [lookMs, atEdgeMs] of [
      [nowMs, nowMs],
      [nowMs + stepMs - 1, nowMs + stepMs],
    ] as const) {
      const next: Lifecycle | null = transition(life, level, timing, lookMs);
      if (next?.state === 'firing' && life?.state !== 'firing')
        fired.push({ firedAtMs: atEdgeMs, resolvedAtMs: null });
      if (next?.state === 'resolved') {
        const last = fired.pop();
        if (last) fired.push({ ...last, resolvedAtMs: atEdgeMs });
        life = null;
        break;
      }
      life = next;
    }
  });
  return fired;
}

const DAY_MS = 24 * 3_600_000;
/** A minute a point: as finely as a day can be asked for without reading all of it. */
const MAX_POINTS = 1_440;
/** More series than this take longer than anybody waits for a preview. */
const MAX_SERIES = 300;
/** Names among which those are found that the rule is about: more than history keeps of any scope. */
const MAX_LOOKED_AT = 20_000;
const MAX_SHOWN = 100;
const KEPT_NAMES: ReadonlySet<string> = new Set(KEPT_SIGNALS.map(({ name }) => name));

/** What a rule would have done over the last day. Lists hold at most 100. */
export const RuleTestFacts = z.object({
  isTested: z.boolean(),
  why: z.string().nullable().describe('Why it was not tested against the past'),
  from: TimeSchema,
  to: TimeSchema,
  times: z.number(),
  seriesTested: z.number(),
  isPartial: z.boolean().describe('More series match than were tested'),
  unseenSeconds: z
    .number()
    .describe(
      'Of the day, for how long the console did not run or did not see what the rule is about: not counted',
    ),
  firings: z
    .array(z.object({ subject: SubjectSchema, firedAt: TimeSchema, resolvedAt: TimeSchema.nullable() }))
    .describe('Latest first, at most 100; resolvedAt null: it would fire still'),
  holdsNowCount: z.number(),
  holdsNow: z.array(SubjectSchema).describe('For whom its condition holds at this moment, at most 100'),
});
export type RuleTest = ModelOf<typeof RuleTestFacts>;

/** What a rule would have done over the last day, and for whom it holds now. Changes nothing. */
export async function testRule(
  rule: AlertRule,
  {
    watch,
    history,
    nowMs,
  }: {
    readonly watch: Pick<Watch, 'snapshots' | 'findings'>;
    readonly history: HistoryLog | null;
    readonly nowMs: number;
  },
): Promise<RuleTest> {
  const now = subjectsNow(rule, watch, nowMs);
  const result: RuleTest = {
    isTested: false,
    why: null,
    fromMs: nowMs - DAY_MS,
    toMs: nowMs,
    times: 0,
    firings: [],
    seriesTested: 0,
    isPartial: false,
    unseenSeconds: 0,
    holdsNow: now.slice(0, MAX_SHOWN),
    holdsNowCount: now.length,
  };
  if (!isOverSignal(rule))
    return { ...result, why: 'findings are not kept as history, so only the present can be tested' };
  if (history === null)
    return { ...result, why: 'this console keeps no history, so only the present can be tested' };
  const notKept = notKeptOf(rule);
  if (notKept !== null)
    return { ...result, why: `${notKept} is not kept in history, so only the present can be tested` };
  const refs = await history.series({
    signal: rule.condition.signal,
    sinceMs: nowMs - DAY_MS,
    limit: MAX_LOOKED_AT,
  });
  const meant = refs.filter(matcherOf(rule));
  const sights = await sightsOf(rule, meant, { watch, history, nowMs });
  const firings: (WouldHaveFired & { readonly subject: SignalSubject })[] = [];
  for (const series of meant.slice(0, MAX_SERIES)) {
    const sight = sights.get(series.instance);
    if (sight) firings.push(...(await backtestOf(rule, series, sight, { watch, history, nowMs })));
  }
  return {
    ...result,
    isTested: true,
    times: firings.length,
    firings: firstOf(firings, MAX_SHOWN, (a, b) => b.firedAtMs - a.firedAtMs),
    seriesTested: Math.min(meant.length, MAX_SERIES),
    isPartial: meant.length > MAX_SERIES || refs.length >= MAX_LOOKED_AT,
    unseenSeconds: Math.max(0, ...[...sights.values()].map(({ unseenMs }) => unseenMs)) / 1000,
  };
}

type OverSignal = AlertRule & { readonly condition: SignalCondition };
function isOverSignal(rule: AlertRule): rule is OverSignal {
  return rule.condition.kind !== 'finding';
}

/** The first signal of a rule that history leaves out; null: it keeps all. */
function notKeptOf({ condition }: OverSignal): string | null {
  const asked = [condition.signal, condition.kind === 'absent' ? condition.whileSignal : null];
  return asked.find((name) => name !== null && !KEPT_NAMES.has(name)) ?? null;
}

interface Past {
  readonly watch: Pick<Watch, 'snapshots'>;
  readonly history: HistoryLog;
  readonly nowMs: number;
}

/** What the console saw of an instance, a minute a point. */
interface DaySight {
  readonly isSeenAt: ReadonlySet<number>;
  readonly unseenMs: number;
}

/** Of each instance that these series are of, or that the rule is about. */
async function sightsOf(
  rule: OverSignal,
  series: readonly SeriesRef[],
  { watch, history, nowMs }: Past,
): Promise<ReadonlyMap<string, DaySight>> {
  const isMeant = globMatcher(rule.scope.instance);
  const configured = watch.snapshots().map(({ instance }) => instance);
  const instances = new Set([...configured.filter(isMeant), ...series.map(({ instance }) => instance)]);
  // What is about the instance is known also while nothing else is.
  const isOfBlind = signalNamed(rule.condition.signal)?.scope === 'instance';
  const sights = new Map<string, DaySight>();
  for (const instance of instances) {
    const up = { signal: 'redis_up', instance, node: null, queue: null, type: null };
    const { atMs, mean, stepMs } = await history.read({ series: up, ...dayTo(nowMs) });
    const seen = atMs.filter((_, i) => {
      const value = mean[i] ?? null;
      return value !== null && (isOfBlind || value > 0);
    });
    sights.set(instance, {
      isSeenAt: new Set(seen),
      unseenMs: (atMs.length - seen.length) * stepMs,
    });
  }
  return sights;
}

function dayTo(nowMs: number) {
  return { fromMs: nowMs - DAY_MS, toMs: nowMs, maxPoints: MAX_POINTS };
}

async function backtestOf(
  rule: OverSignal,
  series: SeriesRef,
  { isSeenAt }: DaySight,
  { watch, history, nowMs }: Past,
) {
  const range = dayTo(nowMs);
  const own = await history.read({ series, ...range });
  const whileSignal = rule.condition.kind === 'absent' ? rule.condition.whileSignal : null;
  const beside =
    whileSignal === null
      ? null
      : await history.read({ series: { ...series, signal: whileSignal }, ...range });
  const byTime = new Map(beside?.atMs.map((atMs, i) => [atMs, beside.mean[i] ?? null]));
  const { instance, node, queue, type } = series;
  return backtest(rule, {
    atMs: own.atMs,
    values: comparedOf(rule, own),
    isSeen: own.atMs.map((atMs) => isSeenAt.has(atMs)),
    second: beside === null ? null : own.atMs.map((atMs) => byTime.get(atMs) ?? null),
    stepMs: own.stepMs,
    limitBytes: limitOf(series, watch),
  }).map((fired) => ({ ...fired, subject: { instance, node, queue, type } }));
}

/** Without a `for` the worst tick of a minute counts, and not what the minute was on the whole. */
function comparedOf({ condition, forMs }: OverSignal, own: HistoryPoints): readonly (number | null)[] {
  if (forMs > 0) return own.mean;
  if (condition.kind === 'share-of-limit') return own.max;
  if (condition.kind === 'compare') return condition.is === 'above' ? own.max : own.min;
  return own.mean;
}

/** The limit of today is taken for that of the whole day. */
function limitOf({ instance, node }: SignalSubject, watch: Pick<Watch, 'snapshots'>): number {
  const nodes = watch.snapshots().find((one) => one.instance === instance)?.nodes ?? [];
  const own = nodes.find(({ address }) => address === node)?.limit?.bytes;
  const smallest = Math.min(...nodes.map(({ limit }) => limit?.bytes ?? Number.POSITIVE_INFINITY));
  return own ?? (Number.isFinite(smallest) ? smallest : Number.NaN);
}

function matcherOf({ scope }: AlertRule): (subject: SignalSubject) => boolean {
  const isInstance = globMatcher(scope.instance);
  const isQueue = globMatcher(scope.queue);
  const isType = globMatcher(scope.type);
  return ({ instance, queue, type }) =>
    type !== OTHER_TYPES &&
    isInstance(instance) &&
    (queue === null || isQueue(queue)) &&
    (type === null || isType(type));
}

/** For whom the condition holds at this moment, whatever its `for`. Trends and habits are not known from one look. */
function subjectsNow(
  rule: AlertRule,
  watch: Pick<Watch, 'snapshots' | 'findings'>,
  nowMs: number,
): readonly SignalSubject[] {
  return watch.snapshots().flatMap((snapshot) => {
    const judge = new Judge({ instance: snapshot.instance, newId: () => 'now' });
    judge.setRules([{ ...rule, isEnabled: true }]);
    return judge.evaluate(snapshot, watch.findings(), nowMs).map(({ alert }) => alert.subject);
  });
}

/** A restart is not worth a word. */
const MIN_SHOWN_UNSEEN_SECONDS = 5 * 60;

/** What a rule would have done, in one line. */
export function testSummary(test: RuleTest): string {
  const { isTested, why, times, firings, holdsNowCount, isPartial, unseenSeconds } = test;
  const now = holdsNowCount === 0 ? 'it holds for none now' : `it holds for ${holdsNowCount} now`;
  if (!isTested) return `${why ?? 'not tested'}; ${now}`;
  const whom = new Set(firings.map(({ subject }) => JSON.stringify(subject))).size;
  const past =
    times === 0
      ? 'would not have fired in the last day'
      : `would have fired ${formatThings(times, 'time')} for ${formatThings(whom, 'subject')} in the last day`;
  const unseen =
    unseenSeconds < MIN_SHOWN_UNSEEN_SECONDS
      ? ''
      : `, of which ${formatDuration(unseenSeconds)} was not seen and is not counted`;
  return `${past}${isPartial ? ' (of those that were tested)' : ''}${unseen}; ${now}`;
}
