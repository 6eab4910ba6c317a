import { type Actor, includesRole } from '../model/role.js';
import type { TimelineEntry } from '../model/timeline-entry.js';
import { auditOf } from '../timeline/audit-log.js';
import { recallMarkers } from '../watch/marker-cache.js';
import type { AppDeps } from './app-deps.js';
import { Problem } from './problem.js';

/** What people enter into the timeline, and what they change of it. API and page act by these. */

type Deps = Pick<AppDeps, 'timeline' | 'activity' | 'audit' | 'markers' | 'now' | 'newId'>;

/** Enters a marker. */
export async function enterMarker(deps: Deps, entry: TimelineEntry): Promise<void> {
  // Kept first: what is answered for must outlive the process.
  await deps.timeline.append(entry);
  deps.markers.add(entry);
}

/** A note on an entry, at this moment, about what that is about. @throws Problem 404 where there is no such entry. */
export async function annotate(
  deps: Deps,
  actor: Actor,
  about: string,
  text: string,
): Promise<TimelineEntry> {
  const entry = await deps.activity.get(about);
  if (!entry) throw new Problem(404, 'not-found', `there is no entry ${about.slice(0, 100)} on the timeline`);
  const note: TimelineEntry = {
    id: deps.newId(),
    atMs: deps.now(),
    instance: entry.instance,
    kind: 'marker.note',
    queue: entry.queue,
    worker: null,
    text,
    actor: actor.name,
    ref: about,
  };
  await enterMarker(deps, note);
  return note;
}

/** @throws Problem 404 for no marker, 403 for one that somebody else entered. */
export async function editMarker(deps: Deps, actor: Actor, id: string, text: string): Promise<TimelineEntry> {
  const before = await ownMarker(deps, actor, id);
  await deps.activity.editMarker(id, text);
  await audit(deps, actor, 'note.edit', before, text);
  return { ...before, text };
}

/** @throws Problem 404 for no marker, 403 for one that somebody else entered. */
export async function removeMarker(deps: Deps, actor: Actor, id: string): Promise<void> {
  const before = await ownMarker(deps, actor, id);
  await deps.activity.removeMarker(id);
  await audit(deps, actor, 'note.remove', before, '');
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
  actor: Actor,
  action: string,
  marker: TimelineEntry,
  text: string,
): Promise<void> {
  const auditInput = {
    action,
    instance: marker.instance,
    queue: marker.queue,
    args: { entry: marker.id },
    before: { text: marker.text },
    after: { text },
    summary: action === 'note.edit' ? 'A note was changed.' : 'A note was removed.',
  };
  await deps.audit.append(auditOf(deps.newId(), deps.now(), actor, auditInput));
  deps.markers.clear();
  await recallMarkers(deps.markers, deps.timeline, deps.now());
}
