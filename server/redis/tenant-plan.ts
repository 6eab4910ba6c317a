/** Waiting or running jobs of one queue, as the plan of the next looks at their tenants sees them. */
export interface TenantNeed {
  readonly key: string;
  readonly count: number;
  /** Independent looks that what is known of it is worth, less what has come and gone since. */
  readonly samples: number;
  readonly isCensus: boolean;
  /** ms since tenants were looked at; Infinity: never. */
  readonly ageMs: number;
}

/** A tenant with 60% of a queue is then known to hold more than half: 1.96 × √(0.6 × 0.4 ÷ 150) is 8%. */
const WANTED = 150;
const A_LOOK = 24;
const STALE_MS = 30_000;

/**
 * Whose tenants are looked for first: by jobs for each look that was had, so that the longest are known first and equals
 * take turns. What is read in a tick is little: shared out evenly among many queues it would tell nothing of any.
 */
export function byUrgency(needs: readonly TenantNeed[]): readonly TenantNeed[] {
  return needs.toSorted(
    (a, b) =>
      Number(isWanting(b)) - Number(isWanting(a)) || jobsALook(b) - jobsALook(a) || (a.key < b.key ? -1 : 1),
  );
}

/**
 * Jobs to look at so that tenants become known, beside those that memory needs: sizes that are alike are known from few
 * jobs, and tenants are not.
 * @param urgent by `byUrgency`.
 * @param plan samples by key, as they are planned for memory.
 * @returns the same with more of what is missing, at most `budgetJobs` more.
 */
export function planTenantSamples(
  urgent: readonly TenantNeed[],
  plan: ReadonlyMap<string, number>,
  budgetJobs: number,
): ReadonlyMap<string, number> {
  const planned = new Map(plan);
  let left = budgetJobs;
  for (const { key, count } of urgent.filter(isWanting)) {
    const has = planned.get(key) ?? 0;
    const more = Math.min(A_LOOK, count) - has;
    if (more <= 0 || more > left) continue;
    planned.set(key, has + more);
    left -= more;
  }
  return planned;
}

function isWanting({ ageMs, isCensus, samples }: TenantNeed): boolean {
  return ageMs >= STALE_MS || (!isCensus && samples < WANTED);
}

function jobsALook({ count, samples }: TenantNeed): number {
  return count / (samples + A_LOOK);
}

/**
 * Which jobs' data are read within a budget of bytes: in the order they are given (at random within a queue), until what is left might not
 * hold the next. The one with which that is reached is still read, as its size was not a reason to take it: a rule that left
 * it out would favour small jobs, and this one does not (Wald's identity: the mean of sums up to a stopping time that does
 * not look ahead is the mean of one times the mean number).
 * @param mostBytes of one; larger ones are passed over at no cost, and count as looked at.
 * @returns the number of jobs, from the first, that are looked at.
 */
export function countWithinBudget(
  dataBytes: readonly number[],
  mostBytes: number,
  budgetBytes: number,
): number {
  let taken = 0;
  for (const [i, bytes] of dataBytes.entries()) {
    if (taken > budgetBytes - mostBytes) return i;
    if (bytes <= mostBytes) taken += bytes;
  }
  return dataBytes.length;
}
