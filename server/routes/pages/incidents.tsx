import { type Context, Hono } from 'hono';
import type { IncidentFormProps } from '../../../views/incident-form.js';
import { IncidentPage } from '../../../views/incident-page.js';
import { IncidentsPage, NewIncidentPage } from '../../../views/incidents-page.js';
import { incidentPath } from '../../../views/links.js';
import { localTime } from '../../../views/timeline-page.js';
import { includesRole } from '../../model/role.js';
import { type Incident, NOTE_SECTIONS } from '../../timeline/incident.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import { gatherFacts } from '../gather.js';
import {
  changeIncident,
  findIncident,
  IncidentChangeSchema,
  IncidentOrderSchema,
  incidentChangeOf,
  incidentOrderOf,
  openIncident,
  removeIncident,
} from '../incident-commands.js';
import { incidentPictureUrl, rowsOfIncident } from '../incident-picture.js';
import { Problem } from '../problem.js';
import { chromeOf } from './chrome.js';
import { cardOf, formOfIncident, incidentPageOf } from './incident.js';
import { incidentLiveUrl } from './incident-live.js';

/** Entries that are looked up for a range; a page has no more boxes. */
const MAX_TICKED = 100;

type PageContext = Context<GateEnv>;
/** Fields that are filled in, and the Redises that are ticked. */
type Filling = Partial<IncidentFormProps> & { readonly about?: readonly string[] };
type Filled = Pick<Incident, 'title' | 'fromMs' | 'toMs' | 'severity' | 'instances'>;

/** The pages of incidents; they act by the same functions as the API. */
export function incidentRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  const operator = requireRole('operator');
  routes.get('/incidents', async (c) => {
    const incidents = (await deps.incidents.list()).map((incident) => cardOf(incident, deps.now()));
    const canWrite = includesRole(c.get('actor').role, 'operator');
    return c.html(<IncidentsPage chrome={chrome(c, 'Incidents')} view={{ incidents, canWrite }} />);
  });
  routes.get('/incidents/new', operator, async (c) => c.html(await newPage(c, await filledFrom(deps, c))));
  routes.post('/incidents', operator, async (c) => {
    const body = bodyOf(await c.req.parseBody({ all: true }), false);
    const parsed = IncidentOrderSchema.safeParse(body);
    if (!parsed.success) return c.html(await newPage(c, typed(body, problemIn(parsed.error))), 422);
    try {
      const incident = await openIncident(deps, { actor: c.get('actor') }, incidentOrderOf(parsed.data));
      return c.redirect(incidentPath(incident.id), 303);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return c.html(await newPage(c, typed(body, error.message)), 422);
    }
  });
  routes.get('/incidents/:id', (c) => showIncident(c, c.req.param('id'), ''));
  routes.post('/incidents/:id', operator, async (c) => {
    const id = c.req.param('id');
    const parsed = IncidentChangeSchema.safeParse(bodyOf(await c.req.parseBody({ all: true }), true));
    if (!parsed.success) return showIncident(c, id, problemIn(parsed.error));
    try {
      await changeIncident(deps, { actor: c.get('actor') }, id, incidentChangeOf(parsed.data));
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 422) throw error;
      return showIncident(c, id, error.message);
    }
    return c.redirect(incidentPath(id), 303);
  });
  routes.post('/incidents/:id/close', operator, async (c) => {
    const id = c.req.param('id');
    await changeIncident(deps, { actor: c.get('actor') }, id, { toMs: deps.now() });
    return c.redirect(incidentPath(id), 303);
  });
  routes.post('/incidents/:id/remove', operator, async (c) => {
    await removeIncident(deps, { actor: c.get('actor') }, c.req.param('id'));
    return c.redirect('/incidents', 303);
  });
  return routes;

  function chrome(c: PageContext, subject: string, liveUrl = '/live?view=frame') {
    const frame = { actor: c.get('actor'), nowMs: deps.now(), current: '/incidents', subject };
    return chromeOf(deps, { ...frame, liveUrl });
  }

  function instances(): readonly string[] {
    return deps.watch.snapshots().map(({ instance }) => instance);
  }

  async function newPage(c: PageContext, { about = [], ...filled }: Filling) {
    const open = (await deps.incidents.list()).filter(({ toMs }) => toMs === null);
    const form: IncidentFormProps = {
      action: '/incidents',
      submit: 'Declare incident',
      ...{ problem: '', title: '', to: '', affects: '', severity: 'critical', notes: [] },
      from: beganAt(deps),
      instances:
        instances().length > 1 ? instances().map((name) => ({ name, isOn: about.includes(name) })) : [],
      ...filled,
    };
    const cards = open.map((incident) => cardOf(incident, deps.now()));
    return <NewIncidentPage chrome={chrome(c, 'New incident')} form={form} open={cards} />;
  }

  async function showIncident(c: PageContext, id: string, problem: string) {
    const incident = await findIncident(deps, id);
    const facts = await gatherFacts(deps, incident);
    const form = { ...formOfIncident(incident, instances()), problem };
    const rows = await rowsOfIncident(deps, incident, facts);
    const view = incidentPageOf(
      incident,
      facts,
      rows,
      c.get('actor'),
      form,
      incidentPictureUrl(deps, incident),
    );
    return c.html(
      <IncidentPage chrome={chrome(c, incident.title, incidentLiveUrl(incident))} view={view} />,
      problem === '' ? 200 : 422,
    );
  }
}

