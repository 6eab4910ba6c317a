import { Judge } from '../model/alerts/judge.js';
import { rehearse, type WouldHaveFired } from '../model/alerts/rehearse.js';
import type { AlertRule, SignalCondition } from '../model/alerts/rule.js';
import { firstOf } from '../model/first-of.js';
import { globMatcher } from '../model/glob.js';
import type { SeriesRef, Subject } from '../signals/reading.js';
import type { HistoryLog } from '../store/history/history-log.js';
import type { Watch } from '../watch/watch.js';

const DAY_MS = 24 * 3_600_000;
/** A minute a point: as finely as a day can be asked for without reading all of it. */
const MOST_POINTS = 1_440;
/** More series than this take longer than anybody waits for a preview. */
const MOST_SERIES = 300;
const MOST_TOLD = 100;

export interface RuleTest {
  /** false: it can't be held against the past; `why` says so. */
  readonly isTested: boolean;
  readonly why: string | null;
  readonly fromMs: number;
  readonly toMs: number;
  readonly times: number;
  /** Latest first, at most 100. */
  readonly firings: readonly (WouldHaveFired & { readonly subject: Subject })[];
  readonly seriesTested: number;
  /** More series match than were tested. */
  readonly isPartial: boolean;
  /** Subjects for which its condition holds at this moment, at most 100. */
  readonly holdsNow: readonly Subject[];
  readonly holdsNowCount: number;
}

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
    holdsNow: now.slice(0, MOST_TOLD),
    holdsNowCount: now.length,
  };
  if (!isOverSignal(rule))
    return { ...result, why: 'findings are not kept as history, so only the present can be tested' };
  if (history === null)
    return { ...result, why: 'this console keeps no history, so only the present can be tested' };
  const refs = await history.series({
    signal: rule.condition.signal,
    sinceMs: nowMs - DAY_MS,
    limit: MOST_SERIES * 10,
  });
  const meant = refs.filter(matcherOf(rule));
  const firings: (WouldHaveFired & { readonly subject: Subject })[] = [];
  for (const series of meant.slice(0, MOST_SERIES))
    firings.push(...(await rehearsedOf(rule, series, history, watch, nowMs)));
  return {
    ...result,
    isTested: true,
    times: firings.length,
    firings: firstOf(firings, MOST_TOLD, (a, b) => b.firedAtMs - a.firedAtMs),
    seriesTested: Math.min(meant.length, MOST_SERIES),
    isPartial: meant.length > MOST_SERIES || refs.length >= MOST_SERIES * 10,
  };
}

type OverSignal = AlertRule & { readonly condition: SignalCondition };
function isOverSignal(rule: AlertRule): rule is OverSignal {
  return rule.condition.kind !== 'finding';
}

async function rehearsedOf(
  rule: OverSignal,
  series: SeriesRef,
  history: HistoryLog,
  watch: Pick<Watch, 'snapshots'>,
  nowMs: number,
) {
  const range = { fromMs: nowMs - DAY_MS, toMs: nowMs, maxPoints: MOST_POINTS };
  const own = await history.read({ series, ...range });
  const whileSignal = rule.condition.kind === 'absent' ? rule.condition.whileSignal : null;
  const beside =
    whileSignal === null
      ? null
      : await history.read({ series: { ...series, signal: whileSignal }, ...range });
  const byTime = new Map(beside?.atMs.map((atMs, i) => [atMs, beside.mean[i] ?? null]));
  const { instance, node, queue, type } = series;
  return rehearse(rule, {
    atMs: own.atMs,
    values: own.mean,
    second: beside === null ? null : own.atMs.map((atMs) => byTime.get(atMs) ?? null),
    stepMs: own.stepMs,
    limitBytes: limitOf(series, watch),
  }).map((fired) => ({ ...fired, subject: { instance, node, queue, type } }));
}

/** The limit of today is taken for that of the whole day. */
function limitOf({ instance, node }: Subject, watch: Pick<Watch, 'snapshots'>): number {
  const nodes = watch.snapshots().find((one) => one.instance === instance)?.nodes ?? [];
  const own = nodes.find(({ address }) => address === node)?.limit?.bytes;
  const smallest = Math.min(...nodes.map(({ limit }) => limit?.bytes ?? Number.POSITIVE_INFINITY));
  return own ?? (Number.isFinite(smallest) ? smallest : Number.NaN);
}

function matcherOf({ scope }: AlertRule): (subject: Subject) => boolean {
  const isInstance = globMatcher(scope.instance);
  const isQueue = globMatcher(scope.queue);
  const isType = globMatcher(scope.type);
  return ({ instance, queue, type }) =>
    isInstance(instance) && (queue === null || isQueue(queue)) && (type === null || isType(type));
}

/** For whom the condition holds at this moment, whatever its patience. Trends and habits are not known from one look. */
function subjectsNow(
  rule: AlertRule,
  watch: Pick<Watch, 'snapshots' | 'findings'>,
  nowMs: number,
): readonly Subject[] {
  return watch.snapshots().flatMap((snapshot) => {
    const judge = new Judge({ instance: snapshot.instance, newId: () => 'now' });
    judge.setRules([{ ...rule, isEnabled: true }]);
    return judge.evaluate(snapshot, watch.findings(), nowMs).map(({ alert }) => alert.subject);
  });
}
