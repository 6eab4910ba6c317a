import { type Actor, includesRole } from '../model/role.js';
import { ALL_INSTANCES } from '../model/timeline-entry.js';
import { auditOf } from '../timeline/audit-log.js';
import type { Incident } from '../timeline/incident.js';
import type { AppDeps } from './app-deps.js';
import { Problem } from './problem.js';

/** Incidents are opened, changed, closed and forgotten here, by API and page alike; each leaves an audited action. */

type Deps = Pick<AppDeps, 'incidents' | 'timeline' | 'audit' | 'watch' | 'now' | 'newId'>;

export type IncidentOrder = Pick<
  Incident,
  'title' | 'fromMs' | 'toMs' | 'instances' | 'severity' | 'affects' | 'notes'
>;

/** Longer is no incident, and would read the whole store. */
const LONGEST_MS = 31 * 24 * 3_600_000;
const MAX_AHEAD_MS = 60_000;

export async function openIncident(deps: Deps, actor: Actor, order: IncidentOrder): Promise<Incident> {
  checkOrder(deps, order);
  const atMs = deps.now();
  const incident: Incident = {
    ...order,
    id: deps.newId(),
    createdBy: actor.name,
    createdAtMs: atMs,
    updatedAtMs: atMs,
  };
  await deps.incidents.save(incident);
  await tell(deps, actor, incident, 'incident.opened', `Incident: ${incident.title}.`);
  await audit(deps, actor, 'incident.open', incident, {}, shownOf(incident));
  return incident;
}

/** @throws Problem 404 where there is none. */
export async function findIncident(deps: Pick<AppDeps, 'incidents'>, id: string): Promise<Incident> {
  const incident = await deps.incidents.get(id);
  if (!incident) throw new Problem(404, 'not-found', `there is no incident ${id.slice(0, 100)}`);
  return incident;
}

export async function changeIncident(
  deps: Deps,
  actor: Actor,
  id: string,
  change: Partial<IncidentOrder>,
): Promise<Incident> {
  const before = await findIncident(deps, id);
  const incident: Incident = {
    ...before,
    ...change,
    notes: { ...before.notes, ...change.notes },
    updatedAtMs: deps.now(),
  };
  checkOrder(deps, incident);
  await deps.incidents.save(incident);
  if (before.toMs === null && incident.toMs !== null)
    await tell(deps, actor, incident, 'incident.closed', `Incident closed: ${incident.title}.`);
  if (before.toMs !== null && incident.toMs === null)
    await tell(deps, actor, incident, 'incident.opened', `Incident opened again: ${incident.title}.`);
  await audit(deps, actor, 'incident.change', incident, shownOf(before), shownOf(incident));
  return incident;
}

/** Forgets the incident; timeline and audit stay. @throws Problem 403 for whoever is neither its author nor an admin. */
export async function removeIncident(deps: Deps, actor: Actor, id: string): Promise<void> {
  const before = await findIncident(deps, id);
  if (before.createdBy !== actor.name && !includesRole(actor.role, 'admin'))
    throw new Problem(403, 'forbidden', 'it was marked by somebody else: ask them, or an admin');
  await deps.incidents.remove(id);
  await audit(deps, actor, 'incident.remove', before, shownOf(before), {});
}

function checkOrder(deps: Deps, { fromMs, toMs, instances }: IncidentOrder): void {
  const nowMs = deps.now();
  if (fromMs > nowMs + MAX_AHEAD_MS) throw unfit('from', 'must not be in the future');
  if (toMs !== null && toMs < fromMs) throw unfit('to', 'must not be before from');
  if (toMs !== null && toMs > nowMs + MAX_AHEAD_MS)
    throw unfit('to', 'must not be in the future; null while the incident lasts');
  if (toMs !== null && toMs - fromMs > LONGEST_MS) throw unfit('to', 'must be at most 31 days after from');
  for (const name of instances)
    if (!deps.watch.snapshot(name)) throw unfit('instances', `there is no Redis named ${name.slice(0, 100)}`);
}

function unfit(field: string, problem: string): Problem {
  return new Problem(422, 'invalid-request', `${field}: ${problem}`, {}, [{ field, problem }]);
}

/** As the audit shows it, before and after. */
function shownOf({
  title,
  fromMs,
  toMs,
  severity,
  affects,
  notes,
  instances,
}: Incident): Record<string, string> {
  return {
    title,
    from: new Date(fromMs).toISOString(),
    to: toMs === null ? 'open' : new Date(toMs).toISOString(),
    severity,
    affects,
    instances: instances.join(', '),
    ...Object.fromEntries(Object.entries(notes).map(([section, text]) => [`note: ${section}`, text])),
  };
}

async function tell(
  deps: Deps,
  actor: Actor,
  incident: Incident,
  kind: 'incident.opened' | 'incident.closed',
  text: string,
): Promise<void> {
  const [only, another] = incident.instances;
  await deps.timeline.append({
    id: deps.newId(),
    atMs: deps.now(),
    instance: only !== undefined && another === undefined ? only : ALL_INSTANCES,
    kind,
    queue: null,
    worker: null,
    text,
    actor: actor.name,
    ref: incident.id,
  });
}

async function audit(
  deps: Deps,
  actor: Actor,
  action: string,
  incident: Incident,
  before: Record<string, string>,
  after: Record<string, string>,
): Promise<void> {
  const auditInput = {
    action,
    instance: incident.instances[0] ?? ALL_INSTANCES,
    args: { incident: incident.id },
    before,
    after,
    summary: `Incident ${incident.title}.`,
  };
  await deps.audit.append(auditOf(deps.newId(), deps.now(), actor, auditInput));
}
