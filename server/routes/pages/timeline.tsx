import { Hono } from 'hono';
import type { CurveProps } from '../../../views/drawn/curve.js';
import type { Point, Span } from '../../../views/drawn/geometry.js';
import { entryPath } from '../../../views/links.js';
import { TimelinePage, type TimelinePageProps } from '../../../views/timeline-page.js';
import { ACTIVITY_GROUPS } from '../../model/activity-entry.js';
import { fullestNode } from '../../model/queue-verdict.js';
import type { Actor } from '../../model/role.js';
import { ALL_INSTANCES } from '../../model/timeline-entry.js';
import { activityQueryOf } from '../account-query.js';
import { titleOfAction } from '../action-titles.js';
import { activityRows } from '../activity-rows.js';
import { MarkerText, timeOf } from '../api/markers.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import type { LiveView } from '../live/hub.js';
import { eventPart } from '../live/hub.js';
import { annotate, editMarker, enterMarker, removeMarker } from '../marker-commands.js';
import { Problem } from '../problem.js';
import { chromeOf } from './chrome.js';
import { frameParts } from './overview.js';

/** Entries that are read of a time: each is a line of some row. */
const MAX_ENTRIES = 500;
const MAX_POINTS = 300;

type Query = Readonly<Record<string, string | undefined>>;

/** The page of what happened, and what people write on it. */
export function timelineRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  routes.get('/timeline', async (c) =>
    c.html(await timelinePage(deps, c.get('actor'), c.req.query(), c.req.queries('g') ?? [])),
  );
  routes.post('/timeline/notes', requireRole('operator'), async (c) => {
    const { about, text, at } = textsIn(await c.req.parseBody());
    const by = { actor: c.get('actor') };
    const words = noteText(text);
    if (about) {
      await annotate(deps, by, about, words);
      return c.redirect(entryPath(about), 303);
    }
    const { id } = await enterMarker(deps, by, {
      atMs: timeOf(at ? Date.parse(`${at}Z`) : undefined, deps.now()),
      instance: ALL_INSTANCES,
      kind: 'marker.note',
      queue: null,
      text: words,
    });
    return c.redirect(entryPath(id), 303);
  });
  routes.post('/timeline/notes/:id', requireRole('operator'), async (c) => {
    const { text, remove } = textsIn(await c.req.parseBody());
    const id = c.req.param('id');
    const by = { actor: c.get('actor') };
    if (remove) await removeMarker(deps, by, id);
    else {
      const { ref } = await editMarker(deps, by, id, noteText(text));
      return c.redirect(entryPath(ref ?? id), 303);
    }
    return c.redirect('/timeline', 303);
  });
  return routes;
}

/** Tells the page that there is more; it looks by itself, with its own filter. */
export function timelineLive(deps: AppDeps): LiveView {
  return {
    key: 'timeline',
    render: () => [
      ...frameParts(deps, deps.now(), 'Timeline'),
      eventPart('activity', 'activity', { version: deps.activity.version() }),
    ],
  };
}

const HOUR_MS = 3_600_000;
const PRESETS = [
  { name: '15m', label: '15 min', widthMs: HOUR_MS / 4 },
  { name: '1h', label: '1 h', widthMs: HOUR_MS },
  { name: '6h', label: '6 h', widthMs: 6 * HOUR_MS },
  { name: '24h', label: '24 h', widthMs: 24 * HOUR_MS },
  { name: '7d', label: '7 days', widthMs: 7 * 24 * HOUR_MS },
] as const;
const [SHORTEST, HOUR, , DAY] = PRESETS;
/** Around an entry that somebody came for. */
const AROUND_MS = HOUR_MS / 2;

interface TimeAsked {
  readonly span: Span;
  /** null: its ends were given. */
  readonly preset: (typeof PRESETS)[number] | null;
}

async function timelinePage(deps: AppDeps, actor: Actor, query: Query, groups: readonly string[]) {
  const nowMs = deps.now();
  const version = deps.activity.version();
  const { span, preset } = await timeAsked(deps, query, nowMs);
  const kinds = Object.entries(ACTIVITY_GROUPS)
    .filter(([name]) => groups.includes(name))
    .flatMap(([, { prefixes }]) => prefixes);
  const ask = {
    ...query,
    from: isoOf(span.fromMs),
    to: undefined,
    kinds: kinds.join(','),
    cursor: undefined,
  };
  const listed = await deps.activity.list({
    ...activityQueryOf(deps, ask, MAX_ENTRIES),
    // Lists end before their `to`, and what happens now belongs to it.
    toMs: span.toMs + 1,
  });
  const rows = await activityRows(deps, span, listed);
  const instances = deps.watch.snapshots().map(({ instance }) => instance);
  const chosen = query.instance || (instances.length === 1 ? instances[0] : undefined);
  const isCut = listed.length >= MAX_ENTRIES;
  const widthMs = span.toMs - span.fromMs;
  const href = (change: Query): string => addressOf(query, groups, change);
  const between = (fromMs: number, toMs: number): string =>
    href({ ...NO_TIME, from: isoOf(fromMs), to: isoOf(toMs) });
  const oldestMs = isCut ? (listed.at(-1)?.atMs ?? span.fromMs) : span.fromMs;
  const view: TimelinePageProps = {
    ask: {
      groups,
      instance: query.instance ?? '',
      queue: query.queue ?? '',
      search: query.search ?? '',
    },
    span,
    preset: preset?.name ?? null,
    hrefs: {
      presets: PRESETS.map(({ name, label }) => ({ name, label, href: href({ ...NO_TIME, range: name }) })),
      earlier: between(oldestMs - widthMs, oldestMs),
      later: preset !== null ? null : between(span.toMs, Math.min(nowMs, span.toMs + widthMs)),
      fixed: between(span.fromMs, span.toMs),
      draft: draftPath({ from: isoOf(span.fromMs), to: isoOf(span.toMs), instance: query.instance }),
    },
    rows,
    curves: chosen === undefined ? [] : await curvesOf(deps, chosen, span),
    instances: instances.length > 1 ? instances : [],
    reader: {
      actor,
      nowMs,
      hasManyInstances: instances.length > 1,
      target: query.entry ?? null,
      titleOf: titleOfAction,
    },
    isCut,
    version,
  };
  const frame = { actor, nowMs, current: '/timeline', subject: 'Timeline', liveUrl: '/live?view=timeline' };
  return <TimelinePage chrome={chromeOf(deps, frame)} view={view} />;
}

