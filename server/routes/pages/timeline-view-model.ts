import type { TimelineProps } from '../../../views/timeline.js';
import { plainName } from '../../findings/words.js';
import { ALL_INSTANCES, type TimelineEntry, type TimelineKind } from '../../store/timeline-entry.js';
import { moment } from './words.js';

const LABELS: Partial<Record<TimelineKind, string>> = { 'marker.deploy': 'Deploy', 'marker.note': 'Note' };

export function timelineOf(
  entries: readonly TimelineEntry[],
  nowMs: number,
  hasManyInstances: boolean,
): TimelineProps {
  return {
    entries: entries.map((entry) => ({
      id: entry.id,
      at: moment(entry.atMs, nowMs),
      place: hasManyInstances ? (entry.instance === ALL_INSTANCES ? 'all' : entry.instance) : '',
      label: LABELS[entry.kind] ?? '',
      text: entry.text,
      by: byWhom(entry),
    })),
  };
}

function byWhom({ actor, queue }: TimelineEntry): string {
  if (!actor) return '';
  return `by ${plainName(actor)}${queue === null ? '' : `, ${plainName(queue.slice(queue.lastIndexOf(':') + 1))}`}`;
}
