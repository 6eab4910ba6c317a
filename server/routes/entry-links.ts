import { encodePart, instancePath, queuePath } from '../../views/links.js';
import { ALL_INSTANCES } from '../model/timeline-entry.js';
import type { ActivityEntry } from '../timeline/activity.js';

/** The timeline's page, open at an entry. The id of its element is `entry-` and its own. */
export function entryPath(id: string): string {
  return `/timeline?entry=${encodePart(id)}#${entryElementId(id)}`;
}

export function entryElementId(id: string): string {
  return `entry-${id.replace(/[^\w-]/g, '_')}`;
}

export function incidentPath(id: string): string {
  return `/incidents/${encodePart(id)}`;
}

/** Where an entry stands, and where what it is about is looked at. */
export function entryLinks(entry: ActivityEntry): { readonly self: string; readonly about: string | null } {
  return { self: entryPath(entry.id), about: aboutOf(entry) };
}

function aboutOf({ kind, group, instance, queue, ref }: ActivityEntry): string | null {
  if (group === 'incidents' && ref !== null) return incidentPath(ref);
  if (/^(action\.)?replay\./.test(kind)) return '/replays';
  if (queue !== null && instance !== ALL_INSTANCES) return queuePath(instance, queue);
  if (group === 'workers') return '/workers';
  return instance === ALL_INSTANCES ? null : instancePath(instance);
}
