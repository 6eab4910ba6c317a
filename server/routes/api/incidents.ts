import { z } from '@hono/zod-openapi';
import { draftOf } from '../../timeline/incident/draft.js';
import { postMortemOf } from '../../timeline/incident/post-mortem.js';
import { statusUpdateOf } from '../../timeline/incident/status-update.js';
import type { AppDeps } from '../app-deps.js';
import { gatherFacts } from '../gather.js';
import { changeIncident, findIncident, openIncident, removeIncident } from '../incident-desk.js';
import { apiPart, documentText, jsonBody, jsonRoute } from './env.js';
import { PostMortemSchema } from './incident-account-schema.js';
import { ChangeSchema, changeOf, IncidentSchema, OrderSchema, orderOf } from './incident-schemas.js';
import { presentIncident, presentPostMortem } from './present-incident.js';

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
    request: { body: jsonBody(OrderSchema) },
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

export function incidentsApi(deps: AppDeps) {
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
      c.json({ incidents: (await deps.incidents.list()).map(presentIncident) }, 200),
    )
    .openapi(postRoute, async (c) => {
      const order = orderOf(c.req.valid('json'), deps.now());
      return c.json(presentIncident(await openIncident(deps, c.get('actor'), order)), 200);
    })
    .openapi(getRoute, async (c) => {
      const incident = await findIncident(deps, c.req.valid('param').id);
      const account = postMortemOf(await gatherFacts(deps, incident));
      return c.json({ ...presentIncident(incident), account: presentPostMortem(account) }, 200);
    })
    .openapi(patchRoute, async (c) => {
      const { id } = c.req.valid('param');
      const change = changeOf(c.req.valid('json'));
      return c.json(presentIncident(await changeIncident(deps, c.get('actor'), id, change)), 200);
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
