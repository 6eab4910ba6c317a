import type { Subject } from '../model/finding.js';
import { formatDuration, formatRatio } from '../model/format.js';
import type { JobTypeState } from '../model/job-type.js';
import type { QueueState } from '../model/snapshot.js';
import { plainName } from '../model/words.js';

/** A type that holds less of its queue's busy slots is not why the queue falls behind. */
const MAIN_SHARE = 0.5;

/** Does a type keep at least half of its queue's busy slots? By the jobs in hand, else by finished runs × their time. */
export function holdsMostSlots(type: JobTypeState, queue: QueueState): boolean {
  const busy = type.active?.value ?? type.effectiveConcurrency ?? 0;
  return queue.counts.active > 0 && busy >= queue.counts.active * MAIN_SHARE;
}

/** " Most of the work is digest: 80% of what waits, 8 s a run.", for findings about a queue's flow. */
export interface MainWork {
  readonly words: string;
  /** The types that the words name. */
  readonly accountsFor: readonly Subject[];
}

/** What sets the time that a queue needs to drain. Empty: no type stands out. */
export function mainWork(queue: QueueState): MainWork {
  const [most] = queue.types
    .flatMap(({ name, slow, run }) =>
      slow?.code === 'drain' && run ? [{ name, share: slow.shareOfWork, run }] : [],
    )
    // By name where they are equal, or another would be told from tick to tick.
    .sort((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1));
  if (!most) return { words: '', accountsFor: [] };
  return {
    words: ` Most of the work is ${plainName(most.name)}: ${formatRatio(most.share)} of what waits, ${formatDuration(most.run.p50Ms / 1000)} a run.`,
    accountsFor: [{ queue: queue.id, jobType: most.name }],
  };
}
