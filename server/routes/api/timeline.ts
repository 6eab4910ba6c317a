import { z } from '@hono/zod-openapi';
import { aboutPath, entryPath } from '../../../views/links.js';
import { type ActivityEntry, ActivityEntrySchema } from '../../model/activity-entry.js';
import { formatUtc } from '../../model/format.js';
import { jsonWriter } from '../../model/json.js';
import { cursorOf } from '../../timeline/activity.js';
import { draftOf } from '../../timeline/incident/draft.js';
import { activityQueryOf } from '../account-query.js';
import { type FactsDeps, gatherFacts } from '../gather.js';
import { Problem } from '../problem.js';
import { apiPart, documentText, jsonRoute, limitOf } from './env.js';

const TimelineEntrySchema = ActivityEntrySchema.extend({
  links: z.object({
    self: z.string().describe('The entry on the page'),
    about: z.string().nullable().describe('The page of what it is about'),
  }),
}).openapi('TimelineEntry');

const write = jsonWriter(TimelineEntrySchema);
const entryJson = (base: string, entry: ActivityEntry) => {
  const about = aboutPath(entry);
  return write(entry, { links: { self: base + entryPath(entry.id), about: about && base + about } });
};

const time = z.iso.datetime({ offset: true, error: 'must be a time such as 2026-01-31T03:00:00Z' });
const MAX_SEARCHED = 200;
/** A draft of more is no post-mortem. */
const LONGEST_MS = 31 * 24 * 3_600_000;

const listRoute = jsonRoute(
  'get /timeline',
  'What happened and what was done: findings, alerts, actions, deploys and notes, failovers, restarts, replays, workers come, gone and crashed; newest first',
  z.object({ nextCursor: z.string().nullable(), entries: z.array(TimelineEntrySchema) }),
  {
    query: z.object({
      from: time.optional().describe('Not before this time'),
      to: time.optional().describe('Before this time'),
      before: time.optional().describe('The same as `to`'),
      instance: z.string().optional().describe('Of this Redis, and what concerns all'),
      queue: z.string().optional().describe('Queue id, or a bare name'),
      kinds: z.string().max(500, 'is too long').optional().openapi({
        description: 'Kinds, or what stands before a dot in them, with commas between',
        example: 'finding,action,marker.deploy',
      }),
      search: z.string().max(MAX_SEARCHED, `must be at most ${MAX_SEARCHED} characters`).optional(),
      cursor: z.string().max(300, 'is none that this list gave').optional(),
      limit: limitOf(500, 100),
    }),
  },
);

const entryRoute = jsonRoute(
  'get /timeline/{id}',
  'One entry, with what people wrote on it',
  TimelineEntrySchema,
  { params: z.object({ id: z.string().max(200, 'is too long') }) },
);

export function timelineApi(deps: FactsDeps) {
  const part = apiPart();
  documentText(part, 'text/markdown', {
    path: '/timeline.md',
    summary: 'A range of at most 31 days as a post-mortem draft in Markdown',
    request: { query: z.object({ from: time, to: time.optional(), instance: z.string().optional() }) },
  });
  part.get('/timeline.md', async (c) => {
    const { fromMs, toMs, instance } = activityQueryOf(deps, c.req.query(), 1);
    if (fromMs === undefined)
      throw new Problem(422, 'invalid-request', 'from: must say where the range begins');
    if ((toMs ?? deps.now()) - fromMs > LONGEST_MS)
      throw new Problem(422, 'invalid-request', 'from: must be at most 31 days before to');
    const range = { fromMs, toMs: toMs ?? null, instances: instance === undefined ? [] : [instance] };
    const words = {
      title: `what happened from ${formatUtc(fromMs)}`,
      ...{ severity: null, createdBy: null, affects: '', notes: {} },
    };
    return c.body(draftOf(words, await gatherFacts(deps, range)), 200, {
      'Content-Type': 'text/markdown; charset=utf-8',
    });
  });
  return part
    .openapi(listRoute, async (c) => {
      const { limit, before, ...ask } = c.req.valid('query');
      const entries = await deps.activity.list(
        activityQueryOf(deps, { ...ask, to: ask.to ?? before }, limit),
      );
      const last = entries.length === limit ? entries.at(-1) : undefined;
      const { base } = c.get('origin');
      const shown = entries.map((entry) => entryJson(base, entry));
      return c.json({ nextCursor: last ? cursorOf(last) : null, entries: shown }, 200);
    })
    .openapi(entryRoute, async (c) => {
      const { id } = c.req.valid('param');
      const entry = await deps.activity.get(id);
      if (!entry)
        throw new Problem(404, 'not-found', `there is no entry ${id.slice(0, 100)} on the timeline`);
      return c.json(entryJson(c.get('origin').base, entry), 200);
    });
}
