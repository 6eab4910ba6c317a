import { z } from '@hono/zod-openapi';
import { jsonWriter } from '../../model/json.js';
import { MARKER_KINDS, MarkerSchema } from '../../model/snapshot.js';
import { ALL_INSTANCES, type TimelineEntry } from '../../model/timeline-entry.js';
import { MARKER_ENTRY_KINDS, markerKind } from '../../watch/marker-cache.js';
import type { AppDeps } from '../app-deps.js';
import { annotate, editMarker, enterMarker, removeMarker } from '../marker-commands.js';
import { Problem } from '../problem.js';
import {
  apiPart,
  changeBy,
  changeQuery,
  dryRunQuery,
  jsonBody,
  jsonRoute,
  limitOf,
  queueIn,
  reason,
  snapshotOf,
} from './env.js';

type Deps = Pick<AppDeps, 'timeline' | 'activity' | 'audit' | 'markers' | 'watch' | 'now' | 'newId'>;

/** Clocks of machines differ; more than this is a mistake in the unit. */
const MAX_AHEAD_MS = 60_000;
const MAX_BACK_MS = 7 * 24 * 3_600_000;
const MAX_CHARS = 200;
const ONE_LINE = /^\P{Cc}*$/u;

/** What a person or a pipeline writes: one line. */
export const MarkerText = z
  .string('must be text')
  .trim()
  .min(1, 'must say what happened')
  .max(MAX_CHARS, `must be at most ${MAX_CHARS} characters`)
  .regex(ONE_LINE, 'must be one line')
  .openapi({ example: 'monitors 2.7.0: new type match-event' });

const MarkerAnswer = MarkerSchema.extend({
  id: z.string(),
  instance: z.string().nullable().describe('null: about every Redis'),
  about: z.string().optional().describe('Id of the entry that it is a note on'),
}).openapi('Marker');

const write = jsonWriter(MarkerAnswer);

const postRoute = jsonRoute(
  'post /markers',
  'Enter a deploy or a note into the timeline, so that trouble is shown beside what changed',
  MarkerAnswer,
  {
    query: dryRunQuery,
    body: jsonBody(
      z.strictObject({
        text: MarkerText,
        kind: z.enum(MARKER_KINDS, `must be ${MARKER_KINDS.join(' or ')}`).default('deploy'),
        atMs: z
          .int('must be a time in milliseconds since 1970')
          .optional()
          .describe('Now unless given; at most 1 minute ahead and 7 days back'),
        instance: z.string().optional().describe('Every Redis unless given'),
        queue: z
          .string()
          .optional()
          .describe('Queue id, or a bare name that is unique; the whole Redis unless given'),
        about: z
          .string()
          .max(200, 'is too long')
          .optional()
          .describe('Id of an entry of the timeline: a note on it; nothing else but the text is taken then'),
        reason,
      }),
    ),
  },
);

const time = z.coerce.number('must be a time in milliseconds since 1970').int('must be a whole number');

const listRoute = jsonRoute(
  'get /markers',
  'Deploys and notes, newest first',
  z.object({ markers: z.array(MarkerAnswer) }),
  {
    query: z.object({
      instance: z.string().optional(),
      fromMs: time.optional().describe('Not before this time'),
      toMs: time.optional().describe('Not after this time'),
      limit: limitOf(500, 100),
    }),
  },
);

const idParam = z.object({ id: z.string().max(100, 'is too long') });
const patchRoute = jsonRoute(
  'patch /markers/{id}',
  'Change the text of a note or deploy that you entered; audited',
  MarkerAnswer,
  {
    params: idParam,
    query: dryRunQuery,
    body: jsonBody(z.strictObject({ text: MarkerText, reason })),
  },
);
const deleteRoute = jsonRoute(
  'delete /markers/{id}',
  'Take back a note or deploy that you entered; audited',
  z.object({ removed: z.string() }),
  { params: idParam, query: changeQuery },
);

export function markersApi(deps: Deps) {
  return apiPart()
    .openapi(postRoute, async (c) => {
      const { text, kind, atMs, instance, queue, about, reason } = c.req.valid('json');
      const by = changeBy(c, reason);
      if (about !== undefined) return c.json(markerJson(await annotate(deps, by, about, text)), 200);
      const entry = await enterMarker(deps, by, {
        atMs: timeOf(atMs, deps.now()),
        ...placeOf(deps, instance, queue),
        kind: `marker.${kind}`,
        text,
      });
      return c.json(markerJson(entry), 200);
    })
    .openapi(listRoute, async (c) => {
      const { instance, fromMs, toMs, limit } = c.req.valid('query');
      const entries = await deps.timeline.list({
        kinds: MARKER_ENTRY_KINDS,
        limit,
        ...(instance === undefined ? {} : { instance: snapshotOf(deps, instance).instance }),
        ...(fromMs === undefined ? {} : { sinceMs: fromMs }),
        ...(toMs === undefined ? {} : { beforeMs: toMs + 1 }),
      });
      return c.json({ markers: entries.map(markerJson) }, 200);
    })
    .openapi(patchRoute, async (c) => {
      const { text, reason } = c.req.valid('json');
      const { id } = c.req.valid('param');
      return c.json(markerJson(await editMarker(deps, changeBy(c, reason), id, text)), 200);
    })
    .openapi(deleteRoute, async (c) => {
      const { id } = c.req.valid('param');
      await removeMarker(deps, changeBy(c, c.req.valid('query').reason), id);
      return c.json({ removed: id }, 200);
    });
}

/** @throws Problem 422 for a time that can't be meant. */
export function timeOf(atMs: number | undefined, nowMs: number): number {
  if (atMs === undefined) return nowMs;
  if (atMs > nowMs + MAX_AHEAD_MS) throw unfit('atMs', atMs, 'must not be in the future');
  if (atMs < nowMs - MAX_BACK_MS) throw unfit('atMs', atMs, 'must not be older than 7 days');
  return atMs;
}

/** @throws Problem 404 for what there is not, 422 for a queue that could be of several instances. */
function placeOf(
  deps: Deps,
  instance: string | undefined,
  queue: string | undefined,
): Pick<TimelineEntry, 'instance' | 'queue'> {
  const [only, another] = deps.watch.snapshots();
  const snapshot = instance === undefined ? (another ? undefined : only) : snapshotOf(deps, instance);
  if (queue === undefined) return { instance: instance ?? ALL_INSTANCES, queue: null };
  if (!snapshot) throw unfit('instance', '', 'must say whose queue it is');
  return { instance: snapshot.instance, queue: queueIn(snapshot, queue).id };
}

function unfit(field: string, value: unknown, problem: string): Problem {
  return new Problem(422, 'invalid-request', `${field}: ${problem}`, {}, [{ field, value, problem }]);
}

function markerJson({ ref, ...entry }: TimelineEntry) {
  return write({
    ...entry,
    kind: markerKind(entry.kind) ?? 'note',
    actor: entry.actor ?? 'unknown',
    instance: entry.instance === ALL_INSTANCES ? null : entry.instance,
    ...(ref === undefined ? {} : { about: ref }),
  });
}
