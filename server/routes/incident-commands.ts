import { z } from '@hono/zod-openapi';
import { type Actor, type ChangeBy, includesRole } from '../model/role.js';
import { ALL_INSTANCES } from '../model/timeline-entry.js';
import { auditOf } from '../timeline/audit-log.js';
import { type Incident, NOTE_SECTIONS } from '../timeline/incident.js';
import type { AppDeps } from './app-deps.js';
import { Problem } from './problem.js';

/** Incidents are opened, changed, closed and forgotten here, by API and page alike; each leaves an audited action. */

type Deps = Pick<AppDeps, 'incidents' | 'timeline' | 'audit' | 'watch' | 'now' | 'newId'>;

type IncidentOrder = Pick<
  Incident,
  'title' | 'fromMs' | 'toMs' | 'instances' | 'severity' | 'affects' | 'notes'
>;

const MAX_TITLE_CHARS = 200;
const MAX_NOTE_CHARS = 20_000;
const ONE_LINE = /^\P{Cc}*$/u;
const line = (most: number) =>
  z
    .string('must be text')
    .trim()
    .max(most, `must be at most ${most} characters`)
    .regex(ONE_LINE, 'must be one line');
const time = z.iso.datetime({ offset: true, error: 'must be a time such as 2026-01-31T03:00:00Z' });
const note = z
  .string('must be text')
  .max(MAX_NOTE_CHARS, `must be at most ${MAX_NOTE_CHARS} characters`)
  .optional();

export const IncidentOrderSchema = z.strictObject({
  title: line(MAX_TITLE_CHARS).min(1, 'must say what it was'),
  from: time,
  to: time.nullable().optional().meta({ description: 'null: it lasts' }),
  instances: z
    .array(z.string())
    .max(50, 'must be at most 50')
    .optional()
    .meta({ description: 'Empty: every Redis' }),
  severity: z.enum(['critical', 'warning'], 'must be critical or warning').optional(),
  affects: line(MAX_TITLE_CHARS).optional().meta({
    description: 'What customers notice, in their words',
    example: 'Sending of e-mail',
  }),
  notes: z
    .strictObject({ summary: note, cause: note, wentWell: note, wentBadly: note, nextSteps: note })
    .optional()
    .meta({ description: 'Sections of the post-mortem, in Markdown' }),
});
export const IncidentChangeSchema = IncidentOrderSchema.partial();

/** What was posted, with what goes without saying. */
export function incidentOrderOf(body: z.infer<typeof IncidentOrderSchema>): IncidentOrder {
  return {
    ...{ toMs: null, instances: [], severity: 'critical', affects: '', notes: {} },
    ...incidentChangeOf(body),
    title: body.title,
    fromMs: Date.parse(body.from),
  };
}

export function incidentChangeOf(body: z.infer<typeof IncidentChangeSchema>): Partial<IncidentOrder> {
  const { from, to, title, instances, severity, affects, notes } = body;
  return {
    ...(title === undefined ? {} : { title }),
    ...(from === undefined ? {} : { fromMs: Date.parse(from) }),
    ...(to === undefined ? {} : { toMs: to === null ? null : Date.parse(to) }),
    ...(instances === undefined ? {} : { instances }),
    ...(severity === undefined ? {} : { severity }),
    ...(affects === undefined ? {} : { affects }),
    ...(notes === undefined ? {} : { notes: notesOf(notes) }),
  };
}

function notesOf(notes: z.infer<typeof IncidentOrderSchema>['notes']): IncidentOrder['notes'] {
  return Object.fromEntries(
    NOTE_SECTIONS.flatMap((section) => {
      const text = notes?.[section];
      return text === undefined ? [] : [[section, text]];
    }),
  );
}

/** Longer is no incident, and would read the whole store. */
const LONGEST_MS = 31 * 24 * 3_600_000;
const MAX_AHEAD_MS = 60_000;

export async function openIncident(deps: Deps, by: ChangeBy, order: IncidentOrder): Promise<Incident> {
  checkOrder(deps, order);
  const { actor } = by;
  const atMs = deps.now();
  const incident: Incident = {
    ...order,
    id: deps.newId(),
    createdBy: actor.name,
    createdAtMs: atMs,
    updatedAtMs: atMs,
  };
  if (by.isDryRun) return incident;
  await deps.incidents.save(incident);
  await record(deps, actor, incident, 'incident.opened', `Incident: ${incident.title}.`);
  await audit(deps, by, 'incident.open', incident, {}, shownOf(incident));
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
  by: ChangeBy,
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
  if (by.isDryRun) return incident;
  await deps.incidents.save(incident);
  if (before.toMs === null && incident.toMs !== null)
    await record(deps, by.actor, incident, 'incident.closed', `Incident closed: ${incident.title}.`);
  if (before.toMs !== null && incident.toMs === null)
    await record(deps, by.actor, incident, 'incident.opened', `Incident opened again: ${incident.title}.`);
  await audit(deps, by, 'incident.change', incident, shownOf(before), shownOf(incident));
  return incident;
}

/** Forgets the incident; timeline and audit stay. @throws Problem 403 for whoever is neither its author nor an admin. */
export async function removeIncident(deps: Deps, by: ChangeBy, id: string): Promise<void> {
  const before = await findIncident(deps, id);
  if (before.createdBy !== by.actor.name && !includesRole(by.actor.role, 'admin'))
    throw new Problem(403, 'forbidden', 'it was marked by somebody else: ask them, or an admin');
  if (by.isDryRun) return;
  await deps.incidents.remove(id);
  await audit(deps, by, 'incident.remove', before, shownOf(before), {});
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

async function record(
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
  { actor, reason = '' }: ChangeBy,
  action: string,
  incident: Incident,
  before: Record<string, string>,
  after: Record<string, string>,
): Promise<void> {
  const auditInput = {
    action,
    reason,
    instance: incident.instances[0] ?? ALL_INSTANCES,
    args: { incident: incident.id },
    before,
    after,
    summary: `Incident ${incident.title}.`,
  };
  await deps.audit.append(auditOf(deps.newId(), deps.now(), actor, auditInput));
}
