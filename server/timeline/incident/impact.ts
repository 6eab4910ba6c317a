import type { Episode } from '../episode.js';
import type { IncidentFacts, Peak } from './facts.js';

/** A number of the impact, and where it comes from. */
export interface ImpactNumber extends Peak {
  readonly source: 'history' | 'findings';
}

/** The worst of the range; null: not known, which is not the same as none. */
export interface IncidentImpact {
  /** Share of the memory limit that Redis counted. */
  readonly memoryRatio: ImpactNumber | null;
  /** Jobs that waited at once, in all queues (history) or in the worst queue (findings). */
  readonly backlogJobs: ImpactNumber | null;
  readonly longestWaitSeconds: ImpactNumber | null;
  readonly refusedPerSecond: ImpactNumber | null;
  readonly failedJobs: ImpactNumber | null;
}

/** Labels of evidence that hold each number. */
const LABELS = {
  memoryRatio: ['share of the limit'],
  backlogJobs: ['waiting', 'waiting, all of them'],
  longestWaitSeconds: ['oldest has waited'],
  refusedPerSecond: ['writes refused'],
  failedJobs: ['failed since'],
} as const;

/** From the history where it knows, else from what findings saw at their worst. */
export function impactOf({ history, episodes }: IncidentFacts): IncidentImpact {
  const of = (name: Exclude<keyof typeof LABELS, 'failedJobs'>): ImpactNumber | null => {
    const peak = history?.[name] ?? null;
    return peak ? { ...peak, source: 'history' } : worstSeen(episodes, LABELS[name]);
  };
  const failed = history?.failedJobs ?? null;
  return {
    memoryRatio: of('memoryRatio'),
    backlogJobs: of('backlogJobs'),
    longestWaitSeconds: of('longestWaitSeconds'),
    refusedPerSecond: of('refusedPerSecond'),
    failedJobs:
      failed === null
        ? worstSeen(episodes, LABELS.failedJobs)
        : { value: failed, atMs: null, source: 'history' },
  };
}

function worstSeen(episodes: readonly Episode[], labels: readonly string[]): ImpactNumber | null {
  const values = episodes.flatMap(({ worst }) =>
    worst.flatMap(({ label, value }) => (labels.includes(label) && typeof value === 'number' ? [value] : [])),
  );
  return values.length > 0 ? { value: Math.max(...values), atMs: null, source: 'findings' } : null;
}
