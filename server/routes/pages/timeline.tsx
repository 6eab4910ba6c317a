import { Hono } from 'hono';
import { TimelinePage } from '../../../views/timeline-page.js';
import { type Actor, includesRole } from '../../model/role.js';
import { ALL_INSTANCES } from '../../model/timeline-entry.js';
import { ACTIVITY_GROUPS, cursorOf } from '../../timeline/activity.js';
import { activityQueryOf } from '../account-query.js';
import { MarkerText, timeOf } from '../api/markers.js';
import type { AppDeps } from '../app-deps.js';
import { entryPath } from '../entry-links.js';
import { type GateEnv, requireRole } from '../gate.js';
import type { LiveView } from '../live/hub.js';
import { eventPart } from '../live/part.js';
import { annotate, editMarker, enterMarker, removeMarker } from '../marker-commands.js';
import { Problem } from '../problem.js';
import { daysOf } from './activity-view-model.js';
import { chromeOf } from './chrome.js';
import { frameParts } from './overview.js';

const ENTRIES_A_PAGE = 100;
/** Of a permalink so many newer ones stand above it. */
const NEWER_SHOWN = 10;

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
      eventPart('account', 'account', { version: deps.activity.version() }),
    ],
  };
}

async function timelinePage(deps: AppDeps, actor: Actor, query: Query, groups: readonly string[]) {
  const nowMs = deps.now();
  const version = deps.activity.version();
  const wanted = Object.entries(ACTIVITY_GROUPS).filter(([name]) => groups.includes(name));
  const ask = {
    ...query,
    from: utcOf(query.from),
    to: utcOf(query.to),
    kinds: wanted.flatMap(([, { prefixes }]) => prefixes).join(','),
  };
  const entries = query.entry
    ? await aroundEntry(deps, query.entry)
    : await deps.activity.list(activityQueryOf(deps, ask, ENTRIES_A_PAGE));
  const last = entries.length >= ENTRIES_A_PAGE ? entries.at(-1) : undefined;
  const instances = deps.watch.snapshots().map(({ instance }) => instance);
  const isNewest = !query.entry && !query.cursor && !query.to;
  const frame = { actor, nowMs, current: '/timeline', subject: 'Timeline', liveUrl: '/live?view=timeline' };
  return (
    <TimelinePage
      chrome={chromeOf(deps, frame)}
      view={{
        filter: {
          groups: Object.entries(ACTIVITY_GROUPS).map(([value, { label }]) => ({
            value,
            label,
            isOn: wanted.length === 0 || groups.includes(value),
          })),
          instances: instances.length > 1 ? instances : [],
          instance: query.instance ?? '',
          queue: query.queue ?? '',
          from: localOf(query.from),
          to: localOf(query.to),
          search: query.search ?? '',
          isFiltered: Object.entries(query).some(([name, value]) => name !== 'cursor' && value !== ''),
        },
        days: daysOf(entries, {
          actor,
          hasManyInstances: instances.length > 1,
          target: query.entry ?? null,
        }),
        newerHref: isNewest ? null : addressOf(query, groups, { cursor: undefined, entry: undefined }),
        olderHref: last ? addressOf(query, groups, { cursor: cursorOf(last), entry: undefined }) : null,
        isNewest,
        version,
        canWrite: includesRole(actor.role, 'operator'),
        draftHref: query.from ? draftPath(ask) : null,
      }}
    />
  );
}

/** The entry with some that came after it and those before. @throws Problem 404 where there is none. */
async function aroundEntry(deps: AppDeps, id: string) {
  const entry = await deps.activity.get(id);
  if (!entry) throw new Problem(404, 'not-found', `there is no entry ${id.slice(0, 100)} on the timeline`);
  const [newer, older] = await Promise.all([
    deps.activity.list({ after: entry, order: 'oldest', limit: NEWER_SHOWN }),
    deps.activity.list({ after: entry, limit: ENTRIES_A_PAGE - NEWER_SHOWN - 1 }),
  ]);
  return [...[...newer].reverse(), entry, ...older];
}

function addressOf(query: Query, groups: readonly string[], change: Query): string {
  const parameters = new URLSearchParams([
    ...pairsOf({ ...query, ...change, g: undefined }),
    ...groups.map((group): [string, string] => ['g', group]),
  ]);
  return parameters.size === 0 ? '/timeline' : `/timeline?${parameters}`;
}

function draftPath({ from, to, instance }: Query): string {
  return `/api/v1/timeline.md?${new URLSearchParams(pairsOf({ from, to, instance }))}`;
}

function pairsOf(query: Query): [string, string][] {
  return Object.entries(query).flatMap(([name, value]): [string, string][] => (value ? [[name, value]] : []));
}

/** What a field of a time holds is UTC without saying so. */
function utcOf(text: string | undefined): string | undefined {
  if (!text) return undefined;
  return /Z$|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`;
}

function localOf(text: string | undefined): string {
  const atMs = Date.parse(utcOf(text) ?? '');
  return Number.isFinite(atMs) ? new Date(atMs).toISOString().slice(0, 19) : '';
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
