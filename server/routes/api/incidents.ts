import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { incidentPath } from '../../../views/links.js';
import { jsonWriter } from '../../model/json.js';
import { draftOf } from '../../timeline/incident/draft.js';
import { PostMortemSchema, postMortemOf } from '../../timeline/incident/impact.js';
import { statusUpdateOf } from '../../timeline/incident/status-update.js';
import { type Incident, IncidentFields } from '../../timeline/incident.js';
import type { AppDeps } from '../app-deps.js';
import { type FactsDeps, gatherFacts } from '../gather.js';
import * as incidents from '../incident-commands.js';
import { incidentPicture, incidentPictureUrl } from '../incident-picture.js';
import {
  type ApiEnv,
  apiPart,
  changeBy,
  changeQuery,
  documentText,
  dryRunQuery,
  jsonBody,
  jsonRoute,
  reason,
} from './env.js';

const IncidentSchema = IncidentFields.extend({
  links: z.object({ self: z.string(), draft: z.string(), picture: z.string(), status: z.string() }),
}).openapi('Incident');

const write = jsonWriter(IncidentSchema);
const writePostMortem = jsonWriter(PostMortemSchema);

function incidentJson(c: Context<ApiEnv>, incident: Incident) {
  const { base } = c.get('origin');
  const self = base + incidentPath(incident.id);
  const at = `${base}/api/v1${incidentPath(incident.id)}`;
  return write(incident, {
    links: { self, draft: `${at}.md`, picture: `${at}.svg`, status: `${at}/status` },
  });
}

const idParam = z.object({ id: z.string().max(100, 'is too long') });
const AccountedSchema = IncidentSchema.extend({ account: PostMortemSchema });

const listRoute = jsonRoute(
  'get /incidents',
  'Incidents, newest first',
  z.object({ incidents: z.array(IncidentSchema) }),
);
const postRoute = jsonRoute(
  'post /incidents',
  'Mark a range of time as an incident; without `to` it lasts until it is closed',
  IncidentSchema,
  { query: dryRunQuery, body: jsonBody(incidents.IncidentOrderSchema.extend({ reason })) },
);
const getRoute = jsonRoute('get /incidents/{id}', 'One incident with its account', AccountedSchema, {
  params: idParam,
});
const patchRoute = jsonRoute(
  'patch /incidents/{id}',
  'Change or close an incident; notes are changed section by section',
  IncidentSchema,
  {
    params: idParam,
    query: dryRunQuery,
    body: jsonBody(incidents.IncidentChangeSchema.extend({ reason })),
  },
);
const deleteRoute = jsonRoute(
  'delete /incidents/{id}',
  'Forget an incident that you marked; timeline and audit stay',
  z.object({ removed: z.string() }),
  { params: idParam, query: changeQuery },
);
const statusRoute = jsonRoute(
  'get /incidents/{id}/status',
  'Two sentences for customers, as of now',
  z.object({ at: z.string(), text: z.string() }),
  { params: idParam },
);

export function incidentsApi(
  deps: FactsDeps &
    Pick<AppDeps, 'incidents' | 'alerts' | 'episodes' | 'timeline' | 'audit' | 'newId' | 'linkBase'>,
) {
  const part = apiPart();
  documentText(part, 'text/markdown', {
    path: '/incidents/{id}.md',
    summary: 'The post-mortem draft of an incident in Markdown',
    request: { params: idParam },
  });
  documentText(part, 'image/svg+xml', {
    path: '/incidents/{id}.svg',
    summary: 'What happened in an incident as bars in time: a picture for the post-mortem, with its text',
    request: { params: idParam },
  });
  // Before {id}, which would take them.
  part.get('/incidents/:file{[^/]+\\.svg}', async (c) => {
    const incident = await incidents.findIncident(deps, c.req.param('file').slice(0, -'.svg'.length));
    const picture = await incidentPicture(deps, incident, await gatherFacts(deps, incident));
    return c.body(picture, 200, { 'Content-Type': 'image/svg+xml; charset=utf-8' });
  });
  part.get('/incidents/:file{[^/]+\\.md}', async (c) => {
    const incident = await incidents.findIncident(deps, c.req.param('file').slice(0, -'.md'.length));
    const facts = await gatherFacts(deps, incident);
    return c.body(draftOf({ ...incident, picture: incidentPictureUrl(deps, incident) }, facts), 200, {
      'Content-Type': 'text/markdown; charset=utf-8',
      'Content-Disposition': 'inline; filename="post-mortem.md"',
    });
  });
  return part
    .openapi(listRoute, async (c) =>
      c.json({ incidents: (await deps.incidents.list()).map((one) => incidentJson(c, one)) }, 200),
    )
    .openapi(postRoute, async (c) => {
      const { reason, ...order } = c.req.valid('json');
      return c.json(
        incidentJson(
          c,
          await incidents.openIncident(deps, changeBy(c, reason), incidents.incidentOrderOf(order)),
        ),
        200,
      );
    })
    .openapi(getRoute, async (c) => {
      const incident = await incidents.findIncident(deps, c.req.valid('param').id);
      const account = postMortemOf(await gatherFacts(deps, incident));
      return c.json({ ...incidentJson(c, incident), account: writePostMortem(account) }, 200);
    })
    .openapi(patchRoute, async (c) => {
      const { id } = c.req.valid('param');
      const { reason, ...change } = c.req.valid('json');
      const changed = await incidents.changeIncident(
        deps,
        changeBy(c, reason),
        id,
        incidents.incidentChangeOf(change),
      );
      return c.json(incidentJson(c, changed), 200);
    })
    .openapi(deleteRoute, async (c) => {
      const { id } = c.req.valid('param');
      await incidents.removeIncident(deps, changeBy(c, c.req.valid('query').reason), id);
      return c.json({ removed: id }, 200);
    })
    .openapi(statusRoute, async (c) => {
      const incident = await incidents.findIncident(deps, c.req.valid('param').id);
      const facts = await gatherFacts(deps, incident);
      return c.json({ at: new Date(facts.nowMs).toISOString(), text: statusUpdateOf(incident, facts) }, 200);
    });
}
