/** A run of a job as its worker has recorded it when it began. */
export interface JobRun {
  readonly jobId: string;
  readonly atMs: number;
  /** When the worker asked for it: Redis gave it between then and its beginning, however long a busy machine took. */
  readonly takenAtMs: number;
  /** How often BullMQ had found the job stalled by then. */
  readonly stalls: number;
}

/** A time of which Redis has forgotten what happened, or may have. */
export interface LostTime {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Jobs by how often they ran, and whose doing it is where that is not once. */
export interface RunVerdict {
  readonly once: number;
  /** Never run. */
  readonly lost: readonly string[];
  /** Run again as BullMQ itself took the job back from a worker it thought dead: at least once is what it promises. */
  readonly stalled: number;
  /** Run again as Redis has forgotten the first run, and with it that the job was ever moved. */
  readonly forgotten: number;
  /** Run again for no such reason: ours. */
  readonly doubled: readonly { readonly jobId: string; readonly runs: readonly JobRun[] }[];
}

/** Judges what workers have recorded against the jobs that there are. */
export function judgeRuns(
  ids: readonly string[],
  runs: readonly JobRun[],
  lost: readonly LostTime[],
): RunVerdict {
  const byJob = new Map<string, JobRun[]>(ids.map((id) => [id, []]));
  for (const run of runs) byJob.get(run.jobId)?.push(run);
  const isForgotten = ({ takenAtMs, atMs }: JobRun): boolean =>
    lost.some(({ fromMs, toMs }) => atMs >= fromMs && takenAtMs <= toMs);
  let [once, stalled, forgotten] = [0, 0, 0];
  const never: string[] = [];
  const doubled: RunVerdict['doubled'][number][] = [];
  for (const [id, all] of byJob) {
    // In the order in which Redis gave them out: a worker that lost it may begin later than who was given the job instead.
    const inOrder = all.sort((a, b) => a.takenAtMs - b.takenAtMs);
    if (inOrder.length === 0) never.push(id);
    else if (inOrder.length === 1) once += 1;
    else {
      const causes = inOrder.slice(1).map((run, i) => {
        const before = inOrder[i];
        if (before && run.stalls > before.stalls) return 'stalled';
        return before && isForgotten(before) ? 'forgotten' : 'doubled';
      });
      if (causes.includes('doubled')) doubled.push({ jobId: id, runs: inOrder });
      else if (causes.includes('forgotten')) forgotten += 1;
      else stalled += 1;
    }
  }
  return { once, lost: never, stalled, forgotten, doubled };
}
