import { z } from '@hono/zod-openapi';
import type { AppDeps } from '../../app-deps.js';
import { ALL_INSTANCES, type TimelineEntry } from '../../store/timeline-entry.js';
import { MARKER_KINDS } from '../../watch/marker.js';
import { MARKER_ENTRY_KINDS, markerKind } from '../../watch/marker-book.js';
import { Problem } from '../problem.js';
import { apiPart, jsonBody, jsonRoute, queueIn, snapshotOf } from './env.js';
import { isoTime } from './iso-time.js';

/** Clocks of machines differ; more than this is a mistake in the unit. */
const MOST_AHEAD_MS = 60_000;
const MOST_BACK_MS = 7 * 24 * 3_600_000;
const MOST_LETTERS = 200;
const ONE_LINE = /^\P{Cc}*$/u;

const MarkerSchema = z
  .object({
    id: z.string(),
    at: z.string(),
    kind: z.enum(MARKER_KINDS),
    text: z.string(),
    actor: z.string(),
    instance: z.string().nullable().openapi({ description: 'null: about every Redis' }),
    queue: z.string().nullable().openapi({ description: 'null: about the whole Redis' }),
  })
  .openapi('Marker');

const postRoute = jsonRoute(
  {
    method: 'post',
    path: '/markers',
    summary: 'Enter a deploy or a note into the timeline, so that trouble is shown beside what changed',
    request: {
      body: jsonBody(
        z.strictObject({
          text: z
            .string('must be text')
            .trim()
            .min(1, 'must say what happened')
            .max(MOST_LETTERS, `must be at most ${MOST_LETTERS} letters`)
            .regex(ONE_LINE, 'must be one line')
            .openapi({ example: 'monitors 2.7.0: new type match-event' }),
          kind: z.enum(MARKER_KINDS, `must be ${MARKER_KINDS.join(' or ')}`).default('deploy'),
          atMs: z
            .int('must be a time in milliseconds since 1970')
            .optional()
            .openapi({ description: 'Now unless given; at most 1 minute ahead and 7 days back' }),
          instance: z.string().optional().openapi({ description: 'Every Redis unless given' }),
          queue: z.string().optional().openapi({
            description: 'Queue id, or a bare name that is unique; the whole Redis unless given',
          }),
        }),
      ),
    },
  },
  MarkerSchema,
);

const time = z.coerce.number('must be a time in milliseconds since 1970').int('must be a whole number');

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/markers',
    summary: 'Deploys and notes, newest first',
    request: {
      query: z.object({
        instance: z.string().optional(),
        fromMs: time.optional().openapi({ description: 'Not before this time' }),
        toMs: time.optional().openapi({ description: 'Not after this time' }),
        limit: z.coerce
          .number('must be a number')
          .int()
          .min(1, 'must be at least 1')
          .max(500, 'must be at most 500')
          .default(100),
      }),
    },
  },
  z.object({ markers: z.array(MarkerSchema) }),
);

export function markersApi(deps: AppDeps) {
  return apiPart()
    .openapi(postRoute, async (c) => {
      const { text, kind, atMs, instance, queue } = c.req.valid('json');
      const entry: TimelineEntry = {
        id: deps.newId(),
        atMs: timeOf(atMs, deps.now()),
        ...placeOf(deps, instance, queue),
        kind: `marker.${kind}`,
        worker: null,
        text,
        actor: c.get('actor').name,
      };
      // Kept first: what is answered for must outlive the process.
      await deps.timeline.append(entry);
      deps.markers.add(entry);
      return c.json(presentMarker(entry), 200);
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
      return c.json({ markers: entries.map(presentMarker) }, 200);
    });
}

/** @throws Problem 422 for a time that can't be meant. */
function timeOf(atMs: number | undefined, nowMs: number): number {
  if (atMs === undefined) return nowMs;
  if (atMs > nowMs + MOST_AHEAD_MS) throw unfit('atMs', atMs, 'must not be in the future');
  if (atMs < nowMs - MOST_BACK_MS) throw unfit('atMs', atMs, 'must not be older than 7 days');
  return atMs;
}

/** @throws Problem 404 for what there is not, 422 for a queue that could be of several instances. */
function placeOf(
  deps: AppDeps,
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

function presentMarker({ id, atMs, kind, text, actor, instance, queue }: TimelineEntry) {
  return {
    id,
    at: isoTime(atMs),
    kind: markerKind(kind) ?? 'note',
    text,
    actor: actor ?? 'unknown',
    instance: instance === ALL_INSTANCES ? null : instance,
    queue,
  };
}