/**
 * The time that is asked for: around an entry, between two ends, or the last hours.
 * @throws Problem 404 where there is no such entry, 422 for ends that make no sense.
 */
async function timeAsked(deps: AppDeps, query: Query, nowMs: number): Promise<TimeAsked> {
  if (query.entry) {
    const entry = await deps.activity.get(query.entry);
    if (!entry)
      throw new Problem(404, 'not-found', `there is no entry ${query.entry.slice(0, 100)} on the timeline`);
    const toMs = Math.min(nowMs, entry.atMs + AROUND_MS);
    return { span: { fromMs: entry.atMs - AROUND_MS, toMs }, preset: null };
  }
  const ends = { from: utcOf(query.from), to: utcOf(query.to) };
  const { fromMs, toMs = nowMs } = activityQueryOf(deps, ends, 1);
  if (fromMs === undefined && ends.to === undefined) {
    const preset = PRESETS.find(({ name }) => name === query.range) ?? (await fitting(deps, nowMs));
    return { span: { fromMs: nowMs - preset.widthMs, toMs: nowMs }, preset };
  }
  return { span: { fromMs: fromMs ?? toMs - HOUR.widthMs, toMs }, preset: null };
}

/** Where none is asked for: an hour, less where all of it is newer, and more where nothing happened in it. */
async function fitting({ activity }: AppDeps, nowMs: number): Promise<(typeof PRESETS)[number]> {
  const of = (fromMs: number) => activity.list({ fromMs, order: 'oldest', limit: 1 });
  const [[hour], [day]] = await Promise.all([of(nowMs - HOUR.widthMs), of(nowMs - DAY.widthMs)]);
  if (!hour) return day ? DAY : HOUR;
  return hour.atMs > nowMs - SHORTEST.widthMs ? SHORTEST : HOUR;
}

/** What memory and backlog of a Redis did: of its fullest node, which is the one that rejects first. */
async function curvesOf(deps: AppDeps, instance: string, span: Span): Promise<readonly CurveProps[]> {
  const snapshot = deps.watch.snapshot(instance);
  const node = snapshot ? fullestNode(snapshot) : null;
  const read = async (signal: string, address: string | null): Promise<readonly Point[]> => {
    const series = { signal, instance, node: address, queue: null, type: null };
    const { atMs, mean, max } = await deps.history.read({ series, ...span, maxPoints: MAX_POINTS });
    // The highest of each step: a peak is what is looked for.
    return atMs.map((at, i) => ({ atMs: at, value: max[i] ?? mean[i] ?? null }));
  };
  const [held, backlog] = await Promise.all([
    node ? read('redis_counted_bytes', node.address) : [],
    read('backlog_jobs', null),
  ]);
  const limit = node?.limit ? { value: node.limit.bytes, label: 'limit' } : null;
  const curves: readonly CurveProps[] = [
    { title: `Memory of Redis ${instance}`, unit: 'bytes', points: held, span, limit, size: 'small' },
    { title: 'Backlog, all queues', unit: 'jobs', points: backlog, span, size: 'small' },
  ];
  return curves.filter(({ points }) => points.some(({ value }) => value !== null));
}

/** Of an address with other ends those that it has are left out. */
const NO_TIME = { from: undefined, to: undefined, range: undefined, entry: undefined, cursor: undefined };

function addressOf(query: Query, groups: readonly string[], change: Query): string {
  const parameters = new URLSearchParams([
    ...pairsOf({ ...query, g: undefined, ...change }),
    ...groups.map((group): [string, string] => ['g', group]),
  ]);
  return parameters.size === 0 ? '/timeline' : `/timeline?${parameters}`;
}

function draftPath(range: Query): string {
  return `/api/v1/timeline.md?${new URLSearchParams(pairsOf(range))}`;
}

function pairsOf(query: Query): [string, string][] {
  return Object.entries(query).flatMap(([name, value]): [string, string][] => (value ? [[name, value]] : []));
}

function isoOf(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** What a field of a time holds is UTC without saying so. */
function utcOf(text: string | undefined): string | undefined {
  if (!text) return undefined;
  return /Z$|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`;
}

/** @throws Problem 422 for what is no note. */
function noteText(text: string | undefined): string {
  const parsed = MarkerText.safeParse(text ?? '');
  if (parsed.success) return parsed.data;
  throw new Problem(422, 'invalid-request', `the note ${parsed.error.issues[0]?.message ?? 'is not fit'}`);
}

function textsIn(form: Readonly<Record<string, unknown>>): Query {
  return Object.fromEntries(
    Object.entries(form).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