/**
 * Since when something is wrong now, as a form has it. Empty where nothing is: then it is about the past, and now would be
 * the one time at which it was not.
 */
function beganAt({ watch }: Pick<AppDeps, 'watch'>): string {
  const begins = watch.findings().flatMap(({ severity, sinceMs }) => (severity === 'info' ? [] : [sinceMs]));
  return begins.length === 0 ? '' : localTime(Math.min(...begins));
}

/** From the first to the last of the entries that were ticked, or from the beginning of a finding. */
async function filledFrom(deps: AppDeps, c: PageContext): Promise<Filling> {
  const finding = deps.watch.findings().find(({ key }) => key === c.req.query('finding'));
  if (finding)
    return filled({
      title: finding.headline,
      fromMs: finding.sinceMs,
      toMs: null,
      severity: finding.severity === 'critical' ? 'critical' : 'warning',
      instances: [finding.instance],
    });
  // Of each row its first and its last entry.
  const ids = (c.req.queries('entry') ?? []).slice(0, MAX_TICKED).flatMap((ids) => ids.split(','));
  const entries = (await Promise.all(ids.map((id) => deps.activity.get(id)))).filter(
    (entry) => entry !== null,
  );
  const first = entries.reduce<(typeof entries)[number] | null>(
    (least, entry) => (least === null || entry.atMs < least.atMs ? entry : least),
    null,
  );
  if (first === null) return {};
  const isCritical = entries.some(({ state }) => state === 'critical');
  return filled({
    title: first.group === 'findings' || first.group === 'alerts' ? first.text.replace(/[.:].*$/s, '') : '',
    fromMs: first.atMs,
    // One entry is a beginning, and no range. Whole seconds, so that the last one is within it.
    toMs:
      entries.length > 1 ? Math.min(deps.now(), Math.max(...entries.map(({ atMs }) => atMs)) + 1_000) : null,
    severity: isCritical ? 'critical' : 'warning',
    instances: [],
  });
}

function filled({ title, fromMs, toMs, severity, instances: about }: Filled): Filling {
  return { about, title, severity, from: localTime(fromMs), to: toMs === null ? '' : localTime(toMs) };
}

type FormBody = Readonly<Record<string, unknown>>;

/** What the form sends, as the API would be asked. Times are UTC; an empty end is none. */
function bodyOf(form: FormBody, hasNotes: boolean): FormBody {
  const text = (name: string): string => (typeof form[name] === 'string' ? form[name] : '');
  const utc = (name: string): string =>
    text(name) === '' ? '' : new Date(Date.parse(`${text(name)}Z`) || 0).toISOString();
  const chosen = form.instance === undefined ? [] : [form.instance].flat();
  return {
    title: text('title'),
    affects: text('affects'),
    severity: text('severity') || 'critical',
    from: utc('from'),
    to: utc('to') || null,
    instances: chosen,
    ...(hasNotes ? { notes: Object.fromEntries(NOTE_SECTIONS.map((name) => [name, text(name)])) } : {}),
  };
}

function typed(body: FormBody, problem: string): Filling {
  const text = (name: string): string => String(body[name] ?? '');
  return {
    problem,
    about: Array.isArray(body.instances) ? body.instances.map(String) : [],
    title: text('title'),
    affects: text('affects'),
    from: text('from').slice(0, 19),
    to: text('to').slice(0, 19),
    severity: body.severity === 'warning' ? 'warning' : 'critical',
  };
}

function problemIn(error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}
