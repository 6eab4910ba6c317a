import { z } from '@hono/zod-openapi';
import { type HistoryPoints, PointsSchema } from '../../history/history-log.js';
import { isoTime } from '../../model/json.js';
import { nearNames } from '../../model/text.js';
import { KEPT_SIGNALS } from '../../signals/kept-signals.js';
import type { SeriesRef, Signal } from '../../signals/signal.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { apiPart, jsonRoute, queueIn, snapshotOf } from './env.js';

/** What is worth a line in a chart: deploys and notes, what became of Redis, alerts, what parked by itself, gaps of our own. */
const KIND_PREFIXES = ['marker.', 'redis.', 'alert.', 'policy.', 'console.started'];
/** More lines than this can't be told apart; the newest are drawn. */
const MAX_MARKERS = 100;

/**
 * What happened to an instance in [fromMs, toMs), oldest first: from the timeline, and actions from the audit. With a queue, what is about another one is left out.
 */
export async function chartMarkers(
  { timeline, audit }: Pick<AppDeps, 'timeline' | 'audit'>,
  range: {
    readonly instance: string;
    readonly queue: string | null;
    readonly fromMs: number;
    readonly toMs: number;
  },
): Promise<readonly ChartMarker[]> {
  const { instance, queue, fromMs, toMs } = range;
  const within = { instance, sinceMs: fromMs, beforeMs: toMs };
  const [entries, actions] = await Promise.all([
    timeline.list({ ...within, kindPrefixes: KIND_PREFIXES, limit: MAX_MARKERS }),
    audit.list({ ...within, ...(queue === null ? {} : { queue }), limit: MAX_MARKERS }),
  ]);
  const noticed = entries
    .filter((entry) => queue === null || entry.queue === null || entry.queue === queue)
    .map(({ atMs, kind, text, queue: about, actor = null }) => ({ atMs, kind, text, queue: about, actor }));
  const done = actions
    // Notes and incidents are on the timeline already.
    .filter(
      ({ action, status }) =>
        !/^(note|incident)\./.test(action) && (status === 'applied' || status === 'unverified'),
    )
    .map((action) => ({
      atMs: action.atMs,
      kind: `action.${action.action}`,
      text: action.summary,
      queue: action.queue,
      actor: action.actor,
    }));
  return [...noticed, ...done].sort((a, b) => a.atMs - b.atMs).slice(-MAX_MARKERS);
}

type Deps = Pick<AppDeps, 'history' | 'timeline' | 'audit' | 'watch' | 'now'>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** More than is ever kept. */
const LONGEST_MS = 400 * DAY_MS;
const MAX_POINTS = 5_000;
/** Of what is not known any more, names are taken as they come. */
const MAX_CHARS = 2_000;
const SHIFTS_MS = { yesterday: DAY_MS, 'last-week': 7 * DAY_MS } as const;

const time = z
  .string()
  .transform((text, context) => {
    const atMs = /^-?\d+$/.test(text) ? Number(text) : Date.parse(text);
    if (Number.isFinite(atMs) && Math.abs(atMs) < 8.64e15) return atMs;
    context.addIssue({
      code: 'custom',
      message: 'must be a time such as 2026-01-31T03:00:00Z, or milliseconds since 1970',
    });
    return z.NEVER;
  })
  .openapi({ type: 'string', example: '2026-01-31T03:00:00Z' });
const name = z.string().min(1, 'must not be empty').max(MAX_CHARS, 'is too long');

const AnswerSchema = PointsSchema.extend({ stepSeconds: z.number() });

/** Something that happened within a chart. */
const ChartMarkerSchema = z.object({
  atMs: z.number(),
  kind: z.string().describe('As on the timeline, e.g. `redis.failover`; of an action `action.` and its name'),
  text: z.string(),
  queue: z.string().nullable().describe('Id; null: about the whole Redis'),
  actor: z.string().nullable().describe('Who did it; null: the console noticed it'),
});
export type ChartMarker = Readonly<z.infer<typeof ChartMarkerSchema>>;

const route = jsonRoute(
  'get /history',
  'What a signal was: every tick for an hour, 10 s for a day, a minute for 30 days',
  AnswerSchema.extend({
    instance: z.string(),
    signal: z.string(),
    unit: z.string(),
    queue: z.string().nullable(),
    type: z.string().nullable(),
    node: z.string().nullable(),
    from: z.string(),
    to: z.string(),
    compare: AnswerSchema.extend({ with: z.string() }).nullable(),
    markers: z.array(ChartMarkerSchema.extend({ at: z.string() })),
    problem: z.string().nullable().describe('Why nothing is written now; null: it is'),
  }),
  {
    query: z.object({
      signal: z.string().openapi({
        description: `A kept signal: ${KEPT_SIGNALS.map((signal) => signal.name).join(', ')}`,
        example: 'queue_backlog_jobs',
      }),
      instance: z.string().optional().describe('May be left out where there is one Redis'),
      queue: name.optional().describe('Queue id, or a bare name that is unique'),
      type: name.optional().describe('Job type of the queue'),
      node: name.optional().describe('Address of a Redis process; may be left out where there is one'),
      from: time.optional().describe('An hour before `to` unless given'),
      to: time.optional().describe('Now unless given'),
      maxPoints: z.coerce
        .number('must be a number')
        .int('must be a whole number')
        .min(1, 'must be at least 1')
        .max(MAX_POINTS, `must be at most ${MAX_POINTS}`)
        .default(600),
      compare: z
        .enum(['yesterday', 'last-week'], 'must be yesterday or last-week')
        .optional()
        .describe('The same hours of then, moved onto these'),
    }),
  },
);

