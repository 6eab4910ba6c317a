import { z } from '@hono/zod-openapi';
import { isoTime } from '../../model/json.js';
import type { Episode } from '../../timeline/episode.js';
import { draftOf } from '../../timeline/incident/draft.js';
import type { ImpactNumber, PostMortem } from '../../timeline/incident/impact.js';
import { postMortemOf } from '../../timeline/incident/impact.js';
import { statusUpdateOf } from '../../timeline/incident/status-update.js';
import type { Incident } from '../../timeline/incident.js';
import type { AppDeps } from '../app-deps.js';
import { incidentPath } from '../entry-links.js';
import { type FactsDeps, gatherFacts } from '../gather.js';
import { changeIncident, findIncident, openIncident, removeIncident } from '../incident-desk.js';
import { apiPart, documentText, jsonBody, jsonRoute } from './env.js';
import {
  ChangeSchema,
  IncidentOrderSchema,
  IncidentSchema,
  incidentChangeOf,
  orderOf,
  PostMortemSchema,
} from './incident-schemas.js';

function incidentJson(incident: Incident): z.infer<typeof IncidentSchema> {
  const { id, title, fromMs, toMs, instances, severity, affects, notes, createdBy } = incident;
  const path = `/api/v1${incidentPath(id)}`;
  return {
    ...{ id, title, severity, affects, createdBy },
    from: isoTime(fromMs),
    to: isoTime(toMs),
    instances: [...instances],
    notes: { ...notes },
    createdAt: isoTime(incident.createdAtMs),
    updatedAt: isoTime(incident.updatedAtMs),
    links: { self: incidentPath(id), draft: `${path}.md`, status: `${path}/status` },
  };
}

/** The account for machines: times as ISO 8601, durations in seconds, null for what is not known. */
function postMortemJson(account: PostMortem): z.infer<typeof PostMortemSchema> {
  const { durations, impact } = account;
  return {
    queues: [...account.queues],
    openFindings: account.openFindings,
    durations: {
      detectedAfterSeconds: seconds(durations.detectedAfterMs),
      alertedAfterSeconds: seconds(durations.alertedAfterMs),
      firstActionAfterSeconds: seconds(durations.firstActionAfterMs),
      resolvedAfterSeconds: seconds(durations.resolvedAfterMs),
      lastsSeconds: durations.lastsMs / 1000,
      blindSeconds: durations.blindMs / 1000,
    },
    impact: {
      memoryRatio: number(impact.memoryRatio),
      backlogJobs: number(impact.backlogJobs),
      longestWaitSeconds: number(impact.longestWaitSeconds),
      refusedPerSecond: number(impact.refusedPerSecond),
      failedJobs: number(impact.failedJobs),
    },
    delayed: account.delayed,
    loss: { verdict: account.loss.verdict, because: [...account.loss.because] },
    replays: account.replays.map((replay) => ({ ...replay })),
    parkings: account.parkings.map((parking) => ({ ...parking })),
    findings: account.findings.map(episodeJson),
    unknown: [...account.unknown],
  };
}

function episodeJson({ id, code, severity, title, instance, queue, ...episode }: Episode) {
  return {
    ...{ id, code, severity, title, instance, queue },
    queues: [...episode.queues],
    beganAt: isoTime(episode.beganAtMs),
    endedAt: isoTime(episode.endedAtMs),
    worst: episode.worst.map(({ label, value, unit }) => ({ label, value, ...(unit ? { unit } : {}) })),
  };
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

function number(of: ImpactNumber | null) {
  return of === null ? null : { value: of.value, at: isoTime(of.atMs), source: of.source };
}

const idParam = z.object({ id: z.string().max(100, 'is too long') });
const AccountedSchema = IncidentSchema.extend({ account: PostMortemSchema });

const listRoute = jsonRoute(
  { method: 'get', path: '/incidents', summary: 'Incidents, newest first' },
  z.object({ incidents: z.array(IncidentSchema) }),
);
const postRoute = jsonRoute(
  {
    method: 'post',
    path: '/incidents',
    summary: 'Mark a range of time as an incident; without `to` it lasts until it is closed',
    request: { body: jsonBody(IncidentOrderSchema) },
  },
  IncidentSchema,
);
const getRoute = jsonRoute(
  {
    method: 'get',
    path: '/incidents/{id}',
    summary: 'One incident with its account',
    request: { params: idParam },
  },
  AccountedSchema,
);
const patchRoute = jsonRoute(
  {
    method: 'patch',
    path: '/incidents/{id}',
    summary: 'Change or close an incident; notes are changed section by section',
    request: { params: idParam, body: jsonBody(ChangeSchema) },
  },
  IncidentSchema,
);
const deleteRoute = jsonRoute(
  {
    method: 'delete',
    path: '/incidents/{id}',
    summary: 'Forget an incident that you marked; timeline and audit stay',
    request: { params: idParam },
  },
  z.object({ removed: z.string() }),
);
const statusRoute = jsonRoute(
  {
    method: 'get',
    path: '/incidents/{id}/status',
    summary: 'Two sentences for customers, as of now',
    request: { params: idParam },
  },
  z.object({ at: z.string(), text: z.string() }),
);

export function incidentsApi(deps: FactsDeps & Pick<AppDeps, 'incidents' | 'timeline' | 'audit' | 'newId'>) {
  const part = apiPart();
  documentText(part, 'text/markdown', {
    path: '/incidents/{id}.md',
    summary: 'The post-mortem draft of an incident in Markdown',
    request: { params: idParam },
  });
  // Before {id}, which would take it.
  part.get('/incidents/:file{[^/]+\\.md}', async (c) => {
    const incident = await findIncident(deps, c.req.param('file').slice(0, -'.md'.length));
    const facts = await gatherFacts(deps, incident);
    return c.body(draftOf(incident, facts), 200, {
      'Content-Type': 'text/markdown; charset=utf-8',
      'Content-Disposition': 'inline; filename="post-mortem.md"',
    });
  });
  return part
    .openapi(listRoute, async (c) =>
      c.json({ incidents: (await deps.incidents.list()).map(incidentJson) }, 200),
    )
    .openapi(postRoute, async (c) => {
      const order = orderOf(c.req.valid('json'), deps.now());
      return c.json(incidentJson(await openIncident(deps, c.get('actor'), order)), 200);
    })
    .openapi(getRoute, async (c) => {
      const incident = await findIncident(deps, c.req.valid('param').id);
      const account = postMortemOf(await gatherFacts(deps, incident));
      return c.json({ ...incidentJson(incident), account: postMortemJson(account) }, 200);
    })
    .openapi(patchRoute, async (c) => {
      const { id } = c.req.valid('param');
      const change = incidentChangeOf(c.req.valid('json'));
      return c.json(incidentJson(await changeIncident(deps, c.get('actor'), id, change)), 200);
    })
    .openapi(deleteRoute, async (c) => {
      const { id } = c.req.valid('param');
      await removeIncident(deps, c.get('actor'), id);
      return c.json({ removed: id }, 200);
    })
    .openapi(statusRoute, async (c) => {
      const incident = await findIncident(deps, c.req.valid('param').id);
      const facts = await gatherFacts(deps, incident);
      return c.json({ at: new Date(facts.nowMs).toISOString(), text: statusUpdateOf(incident, facts) }, 200);
    });
}
