import type { TimelineProps } from '../../../views/timeline.js';
import type { TimelineEntry } from '../../store/timeline-entry.js';
import { moment } from './words.js';

export function timelineOf(
  entries: readonly TimelineEntry[],
  nowMs: number,
  hasManyInstances: boolean,
): TimelineProps {
  return {
    entries: entries.map((entry) => ({
      id: entry.id,
      at: moment(entry.atMs, nowMs),
      place: hasManyInstances ? entry.instance : '',
      text: entry.text,
    })),
  };
}
