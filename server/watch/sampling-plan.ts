/** One state of one queue, as the plan of the next samples sees it. */
export interface SamplingNeed {
  readonly queueId: string;
  readonly key: string;
  readonly count: number;
  /** Its jobs wait to be run: how many of which type is worth knowing whatever they weigh. */
  readonly isBacklog: boolean;
  /** What is known of it: mean and spread of its sizes in bytes, by so many samples. null: nothing. */
  readonly known: {
    readonly meanBytes: number;
    readonly deviationBytes: number;
    readonly samples: number;
  } | null;
  /** Every job of it was looked at, and none has come or gone since. */
  readonly isCensus: boolean;
  /** ms since it was sampled; Infinity: never. */
  readonly ageMs: number;
  /** Share of its jobs that have come or gone since, 0..1. */
  readonly changedRatio: number;
}

interface QueueStake {
  bytes: number;
  /** Sum of jobs × deviation over its states, bytes. */
  spreadBytes: number;
  /** Samples that are wanted of all its states together. */
  wanted: number;
}

/** Few jobs are all looked at: that is as cheap as a sample and leaves no error. So are those of which a part would be wanted. */
const CENSUS = 24;
const CENSUS_SHARE = 2;
/** At the first look, when a thousand lists wait for theirs. */
const FIRST_CENSUS = 12;
const LARGEST_CENSUS = 1_200;
const LEAST = 8;
/** Of one list in one tick: each is a walk in it. */
const MAX_OF_ONE = 400;
/** What is known is looked at again after so long, and after this where no job seems to have come or gone. */
const STALE_MS = 30_000;
const UNCHANGED_STALE_MS = 180_000;
/** What is wanted: 95 of 100 estimates of a queue within so much of the truth… */
const WANTED_ERROR_RATIO = 0.035;
/** …for a queue that holds this share of all that is known; for less, less is good enough. */
const WORTH_KNOWING_RATIO = 0.008;
/** Shares of job types are to be known too, however alike the sizes: to ± 4% with so many. */
const FOR_SHARES = 600;
/** The same for a state that holds this share of all jobs that wait, whatever they weigh. */
const WORTH_COUNTING_RATIO = 0.01;
/** Beyond it an exact count is the better way. */
const MAX_WANTED = 8_000;

/**
 * How many jobs of which states are looked at next, within a budget of jobs (at most one state goes beyond it): those first
 * that nobody has looked at, most jobs first; then where samples are missing to know a queue to within 3.5%:
 * (1.96 × Σ jobs × deviation ÷ bytes ÷ 3.5%)² of them, dealt to its states by jobs × deviation (Neyman; Cochran, Sampling
 * Techniques, 3rd ed., 5.5); fewer where little memory is at stake, and again as jobs come and go.
 * @returns samples by key; what is not in it is left alone.
 */
export function planSampling(
  needs: readonly SamplingNeed[],
  budgetJobs: number,
): ReadonlyMap<string, number> {
  const plan = new Map<string, number>();
  const fresh = needs
    .filter(({ known, count }) => known === null && count > 0)
    .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
  // Half of the budget at least stays for what weighs most: a thousand new queues must not hide the one that fills Redis.
  let left = budgetJobs;
  const forFresh = needs.length === fresh.length ? budgetJobs : Math.ceil(budgetJobs / 2);
  for (const need of fresh) {
    const samples = firstSamples(need.count);
    if (budgetJobs - left + samples > forFresh && plan.size > 0) break;
    plan.set(need.key, samples);
    left -= samples;
  }
  const allWaiting = needs.reduce((sum, { count, isBacklog }) => sum + (isBacklog ? count : 0), 0);
  const queues = stakesOf(needs);
  const wanting: { readonly need: SamplingNeed; readonly missing: number }[] = [];
  for (const need of needs) {
    const missing = missingSamples(need, queues.get(need.queueId), allWaiting);
    if (missing > 0) wanting.push({ need, missing });
  }
  wanting.sort((a, b) => b.missing - a.missing);
  const total = wanting.reduce((sum, { missing }) => sum + missing, 0);
  const budget = left;
  for (const { need, missing } of wanting) {
    const fair = Math.ceil(Math.min(missing, (missing / total) * budget));
    const isSmall = need.count <= Math.max(CENSUS, Math.min(LARGEST_CENSUS, missing * CENSUS_SHARE));
    const samples = isSmall ? need.count : clamp(fair, LEAST, Math.min(MAX_OF_ONE, need.count));
    // What does not fit now comes next, when what was before it is known.
    if (samples > left && plan.size > 0) continue;
    plan.set(need.key, samples);
    left -= samples;
  }
  return plan;
}

function firstSamples(count: number): number {
  // A hundred times the jobs are worth thrice the samples: the largest are to be known well at the first look.
  return count <= FIRST_CENSUS
    ? count
    : Math.min(count, MAX_OF_ONE, Math.round(LEAST * Math.max(1, (count / 1_000) ** 0.4)));
}

function stakesOf(needs: readonly SamplingNeed[]): ReadonlyMap<string, QueueStake> {
  const queues = new Map<string, QueueStake>();
  let allBytes = 0;
  for (const { queueId, count, known } of needs) {
    if (!known) continue;
    let queue = queues.get(queueId);
    if (!queue) {
      queue = { bytes: 0, spreadBytes: 0, wanted: 0 };
      queues.set(queueId, queue);
    }
    queue.bytes += count * known.meanBytes;
    queue.spreadBytes += count * known.deviationBytes;
    allBytes += count * known.meanBytes;
  }
  for (const queue of queues.values()) {
    const stake = allBytes > 0 ? Math.min(1, queue.bytes / allBytes / WORTH_KNOWING_RATIO) : 1;
    const spread = queue.bytes > 0 ? queue.spreadBytes / queue.bytes : 1;
    const forBytes = ((1.96 * spread) / WANTED_ERROR_RATIO) ** 2;
    queue.wanted = Math.min(MAX_WANTED, Math.max(FOR_SHARES, forBytes)) * stake;
  }
  return queues;
}

function missingSamples(need: SamplingNeed, queue: QueueStake | undefined, allWaiting: number): number {
  const { known, count, changedRatio } = need;
  if (!known || !queue || count <= 0) return 0;
  const isOld = need.ageMs >= (changedRatio > 0 ? STALE_MS : UNCHANGED_STALE_MS);
  if (need.isCensus && changedRatio === 0) return isOld ? LEAST : 0;
  const part = queue.spreadBytes > 0 ? (count * known.deviationBytes) / queue.spreadBytes : 1;
  const forShares = need.isBacklog
    ? FOR_SHARES * Math.min(1, count / Math.max(1, allWaiting) / WORTH_COUNTING_RATIO)
    : 0;
  const wanted = Math.max(Math.min(LEAST, count), queue.wanted * part, forShares);
  const has = known.samples * (1 - Math.min(0.9, changedRatio));
  return Math.max(isOld ? LEAST : 0, Math.ceil(wanted - has));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
