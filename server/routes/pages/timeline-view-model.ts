import type { TimelineProps } from '../../../views/timeline.js';
import { ALL_INSTANCES, type TimelineEntry, type TimelineKind } from '../../model/timeline-entry.js';
import { plainName } from '../../model/words.js';
import { replayFormPath } from './links.js';
import { moment } from './words.js';

const LABELS: Partial<Record<TimelineKind, string>> = { 'marker.deploy': 'Deploy', 'marker.note': 'Note' };

export function timelineOf(
  entries: readonly TimelineEntry[],
  nowMs: number,
  hasManyInstances: boolean,
  mayReplay = false,
): TimelineProps {
  return {
    entries: entries.map((entry) => ({
      id: entry.id,
      at: moment(entry.atMs, nowMs),
      place: hasManyInstances ? (entry.instance === ALL_INSTANCES ? 'all' : entry.instance) : '',
      label: LABELS[entry.kind] ?? '',
      text: entry.text,
      by: byWhom(entry),
      replayHref: mayReplay ? replayHrefOf(entry) : null,
    })),
  };
}

/** After a deploy or a crash jobs fail that can be made up for; of which queue is asked where the event does not say. */
function replayHrefOf({ kind, queue, instance, atMs }: TimelineEntry): string | null {
  if (kind !== 'marker.deploy' && kind !== 'worker.crashed') return null;
  const at = instance === ALL_INSTANCES ? {} : { instance };
  return replayFormPath({ ...at, queue: queue ?? '', fromMs: atMs });
}

function byWhom({ actor, queue }: TimelineEntry): string {
  if (!actor) return '';
  return `by ${plainName(actor)}${queue === null ? '' : `, ${plainName(queue.slice(queue.lastIndexOf(':') + 1))}`}`;
}
