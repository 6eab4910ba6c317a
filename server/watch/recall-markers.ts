import type { TimelineLog } from '../model/timeline-entry.js';
import { MARKER_ENTRY_KINDS, MARKERS_KEPT_MS, MAX_MARKERS, type MarkerCache } from './marker-cache.js';

/** Fills the book from the store, so that a console that restarts in an incident still knows of the deploy before it. */
export async function recallMarkers(book: MarkerCache, timeline: TimelineLog, nowMs: number): Promise<void> {
  const known = new Map<string, Parameters<MarkerCache['add']>[0]>();
  for (const instance of book.instances) {
    const entries = await timeline.list({
      instance,
      kinds: MARKER_ENTRY_KINDS,
      sinceMs: nowMs - MARKERS_KEPT_MS,
      limit: MAX_MARKERS,
    });
    // One about every instance is found with each of them.
    for (const entry of entries) known.set(entry.id, entry);
  }
  for (const entry of known.values()) book.add(entry);
}
