import type { RecordEvent, TimelineEntry, TimelineLog } from '../model/timeline-entry.js';
import type { Lease } from '../store/lease.js';

/**
 * A killed holder is followed within 11 s, and told nothing of what happened then: what others have noticed for this long
 * is told by the one that follows.
 */
const HELD_BACK_MS = 15_000;
const MAX_HELD_BACK = 200;
/** Two consoles notice the same within this. */
const SAME_WITHIN_MS = 15_000;

type Event = Omit<TimelineEntry, 'id'>;

export interface TellAsHolderDeps {
  readonly lease: Pick<Lease, 'isHeld' | 'onTaken'>;
  readonly timeline: Pick<TimelineLog, 'list'>;
  readonly tell: RecordEvent;
  readonly now: () => number;
}

/** For what every console of a store notices by itself: told by the holder of the lease alone, so once. */
export function recordAsLeader({ lease, timeline, tell, now }: TellAsHolderDeps): RecordEvent {
  let heldBack: Event[] = [];
  lease.onTaken(() => {
    const events = heldBack.filter(({ atMs }) => atMs > now() - HELD_BACK_MS);
    heldBack = [];
    if (events.length > 0) void tellUnknown(events);
  });
  const tellUnknown = async (events: readonly Event[]): Promise<void> => {
    const sinceMs = Math.min(...events.map(({ atMs }) => atMs)) - SAME_WITHIN_MS;
    const known = await timeline.list({ sinceMs, limit: 500 }).catch(() => []);
    for (const event of events) if (!known.some((entry) => isSame(entry, event))) tell(event);
  };
  return (event) => {
    if (lease.isHeld()) tell(event);
    else
      heldBack = [...heldBack.filter(({ atMs }) => atMs > now() - HELD_BACK_MS), event].slice(-MAX_HELD_BACK);
  };
}

function isSame(a: Event, b: Event): boolean {
  return (
    a.kind === b.kind &&
    a.instance === b.instance &&
    a.queue === b.queue &&
    a.worker === b.worker &&
    Math.abs(a.atMs - b.atMs) < SAME_WITHIN_MS
  );
}
