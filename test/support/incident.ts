import type { ActivityEntry } from '../../server/model/activity-entry.js';
import { findingKey } from '../../server/model/finding.js';
import type { Episode } from '../../server/timeline/episode.js';
import type { IncidentFacts } from '../../server/timeline/incident/facts.js';
import { NOW_MS } from './snapshot.js';

export const MINUTE_MS = 60_000;

/** A full Redis, found at the beginning of the range and over after twelve minutes. */
export function anEpisode(over: Partial<Episode> = {}): Episode {
  return {
    id: 'episode-1',
    key: findingKey({ code: 'redis.full', instance: 'default', queue: null, node: '127.0.0.1:6379' }),
    code: 'redis.full',
    instance: 'default',
    queue: null,
    queues: [],
    node: '127.0.0.1:6379',
    jobType: null,
    severity: 'critical',
    headline: 'Redis is full',
    cause: 'Pending track jobs of analytics take 90 MB, 80% of its memory.',
    effect: "Producers can't add jobs; idle workers take none.",
    action: 'Make room.',
    beganAtMs: NOW_MS,
    lastSeenAtMs: NOW_MS + 12 * MINUTE_MS,
    endedAtMs: NOW_MS + 12 * MINUTE_MS,
    worst: [{ name: 'limit-share', label: 'used of limit', value: 1.12, unit: 'ratio' }],
    ...over,
  };
}

export function anEntry(over: Partial<ActivityEntry> = {}): ActivityEntry {
  return {
    id: 'entry-1',
    atMs: NOW_MS + 3 * MINUTE_MS,
    instance: 'default',
    kind: 'worker.joined',
    group: 'workers',
    queue: null,
    worker: null,
    text: 'w1 works on mail.',
    brief: null,
    actor: null,
    state: null,
    ref: null,
    audited: null,
    notes: [],
    ...over,
  };
}

/** Somebody pulled an action. */
export function aPull(
  action: string,
  over: Partial<ActivityEntry> = {},
  audited: Partial<NonNullable<ActivityEntry['audited']>> = {},
): ActivityEntry {
  return anEntry({
    kind: `action.${action}`,
    group: 'actions',
    actor: 'ana',
    text: 'Done.',
    audited: { action, reason: 'room first', status: 'applied', changes: [], measured: null, ...audited },
    ...over,
  });
}

/** An open incident, five minutes old, of which nothing is known. */
export function someFacts(over: Partial<IncidentFacts> = {}): IncidentFacts {
  return {
    fromMs: NOW_MS,
    toMs: null,
    nowMs: NOW_MS + 5 * MINUTE_MS,
    episodes: [],
    entries: [],
    areEntriesCut: false,
    history: null,
    replays: [],
    parkings: [],
    backlogThresholdJobs: 20,
    ...over,
  };
}
