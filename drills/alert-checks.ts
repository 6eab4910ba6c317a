import type { z } from '@hono/zod-openapi';
import type { RuleSchema } from '../server/alerts/rule.js';
import type { ApiAlert } from './api.js';

/** What a drill makes happen, and what the console therefore has to notify of: no more and no less. */
export interface AlertTable {
  readonly expected: readonly ExpectedAlert[];
  /** Rules as code beside the default ones, of somebody who knows these queues. */
  readonly rules?: readonly z.input<typeof RuleSchema>[];
  /** What is true as well, and may alert or not: at the edge of a drill's short time. */
  readonly allowed?: readonly AllowedAlert[];
  /** Rule of the alert that is followed until somebody was sent it; none: nobody is. */
  readonly delivered?: string;
}

/** Whom an alert is about. */
interface Whom {
  /** Id of the rule. */
  readonly rule: string;
  /** One that says the same with less: where the console is not sure of the other at every tick. */
  readonly or?: string;
  /** Name of the queue; none: it is about no single one. */
  readonly queue?: string;
  readonly type?: string;
  /** What its headline or cause has to say besides, such as the worker's name. */
  readonly naming?: string | readonly string[];
}

interface ExpectedAlert extends Whom {
  /** Moment of the drill from which on it is so. */
  readonly from: string;
  /** An alert that fires since this earlier moment may go on instead, and say more from then on. */
  readonly orSince?: string;
  /** Until it differs from what is ordinary; the time of its rule comes on top. */
  readonly noticedWithinSeconds: number;
  /** Moment from which on it is no longer so; none: it is so until the drill ends. */
  readonly until?: string;
  /** Nobody promises when it is over: a crash is shown for a while. */
  readonly isOpenEnded?: boolean;
  /** Until its end can be seen; the time for which its rule keeps firing comes on top. */
  readonly overWithinSeconds?: number;
  /** What it is about may end and begin again meanwhile: so often it may fire. Left out: once. */
  readonly atMost?: number;
}

interface AllowedAlert extends Whom {
  /** Why it is no false alarm. */
  readonly because: string;
}

/** An alert from its first sign to its end, as the API reported it. */
export interface SeenAlert {
  /** As it was reported last. */
  readonly alert: ApiAlert;
  /** When it was first seen to fire with nothing that explains it: somebody is notified. null: never. */
  readonly notifiedAtMs: number | null;
  /** All that it has said. */
  readonly sentences: ReadonlySet<string>;
}

/** Rule and whom it is about, in words. */
export function nameOf({ rule, subject: { queue, type } }: Pick<ApiAlert, 'rule' | 'subject'>): string {
  return [rule.id, ...(queue === null ? [] : [queue]), ...(type === null ? [] : [type])].join(' ');
}

/** The same of what a table says. */
function wordsOf({ rule, queue, type, naming = [] }: Whom): string {
  return [rule, queue, type, [naming].flat()[0]].filter((word) => word !== undefined).join(' ');
}

function isAbout({ alert: { rule, subject }, sentences }: SeenAlert, whom: Whom): boolean {
  return (
    (rule.id === whom.rule || rule.id === whom.or) &&
    subject.queue === (whom.queue === undefined ? null : `bull:${whom.queue}`) &&
    subject.type === (whom.type ?? null) &&
    [...sentences].some((sentence) => [whom.naming ?? []].flat().every((word) => sentence.includes(word)))
  );
}

/** One row about the alerts of a drill. */
interface AlertCheck {
  readonly claim: string;
  readonly holds: boolean;
  readonly figures: string;
}

/** How long it must be so, and no longer be so, before a rule fires and is over, as the API has it. */
export interface RuleTimes {
  readonly forSeconds: number;
  readonly keepFiringSeconds: number;
}

export interface AlertTruth {
  readonly table: AlertTable;
  /** When what came true, by its name. */
  readonly momentsMs: ReadonlyMap<string, number>;
  readonly rules: ReadonlyMap<string, RuleTimes>;
  /** Between two looks of the console at everything. */
  readonly evaluationSeconds: number;
  /** How many times longer than promised is waited on a machine that is shared. */
  readonly waitFactor: number;
}

/** The console's clock is this one, but a moment is noted after what it is the moment of. */
const CLOCK_SLACK_SECONDS = 1;
const NO_TIMES: RuleTimes = { forSeconds: 0, keepFiringSeconds: 0 };

/**
 * Holds what alerted against what happened. Pure.
 * @returns a row for each alert that was to come, and one for all that was not.
 */
export function checkAlerts(seen: readonly SeenAlert[], truth: AlertTruth): readonly AlertCheck[] {
  return [
    ...truth.table.expected.flatMap((expected) => checkExpected(seen, expected, truth)),
    checkNothingElse(seen, truth),
  ];
}

/** Is somebody notified, of whom it should be, and of what happened then? */
export function isMeant(one: SeenAlert, expected: ExpectedAlert, truth: AlertTruth): boolean {
  if (one.notifiedAtMs === null || !isAbout(one, expected)) return false;
  const sinceMs = Date.parse(one.alert.since);
  const fromMs = truth.momentsMs.get(expected.orSince ?? expected.from) ?? Number.POSITIVE_INFINITY;
  const untilMs = truth.momentsMs.get(expected.until ?? '') ?? Number.POSITIVE_INFINITY;
  const slackMs = CLOCK_SLACK_SECONDS * truth.waitFactor * 1000;
  return sinceMs >= fromMs - slackMs && sinceMs <= untilMs + slackMs;
}

