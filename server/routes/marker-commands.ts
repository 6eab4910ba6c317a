import { type Actor, type ChangeBy, includesRole } from '../model/role.js';
import type { TimelineEntry } from '../model/timeline-entry.js';
import { type AuditInput, auditOf } from '../timeline/audit-log.js';
import { recallMarkers } from '../watch/marker-cache.js';
import type { AppDeps } from './app-deps.js';
import { Problem } from './problem.js';

/** What people enter into the timeline, and what they change of it. API and page act by these. */

type Deps = Pick<AppDeps, 'timeline' | 'activity' | 'audit' | 'markers' | 'now' | 'newId'>;

/** Enters a marker of whoever asks, at `atMs`. */
export async function enterMarker(
  deps: Deps,
  by: ChangeBy,
  marker: Pick<TimelineEntry, 'atMs' | 'instance' | 'kind' | 'queue' | 'text' | 'ref'>,
): Promise<TimelineEntry> {
  const entry = { ...marker, id: deps.newId(), worker: null, actor: by.actor.name };
  if (by.isDryRun) return entry;
  // Kept first: what is answered for must outlive the process.
  await deps.timeline.append(entry);
  deps.markers.add(entry);
  await audit(deps, by, 'note.enter', entry, { after: { text: entry.text }, summary: 'A note was entered.' });
  return entry;
}

/** A note on an entry, at this moment, about what that is about. @throws Problem 404 where there is no such entry. */
export async function annotate(
  deps: Deps,
  by: ChangeBy,
  about: string,
  text: string,
): Promise<TimelineEntry> {
  const entry = await deps.activity.get(about);
  if (!entry) throw new Problem(404, 'not-found', `there is no entry ${about.slice(0, 100)} on the timeline`);
  const { instance, queue } = entry;
  const note = { atMs: deps.now(), instance, kind: 'marker.note', queue, text, ref: about } as const;
  return enterMarker(deps, by, note);
}

/** @throws Problem 404 for no marker, 403 for one that somebody else entered. */
export async function editMarker(deps: Deps, by: ChangeBy, id: string, text: string): Promise<TimelineEntry> {
  const before = await ownMarker(deps, by.actor, id);
  if (by.isDryRun) return { ...before, text };
  await deps.activity.editMarker(id, text);
  await recall(deps);
  const changed = { before: { text: before.text }, after: { text } };
  await audit(deps, by, 'note.edit', before, { ...changed, summary: 'A note was changed.' });
  return { ...before, text };
}

/** @throws Problem 404 for no marker, 403 for one that somebody else entered. */
export async function removeMarker(deps: Deps, by: ChangeBy, id: string): Promise<void> {
  const before = await ownMarker(deps, by.actor, id);
  if (by.isDryRun) return;
  await deps.activity.removeMarker(id);
  await recall(deps);
  const changed = { before: { text: before.text }, after: { text: '' } };
  await audit(deps, by, 'note.remove', before, { ...changed, summary: 'A note was removed.' });
}

async function recall(deps: Deps): Promise<void> {
  deps.markers.clear();
  await recallMarkers(deps.markers, deps.timeline, deps.now());
}

async function ownMarker(deps: Deps, actor: Actor, id: string): Promise<TimelineEntry> {
  const marker = await deps.activity.marker(id);
  if (!marker) throw new Problem(404, 'not-found', `there is no note or deploy ${id.slice(0, 100)}`);
  if (marker.actor !== actor.name && !includesRole(actor.role, 'admin'))
    throw new Problem(403, 'forbidden', 'it was entered by somebody else: ask them, or an admin');
  return marker;
}

async function audit(
  deps: Deps,
  { actor, reason = '' }: ChangeBy,
  action: string,
  { id, instance, queue }: TimelineEntry,
  change: Pick<AuditInput, 'before' | 'after' | 'summary'>,
): Promise<void> {
  const input = { ...change, action, reason, instance, queue, args: { entry: id } };
  await deps.audit.append(auditOf(deps.newId(), deps.now(), actor, input));
}
