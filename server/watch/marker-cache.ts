import type { Marker } from '../model/snapshot.js';
import type { TimelineLog } from '../model/timeline-entry.js';
import { ALL_INSTANCES, type MarkerEntryKind, type TimelineEntry } from '../model/timeline-entry.js';

/** Older markers explain nothing that happens now; the store keeps them. */
export const MARKERS_KEPT_MS = 24 * 3_600_000;
/** Of each instance: a pipeline that marks every commit must not fill the memory. */
export const MAX_MARKERS = 200;

const NONE: readonly Marker[] = [];

/**
 * The markers of the last 24 hours in the process, so that every Snapshot can carry them without asking the store.
 * What it hands out is never changed: a new marker makes a new list.
 */
export class MarkerCache {
  readonly #now: () => number;
  readonly #held: Map<string, readonly Marker[]>;

  /** @param instances names of all that are watched. */
  constructor(instances: readonly string[], now: () => number) {
    this.#now = now;
    this.#held = new Map(instances.map((name) => [name, NONE]));
  }

  get instances(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Takes an entry of the timeline; one that is no marker, or too old, changes nothing. */
  add(entry: Omit<TimelineEntry, 'id'>): void {
    const kind = markerKind(entry.kind);
    if (kind === null) return;
    const { atMs, text, queue } = entry;
    const marker: Marker = { atMs, kind, text, actor: entry.actor ?? 'unknown', queue };
    for (const [name, held] of this.#held)
      if (entry.instance === name || entry.instance === ALL_INSTANCES)
        this.#held.set(name, this.#bounded([...held, marker].sort((a, b) => a.atMs - b.atMs)));
  }

  /** Forgets all: one was changed or removed, and they are read anew. */
  clear(): void {
    for (const name of this.#held.keys()) this.#held.set(name, NONE);
  }

  /** Of the last 24 hours, oldest first, at most MAX_MARKERS; the same array until something changes. */
  of(instance: string): readonly Marker[] {
    const held = this.#held.get(instance) ?? NONE;
    const kept = this.#bounded(held);
    if (kept !== held) this.#held.set(instance, kept);
    return kept;
  }

  #bounded(markers: readonly Marker[]): readonly Marker[] {
    const sinceMs = this.#now() - MARKERS_KEPT_MS;
    const isBounded = markers.length <= MAX_MARKERS && (markers[0]?.atMs ?? sinceMs) >= sinceMs;
    return isBounded ? markers : markers.filter(({ atMs }) => atMs >= sinceMs).slice(-MAX_MARKERS);
  }
}

export const MARKER_ENTRY_KINDS: readonly MarkerEntryKind[] = ['marker.deploy', 'marker.note'];

/** The marker that an entry of the timeline is; null: none. */
export function markerKind(kind: TimelineEntry['kind']): Marker['kind'] | null {
  return kind === 'marker.deploy' ? 'deploy' : kind === 'marker.note' ? 'note' : null;
}

/** Fills the cache from the store, so that a console that restarts in an incident still knows of the deploy before it. */
export async function recallMarkers(cache: MarkerCache, timeline: TimelineLog, nowMs: number): Promise<void> {
  const known = new Map<string, Parameters<MarkerCache['add']>[0]>();
  for (const instance of cache.instances) {
    const entries = await timeline.list({
      instance,
      kinds: MARKER_ENTRY_KINDS,
      sinceMs: nowMs - MARKERS_KEPT_MS,
      limit: MAX_MARKERS,
    });
    // One about every instance is found with each of them.
    for (const entry of entries) known.set(entry.id, entry);
  }
  for (const entry of known.values()) cache.add(entry);
}
