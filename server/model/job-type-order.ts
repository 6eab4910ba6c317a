import type { JobTypeState } from './job-type.js';
import type { QueueState } from './snapshot.js';

/** What can be wrong with a job type, worst first. */
const TYPE_TROUBLES = ['failing', 'absent', 'batch-wait', 'slow'] as const;
export type TypeTrouble = (typeof TYPE_TROUBLES)[number];

/**
 * What is wrong with a job type, worst first; empty: nothing. A batch that fills in time is how its client works, and
 * no trouble.
 */
export function typeTroubles(type: JobTypeState): readonly TypeTrouble[] {
  return TYPE_TROUBLES.filter((trouble) => {
    switch (trouble) {
      case 'failing':
        return type.failing !== null;
      case 'absent':
        // What fails completes nothing: it is there, and failing says more.
        return type.absent !== null && type.failing === null;
      case 'batch-wait':
        return type.batchWait?.isStarved === true;
      default:
        return type.slow !== null;
    }
  });
}

/** One job type with the queue it is of. */
export interface TypeOfQueue {
  readonly queue: QueueState;
  readonly type: JobTypeState;
  /** What its waiting jobs will take to run, one after the other; a type that has not run is taken for average. */
  readonly workSeconds: number;
}

/** All job types of a queue with the work that waits in each, in the order of the Snapshot. */
export function typesOfQueue(queue: QueueState): readonly TypeOfQueue[] {
  const runs = queue.types.flatMap(({ run }) => run ?? []);
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  const usualMs = count > 0 ? runs.reduce((sum, run) => sum + run.count * run.meanMs, 0) / count : 0;
  return queue.types.map((type) => ({
    queue,
    type,
    workSeconds: ((type.waiting?.value ?? 0) * (type.run?.meanMs ?? usualMs)) / 1000,
  }));
}

/** By what lists of job types can be sorted; largest first. */
export const TYPE_SORTS = ['work', 'backlog', 'memory', 'slow'] as const;
type TypeSort = (typeof TYPE_SORTS)[number];

/** `slow`: those in trouble, worst first, then by work. Ties go to those that keep more slots busy, then by name. */
export function compareTypes(sort: TypeSort): (a: TypeOfQueue, b: TypeOfQueue) => number {
  const weigh = WEIGHTS[sort];
  return (a, b) => {
    for (const weight of weigh) {
      const difference = weight(b) - weight(a);
      if (difference !== 0 && !Number.isNaN(difference)) return difference;
    }
    return compareText(a.queue.id, b.queue.id) || compareText(a.type.name, b.type.name);
  };
}

type Weight = (one: TypeOfQueue) => number;
const work: Weight = ({ workSeconds }) => workSeconds;
const waiting: Weight = ({ type }) => type.waiting?.value ?? 0;
const busy: Weight = ({ type }) => type.effectiveConcurrency ?? 0;
const memory: Weight = ({ type }) => type.memoryBytes ?? 0;
/** The worst decides: what fails outweighs what is slow. */
const trouble: Weight = ({ type }) => {
  const [worst] = typeTroubles(type);
  return worst === undefined ? 0 : TYPE_TROUBLES.length - TYPE_TROUBLES.indexOf(worst);
};

const WEIGHTS: Readonly<Record<TypeSort, readonly Weight[]>> = {
  work: [work, waiting, busy],
  backlog: [waiting, work, busy],
  memory: [memory, work, waiting, busy],
  slow: [trouble, work, waiting, busy],
};

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