/** What signals were, with what happened meanwhile. */
export function historyApi(deps: Deps) {
  return apiPart().openapi(route, async (c) => {
    const query = c.req.valid('query');
    const signal = signalOf(query.signal);
    const series = seriesOf(deps, signal, query);
    const { fromMs, toMs } = rangeOf(query.from, query.to, deps.now());
    const read = (shiftMs: number) =>
      deps.history.read({
        series,
        fromMs: fromMs - shiftMs,
        toMs: toMs - shiftMs,
        maxPoints: query.maxPoints,
      });
    const { compare } = query;
    const shiftMs = compare === undefined ? 0 : SHIFTS_MS[compare];
    const [points, then, markers] = await Promise.all([
      read(0),
      compare === undefined ? null : read(shiftMs),
      chartMarkers(deps, { instance: series.instance, queue: series.queue, fromMs, toMs }),
    ]);
    return c.json(
      {
        ...series,
        unit: signal.unit,
        from: isoTime(fromMs),
        to: isoTime(toMs),
        ...present(points, 0),
        compare: then && compare ? { with: compare, ...present(then, shiftMs) } : null,
        markers: markers.map((marker) => ({ at: isoTime(marker.atMs), ...marker })),
        problem: deps.history.problem(),
      },
      200,
    );
  });
}

function present({ stepMs, atMs, mean, min, max }: HistoryPoints, shiftMs: number) {
  return {
    stepSeconds: stepMs / 1000,
    atMs: atMs.map((at) => at + shiftMs),
    mean: mean.map(short),
    min: min.map(short),
    max: max.map(short),
  };
}

/** Fewer digits than this were kept anyway. */
function short(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(7));
}

/** @throws Problem 400 naming those that may have been meant. */
function signalOf(typed: string): Signal {
  const names = KEPT_SIGNALS.map((signal) => signal.name);
  const signal = KEPT_SIGNALS.find((kept) => kept.name === typed);
  if (signal) return signal;
  const near = nearNames(typed, names, 5);
  const hint = near.length > 0 ? `did you mean ${near.join(', ')}?` : `kept are ${names.join(', ')}`;
  throw unfit('signal', typed, `is no signal that is kept; ${hint}`);
}

/** @throws Problem 400 for what does not go together, 404 for an instance that there is not. */
function seriesOf(
  deps: Deps,
  { name: signal, scope }: Signal,
  asked: {
    readonly instance?: string | undefined;
    readonly node?: string | undefined;
    readonly queue?: string | undefined;
    readonly type?: string | undefined;
  },
): SeriesRef {
  const [only, another] = deps.watch.snapshots();
  if (asked.instance === undefined && (another || !only))
    throw unfit('instance', undefined, 'must say which Redis: there are several');
  const snapshot = asked.instance === undefined && only ? only : snapshotOf(deps, asked.instance ?? '');
  const { instance } = snapshot;
  const takes = (field: 'node' | 'queue' | 'type', scopes: readonly Signal['scope'][]): boolean => {
    if (scopes.includes(scope)) return true;
    if (asked[field] !== undefined)
      throw unfit(field, asked[field], `does not belong to ${signal}, which is of each ${scope}`);
    return false;
  };
  const needed = (field: 'node' | 'queue' | 'type'): string => {
    const value = asked[field];
    if (value === undefined)
      throw unfit(field, undefined, `must say which, as ${signal} is of each ${scope}`);
    return value;
  };
  const onlyNode = snapshot.nodes.length === 1 ? snapshot.nodes[0]?.address : undefined;
  return {
    signal,
    instance,
    node: takes('node', ['node']) ? (asked.node ?? onlyNode ?? needed('node')) : null,
    queue: takes('queue', ['queue', 'job-type']) ? queueIdOf(deps, instance, needed('queue')) : null,
    type: takes('type', ['job-type']) ? needed('type') : null,
  };
}

/** A queue that is gone has a history still: its id is taken as it is. @throws Problem 409 for a name of several. */
function queueIdOf(deps: Deps, instance: string, typed: string): string {
  try {
    return queueIn(snapshotOf(deps, instance), typed).id;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return typed;
    throw error;
  }
}

/** @throws Problem 400 for a stretch that ends before it begins, or is longer than anything is kept. */
function rangeOf(from: number | undefined, to: number | undefined, nowMs: number) {
  const toMs = to ?? nowMs;
  const fromMs = from ?? toMs - HOUR_MS;
  if (fromMs >= toMs) throw unfit('from', isoTime(fromMs), `must be before to (${isoTime(toMs)})`);
  if (toMs - fromMs > LONGEST_MS) throw unfit('from', isoTime(fromMs), 'must be at most 400 days before to');
  return { fromMs, toMs };
}

function unfit(field: string, value: unknown, problem: string): Problem {
  return new Problem(400, 'invalid-request', `${field}: ${problem}`, {}, [{ field, value, problem }]);
}