/** The latest moment at which an alert may fire that is to come; NaN: what it is about has not happened. */
export function dueAtMs(
  { rule, from, noticedWithinSeconds }: ExpectedAlert,
  { momentsMs, rules, evaluationSeconds, waitFactor }: AlertTruth,
): number {
  const { forSeconds } = rules.get(rule) ?? NO_TIMES;
  const seconds = forSeconds + (noticedWithinSeconds + evaluationSeconds) * waitFactor;
  return (momentsMs.get(from) ?? Number.NaN) + seconds * 1000;
}

/** The latest moment at which it may be over; NaN: what it is about goes on. */
export function overAtMs(
  { rule, until, overWithinSeconds = 0 }: ExpectedAlert,
  { momentsMs, rules, evaluationSeconds, waitFactor }: AlertTruth,
): number {
  const { keepFiringSeconds } = rules.get(rule) ?? NO_TIMES;
  const seconds = keepFiringSeconds + (overWithinSeconds + evaluationSeconds) * waitFactor;
  return (until === undefined ? Number.NaN : (momentsMs.get(until) ?? Number.NaN)) + seconds * 1000;
}

function checkExpected(
  seen: readonly SeenAlert[],
  expected: ExpectedAlert,
  truth: AlertTruth,
): readonly AlertCheck[] {
  const { rule, from, until, isOpenEnded = false, atMost = 1 } = expected;
  const words = wordsOf(expected);
  const notified = seen.filter((one) => isMeant(one, expected, truth));
  const [first] = notified;
  const claim = `alert ${words} fires`;
  if (!first) {
    const others = seen.filter(({ alert }) => alert.rule.id === rule).map(describe);
    return [{ claim, holds: false, figures: `it did not; of its rule: ${others.join('; ') || 'none'}` }];
  }
  const fromMs = truth.momentsMs.get(from) ?? Number.NaN;
  const sinceMs = Date.parse(first.alert.since);
  const firedAtMs = Date.parse(first.alert.firedAt ?? '');
  const heldSeconds = (firedAtMs - sinceMs) / 1000;
  const { forSeconds } = truth.rules.get(first.alert.rule.id) ?? NO_TIMES;
  const isInTime =
    firedAtMs <= dueAtMs(expected, truth) &&
    heldSeconds >= forSeconds &&
    heldSeconds <= forSeconds + truth.evaluationSeconds * truth.waitFactor;
  const fired = {
    claim,
    holds: isInTime,
    figures: `noticed ${seconds(sinceMs - fromMs)} after ${from}, held ${heldSeconds.toFixed(1)} s of ${forSeconds} s: ${first.alert.headline}`,
  };
  if (isOpenEnded) return [fired];
  const endsAtMs = notified.map(({ alert }) => Date.parse(alert.resolvedAt ?? ''));
  const isOver =
    until === undefined
      ? Number.isNaN(endsAtMs.at(-1) ?? 0)
      : endsAtMs.every((atMs) => atMs <= overAtMs(expected, truth));
  const untilMs = until === undefined ? Number.NaN : (truth.momentsMs.get(until) ?? Number.NaN);
  const ended = {
    claim:
      until === undefined
        ? `alert ${words} stays`
        : `alert ${words} is over afterwards${atMost === 1 ? ', notified once' : `, notified at most ${atMost} times`}`,
    holds: isOver && notified.length <= atMost * new Set(notified.map(({ alert }) => alert.rule.id)).size,
    figures:
      until === undefined
        ? notified.map(describe).join('; ')
        : `${endsAtMs.map((atMs) => (Number.isNaN(atMs) ? 'not over' : seconds(atMs - untilMs))).join(', ')} after ${until}`,
  };
  return [fired, ended];
}

/** A drill shares its machine with whatever else runs there: that it is short of CPU is true, and not of the drill. */
const OF_THE_MACHINE = ['console-starved', 'host-starved'].map((rule) => ({
  rule,
  because: 'the machine that the drill runs on had no CPU to spare',
}));

function checkNothingElse(seen: readonly SeenAlert[], truth: AlertTruth): AlertCheck {
  const { expected } = truth.table;
  const allowed = [...(truth.table.allowed ?? []), ...OF_THE_MACHINE];
  const explained = seen.filter(({ notifiedAtMs }) => notifiedAtMs === null);
  const others = seen.filter(
    (one) => one.notifiedAtMs !== null && !expected.some((whom) => isMeant(one, whom, truth)),
  );
  const beside = others.filter((one) => allowed.some((whom) => isAbout(one, whom)));
  const wrong = others.filter((one) => !beside.includes(one));
  return {
    claim: 'nobody is notified of what did not happen',
    holds: wrong.length === 0,
    figures:
      wrong.length > 0
        ? wrong.map(describe).join('; ')
        : [
            `explained by another: ${explained.map(({ alert }) => nameOf(alert)).join(', ') || 'none'}`,
            `true besides: ${beside.map(({ alert }) => nameOf(alert)).join(', ') || 'none'}`,
          ].join('; '),
  };
}

function describe({ alert }: SeenAlert): string {
  const end = alert.resolvedAt === null ? 'fires still' : `until ${alert.resolvedAt}`;
  return `${nameOf(alert)} (${alert.severity}, since ${alert.since}, ${end}): ${alert.headline}`;
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
