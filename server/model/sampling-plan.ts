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

/** Few jobs are all looked at: that is as cheap as a sample and leaves no error. So are those of which a part would be wanted. */
const CENSUS = 24;
const CENSUS_SHARE = 4;
const LARGEST_CENSUS = 1_200;
const LEAST = 8;
/** Of one list in one tick: each is a walk in it. */
const MOST_OF_ONE = 400;
/** What is known is looked at again after so long, even where nothing seems to have changed. */
const STALE_MS = 30_000;
/** What is wanted: 95 of 100 estimates within so much of the truth… */
const WANTED_ERROR_RATIO = 0.035;
/** …for what holds this share of all that is known; for less, less is good enough. */
const WORTH_KNOWING_RATIO = 0.005;
/** Samples that tell the share of a type to within 5 in 100, for a state that holds 1% of all that wait. */
const FOR_SHARES = 400;
const WORTH_COUNTING_RATIO = 0.01;
/** Beyond it an exact count is the better way. */
const MOST_WANTED = 8_000;

/**
 * How many jobs of which states are looked at next, within a budget of jobs: those first that nobody has looked at, most jobs
 * first; then where samples are missing to know a state to within 3.5%: (1.96 × deviation ÷ mean ÷ 3.5%)² of them (Cochran,
 * 4.6), fewer where little memory is at stake, and again as jobs come and go.
 * @returns samples by key; what is not in it is left alone.
 */
export function planSampling(
  needs: readonly SamplingNeed[],
  budgetJobs: number,
): ReadonlyMap<string, number> {
  const plan = new Map<string, number>();
  const fresh = needs
    .filter(({ known }) => known === null)
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
  const allBytes = needs.reduce((sum, { count, known }) => sum + count * (known?.meanBytes ?? 0), 0);
  const allWaiting = needs.reduce((sum, { count, isBacklog }) => sum + (isBacklog ? count : 0), 0);
  const wanting = needs
    .map((need) => ({ need, missing: missingSamples(need, allBytes, allWaiting) }))
    .filter(({ missing }) => missing > 0)
    .sort((a, b) => b.missing - a.missing);
  const total = wanting.reduce((sum, { missing }) => sum + missing, 0);
  const budget = left;
  for (const { need, missing } of wanting) {
    const fair = Math.ceil(Math.min(missing, (missing / total) * budget));
    const isSmall = need.count <= Math.max(CENSUS, Math.min(LARGEST_CENSUS, missing * CENSUS_SHARE));
    const samples = isSmall ? need.count : clamp(fair, LEAST, Math.min(MOST_OF_ONE, need.count));
    // What does not fit now comes next, when what was before it is known.
    if (samples > left && plan.size > 0) continue;
    plan.set(need.key, samples);
    left -= samples;
  }
  return plan;
}

function firstSamples(count: number): number {
  // A hundred times the jobs are worth thrice the samples: the largest are to be known well at the first look.
  return count <= CENSUS
    ? count
    : Math.min(count, MOST_OF_ONE, Math.round(LEAST * Math.max(1, (count / 1_000) ** 0.4)));
}

function missingSamples(need: SamplingNeed, allBytes: number, allWaiting: number): number {
  const { known, count, changedRatio } = need;
  if (!known) return 0;
  const isOld = need.ageMs >= STALE_MS;
  if (need.isCensus && changedRatio === 0) return isOld ? LEAST : 0;
  const stake = allBytes > 0 ? (count * known.meanBytes) / allBytes : 1;
  const spread = known.meanBytes > 0 ? known.deviationBytes / known.meanBytes : 1;
  const forWanted = ((1.96 * spread) / WANTED_ERROR_RATIO) ** 2 * Math.min(1, stake / WORTH_KNOWING_RATIO);
  const forShares = need.isBacklog
    ? FOR_SHARES * Math.min(1, count / Math.max(1, allWaiting) / WORTH_COUNTING_RATIO)
    : 0;
  const wanted = Math.min(MOST_WANTED, Math.max(LEAST, forWanted, forShares));
  const has = known.samples * (1 - Math.min(0.9, changedRatio));
  return Math.max(isOld ? LEAST : 0, Math.ceil(wanted - has));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
